import { sql } from 'kysely';
import { idBound } from '../base/ids.ts';
import type { Tx } from '../db/db.ts';
import { storable } from '../db/text.ts';
import type { RunState } from './run.ts';

/** Which jobs, newest first. */
export interface JobFilter {
  readonly tenants: readonly string[];
  readonly state?: RunState;
  readonly dataset?: string;
  /** They came by; left out, any. */
  readonly dialects?: readonly string[];
  /** ISO instants, half-open. */
  readonly createdFrom?: string;
  readonly createdTo?: string;
  /** Id of the last job of the page before. */
  readonly after?: string;
  /** Jobs left out before the first. */
  readonly offset?: number;
  readonly limit: number;
}

/** Ids of the jobs, tenant by tenant, so that each is found by an index however long its history is. */
export async function findJobIds(tx: Tx, { offset = 0, ...asked }: JobFilter): Promise<string[]> {
  const filter = { ...asked, limit: offset + asked.limit };
  const found: string[] = [];
  if (filter.dialects?.length === 0) return found;
  for (const tenant of filter.tenants)
    found.push(
      ...(filter.state === undefined ? await idsOf(tx, tenant, filter) : await idsInState(tx, tenant, filter)),
    );
  return found.sort().reverse().slice(offset, filter.limit);
}

/** A digit longer than any id, of the highest digit, in whatever order the database has for text. */
const ABOVE_ALL = `job_${'z'.repeat(27)}`;

/** Ids begin with the time, so they bound it. */
function boundsOf({ createdFrom, createdTo, after }: JobFilter): { from: string; below: string } {
  const ends = [createdTo === undefined ? null : idBound('job', createdTo), after ?? null].filter(
    (end) => end !== null,
  );
  return {
    from: createdFrom === undefined ? '' : idBound('job', createdFrom),
    below: ends.sort()[0] ?? ABOVE_ALL,
  };
}

async function idsOf(tx: Tx, tenant: string, filter: JobFilter): Promise<string[]> {
  const { from, below } = boundsOf(filter);
  let query = tx
    .selectFrom('jobs')
    .select('id')
    .where('tenant_id', '=', tenant)
    .where('deleted_at', 'is', null)
    .where('id', '>=', from)
    .where('id', '<', below);
  if (filter.dialects !== undefined) query = query.where('dialect', 'in', filter.dialects);
  if (filter.dataset !== undefined) query = query.where('dataset', '=', storable(filter.dataset));
  const rows = await query.orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.map(({ id }) => id);
}

interface Count {
  readonly dialect: string;
  readonly tenants: readonly string[];
  /** ISO instant. */
  readonly from: string;
}

/** How many jobs were made since, whatever became of them. */
export async function countJobs(tx: Tx, { dialect, tenants, from }: Count): Promise<number> {
  if (tenants.length === 0) return 0;
  const { count } = await tx
    .selectFrom('jobs')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('tenant_id', 'in', tenants)
    .where('dialect', '=', dialect)
    .where('id', '>=', idBound('job', from))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Jobs whose newest run is in the state. */
async function idsInState(tx: Tx, tenant: string, filter: JobFilter): Promise<string[]> {
  const { from, below } = boundsOf(filter);
  let query = tx
    .selectFrom('runs')
    .innerJoin('jobs', 'jobs.id', 'runs.job_id')
    .select('runs.job_id as id')
    .where('runs.tenant_id', '=', tenant)
    .where('runs.state', '=', filter.state ?? '')
    .where('runs.job_id', '>=', from)
    .where('runs.job_id', '<', below)
    .where('jobs.deleted_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('runs as newer')
            .select(sql`1`.as('one'))
            .whereRef('newer.job_id', '=', 'runs.job_id')
            .whereRef('newer.id', '>', 'runs.id'),
        ),
      ),
    );
  if (filter.dialects !== undefined) query = query.where('jobs.dialect', 'in', filter.dialects);
  if (filter.dataset !== undefined) query = query.where('jobs.dataset', '=', storable(filter.dataset));
  const rows = await query.orderBy('runs.job_id', 'desc').limit(filter.limit).execute();
  return rows.map(({ id }) => id);
}
