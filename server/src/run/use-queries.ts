import type { Tx } from '../db/db.ts';

/**
 * Locks the tenant's counters until the transaction ends. Whatever changes a run of the tenant takes
 * this lock first, before it looks at the run: so counters and states move together, and no two
 * transactions wait for each other.
 */
export async function lockTenant(tx: Tx, tenant: string): Promise<void> {
  await tx
    .updateTable('tenant_uses')
    .set(({ ref }) => ({ served_at: ref('served_at') }))
    .where('tenant_id', '=', tenant)
    .execute();
}

export interface UseChange {
  readonly queuedRuns?: number;
  readonly activeRuns?: number;
  readonly storedBytes?: number;
  readonly servedAt?: string;
}

/** Counts up or down what the tenant uses. */
export async function changeUse(tx: Tx, tenant: string, change: UseChange): Promise<void> {
  const { queuedRuns = 0, activeRuns = 0, storedBytes = 0, servedAt } = change;
  await tx
    .updateTable('tenant_uses')
    .set(({ eb }) => ({
      queued_runs: eb('queued_runs', '+', queuedRuns),
      active_runs: eb('active_runs', '+', activeRuns),
      stored_bytes: eb('stored_bytes', '+', storedBytes),
      ...(servedAt === undefined ? {} : { served_at: servedAt }),
    }))
    .where('tenant_id', '=', tenant)
    .execute();
}
