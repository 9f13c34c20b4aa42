import { idBound } from '../base/ids.ts';
import type { Db, Tx } from '../db/db.ts';
import { lockTenant } from './use-queries.ts';

/** Rows of a transaction, so that nobody waits long for its tenant. */
const BATCH = 100;

/** Of one sweep: what is left comes with the next, and a server that stops waits for no more. */
const MAX_BATCHES = 50;

/** Spread over these, and what a run has is gone. */
const PARTS = ['notices', 'deliveries', 'files', 'outputs', 'recipes', 'attempts', 'idempotency_keys'] as const;

interface Ended {
  readonly id: string;
  readonly job_id: string;
  readonly tenant_id: string;
}

/** Clears away what is over for so long that nobody is to know of it any more. */
export class History {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Notices from before an instant that were sent or given up. */
  async forgetNotices(before: string): Promise<number> {
    let count = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const last = await this.#forgetSomeNotices(before);
      count += last;
      if (last < BATCH) break;
    }
    return count;
  }

  #forgetSomeNotices(before: string): Promise<number> {
    return this.#db.write(async (tx) => {
      const some = tx
        .selectFrom('notices')
        .select('id')
        .where('id', '<', idBound('notice', before))
        .where('state', '!=', 'pending')
        .orderBy('id')
        .limit(BATCH);
      const { numDeletedRows } = await tx.deleteFrom('notices').where('id', 'in', some).executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    });
  }

  /** Runs that ended before an instant and keep no file, each job with its last one. */
  async forgetRuns(before: string): Promise<number> {
    let count = 0;
    let after = '';
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const ended = await this.#ended(before, after);
      for (const [tenant, runs] of Map.groupBy(ended, ({ tenant_id }) => tenant_id))
        count += await this.#db.write((tx) => forget(tx, tenant, runs));
      const last = ended.at(-1);
      if (last === undefined || ended.length < BATCH) break;
      after = last.id;
    }
    return count;
  }

  /** In the order of their ids, which begin with the time. */
  #ended(before: string, after: string): Promise<Ended[]> {
    return this.#db.read((tx) =>
      tx
        .selectFrom('runs')
        .select(['id', 'job_id', 'tenant_id'])
        .where('id', '>', after)
        .where('id', '<', idBound('run', before))
        .where('state', 'in', ['succeeded', 'failed', 'cancelled'])
        .where('finished_at', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(selectFrom('files').select('id').whereRef('run_id', '=', 'runs.id').where('removed_at', 'is', null)),
          ),
        )
        .orderBy('id')
        .limit(BATCH)
        .execute(),
    );
  }
}

async function forget(tx: Tx, tenant: string, ended: readonly Ended[]): Promise<number> {
  // Until this is over nobody makes another run of one of the jobs.
  await lockTenant(tx, tenant);
  const gone = new Set(ended.map(({ id }) => id));
  const jobs: string[] = [];
  for (const job of new Set(ended.map(({ job_id }) => job_id))) {
    const runs = await tx.selectFrom('runs').select('id').where('job_id', '=', job).orderBy('id', 'desc').execute();
    if (runs.every(({ id }) => gone.has(id))) jobs.push(job);
    // A job is shown with its newest run, so that one goes last.
    else gone.delete(runs[0]?.id ?? '');
  }
  if (gone.size === 0) return 0;
  for (const part of PARTS)
    await tx
      .deleteFrom(part)
      .where('run_id', 'in', [...gone])
      .execute();
  await tx
    .deleteFrom('runs')
    .where('id', 'in', [...gone])
    .execute();
  if (jobs.length > 0) await tx.deleteFrom('jobs').where('id', 'in', jobs).execute();
  return gone.size;
}
