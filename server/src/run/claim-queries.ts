import { sql } from 'kysely';
import type { Tx } from '../db/db.ts';
import type { Tiers } from '../tenant/tier.ts';

interface ClaimAsk {
  readonly tiers: Tiers;
  readonly worker: string;
  readonly at: string;
  readonly leaseUntil: string;
  /** Whether the database has row locks; SQLite has one writer at a time instead. */
  readonly locks: boolean;
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
  if (!locks) return tenant.executeTakeFirst();
  // A tenant another worker claims for is passed over; but one that is only asked a lot of must not starve for it.
  const free = await tenant.modifyEnd(sql`for update of tenant_uses skip locked`).executeTakeFirst();
  return free ?? tenant.modifyEnd(sql`for update of tenant_uses`).executeTakeFirst();
}
