import { sql } from 'kysely';
import type { Tx } from '../db/db.ts';
import type { Tiers } from '../tenant/tier.ts';

interface ClaimAsk {
  readonly tiers: Tiers;
  readonly worker: string;
  readonly at: string;
  readonly leaseUntil: string;
  /**
   * SQLite has one writer at a time and no row locks. PostgreSQL passes over a tenant another worker
   * claims for; only when none is left it waits for one, so that a tenant that is asked a lot of does not starve.
   */
  readonly locks: 'none' | 'skip' | 'wait';
}

/**
 * Claims the oldest due run of one tenant that has a free slot. The caller counts it in the same
 * transaction; until then PostgreSQL holds the tenant's row, so no two claims share a slot.
 */
export async function claimRow(tx: Tx, ask: ClaimAsk) {
  const chosen = await chooseTenant(tx, ask);
  if (!chosen) return undefined;
  const next = tx
    .selectFrom('runs')
    .select('id')
    .where('tenant_id', '=', chosen.tenant_id)
    .where('state', '=', sql.lit('queued'))
    .where('due_at', '<=', ask.at)
    .orderBy('due_at')
    .orderBy('id')
    .limit(1);
  return tx
    .updateTable('runs')
    .set(({ eb, fn }) => ({
      state: 'running',
      attempt: eb('attempt', '+', 1),
      worker: ask.worker,
      lease_until: ask.leaseUntil,
      started_at: fn.coalesce('started_at', sql<string>`${ask.at}`),
      progress_rows: 0,
      progress_bytes: 0,
      progress_fraction: null,
    }))
    .where('id', 'in', next)
    .returningAll()
    .executeTakeFirst();
}

/** Of the tenants with a due run and a free slot, the one with the fewest runs at work, then the one served longest ago. */
async function chooseTenant(tx: Tx, { tiers, at, locks }: ClaimAsk) {
  if (Object.keys(tiers).length === 0) return undefined;
  const cases = Object.entries(tiers).map(([name, tier]) => sql`when ${name} then ${sql.lit(tier.concurrentRuns)}`);
  const slots = sql<number>`case tenants.tier ${sql.join(cases, sql` `)} else 0 end`;
  const tenant = tx
    .selectFrom('tenant_uses')
    .innerJoin('tenants', 'tenants.id', 'tenant_uses.tenant_id')
    .select('tenant_uses.tenant_id')
    .where('queued_runs', '>', 0)
    .where('active_runs', '<', slots)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('runs')
          .select('runs.id')
          .whereRef('runs.tenant_id', '=', 'tenant_uses.tenant_id')
          .where('state', '=', sql.lit('queued'))
          .where('due_at', '<=', at),
      ),
    )
    .orderBy('active_runs')
    .orderBy('served_at')
    .limit(1);
  if (locks === 'none') return tenant.executeTakeFirst();
  if (locks === 'skip') return tenant.modifyEnd(sql`for update of tenant_uses skip locked`).executeTakeFirst();
  const candidate = await tenant.executeTakeFirst();
  if (!candidate) return undefined;
  // One row and no other: who waits for a second tenant while holding a first may wait for ever.
  const { tenant_id } = candidate;
  return tenant
    .where('tenant_uses.tenant_id', '=', tenant_id)
    .modifyEnd(sql`for update of tenant_uses`)
    .executeTakeFirst();
}
