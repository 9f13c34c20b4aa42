import type { Tx } from '../db/db.ts';
import type { JobRow } from '../db/tables.ts';
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
  };
}
