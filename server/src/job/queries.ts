import type { Tx } from '../db/db.ts';
import type { JobRow } from '../db/tables.ts';
import { storable } from '../db/text.ts';
import type { Job } from './job.ts';

export async function insertJob(tx: Tx, job: Job): Promise<void> {
  await tx
    .insertInto('jobs')
    .values({
      id: job.id,
      tenant_id: job.tenant,
      principal_id: job.principal,
      dialect: job.dialect,
      dataset: job.ask.dataset,
      ask: JSON.stringify(job.ask),
      request: JSON.stringify(job.request),
      created_at: job.createdAt,
      reference: job.reference,
    })
    .execute();
}

/** The job, if it belongs to one of the tenants and is not deleted. */
export async function findJob(tx: Tx, id: string, tenants: readonly string[]): Promise<Job | null> {
  if (tenants.length === 0) return null;
  const row = await tx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .where('tenant_id', 'in', tenants)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? readJob(row) : null;
}

/** The id of the job a dialect's clients know by this reference, if it belongs to one of the tenants and is not deleted. */
export async function findReferred(
  tx: Tx,
  { dialect, reference }: { readonly dialect: string; readonly reference: string },
  tenants: readonly string[],
): Promise<string | null> {
  if (tenants.length === 0) return null;
  const row = await tx
    .selectFrom('jobs')
    .select('id')
    .where('dialect', '=', dialect)
    .where('reference', '=', storable(reference))
    .where('tenant_id', 'in', tenants)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Marks the job as deleted; its runs and files stay as they are. */
export async function markDeleted(tx: Tx, id: string, now: string): Promise<void> {
  await tx.updateTable('jobs').set({ deleted_at: now }).where('id', '=', id).execute();
}

export function readJob(row: JobRow): Job {
  return {
    id: row.id,
    tenant: row.tenant_id,
    principal: row.principal_id,
    dialect: row.dialect,
    ask: JSON.parse(row.ask),
    request: JSON.parse(row.request),
    createdAt: row.created_at,
    reference: row.reference,
  };
}
