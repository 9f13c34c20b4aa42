import { now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import type { Db, Tx } from '../db/db.ts';
import type { RunRow } from '../db/tables.ts';
import type { Job } from '../job/job.ts';
import { findJob, findReferred, markDeleted, readJob } from '../job/queries.ts';
import { writeAudit } from '../tenant/queries.ts';
import { countJobs, findJobIds, type JobFilter } from './list-queries.ts';
import { readFile, readRun } from './read-run.ts';
import { isFinal, type LogEntry, type Run, type RunFile } from './run.ts';
import {
  type Accepted,
  type Again,
  type Asker,
  acceptJob,
  acceptRun,
  findRepeat,
  type Idempotency,
  type Submission,
} from './submit-queries.ts';
import { changeUse, lockTenant } from './use-queries.ts';

export type { JobFilter } from './list-queries.ts';
export type { Accepted, Asker, Quota, Submission } from './submit-queries.ts';

/** A job beside its newest run. */
export interface JobWithRun {
  readonly job: Job;
  readonly run: Run;
}

/** A file with what its link is checked against. */
export interface FileOfRun extends RunFile {
  readonly runId: string;
  readonly tenant: string;
}

/** What requests may ask of jobs and runs. Everything is bound to tenants: another's is as if it were not there. */
export class Runs {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Throws `tier.queue`, `tier.bytes`, `rate.limited`, `conflict.running`, `idempotency.mismatch`. */
  submit(submission: Submission): Promise<Accepted> {
    return this.#db.write((tx) => acceptJob(tx, submission));
  }

  /** Another run of a job over the same window; null for an unknown job. Throws `tier.queue`, `tier.bytes`, `idempotency.mismatch`. */
  again(jobId: string, tenants: readonly string[], again: Again): Promise<Run | null> {
    return this.#db.write(async (tx) => {
      const job = await findLocked(tx, jobId, tenants);
      return job && acceptRun(tx, job, again);
    });
  }

  job(id: string, tenants: readonly string[]): Promise<JobWithRun | null> {
    return this.#db.read(async (tx) => {
      const job = await findJob(tx, id, tenants);
      return job && { job, run: await newestRun(tx, id) };
    });
  }

  /** The job a dialect's clients know by this reference. */
  referred(dialect: string, reference: string, tenants: readonly string[]): Promise<JobWithRun | null> {
    return this.#db.read(async (tx) => {
      const id = await findReferred(tx, { dialect, reference }, tenants);
      const job = id === null ? null : await findJob(tx, id, tenants);
      return job && { job, run: await newestRun(tx, job.id) };
    });
  }

  /** How many jobs the tenants made by a dialect from an instant on, deleted ones too. */
  count(dialect: string, tenants: readonly string[], from: string): Promise<number> {
    return this.#db.read((tx) => countJobs(tx, { dialect, tenants, from }));
  }

  jobs(filter: JobFilter): Promise<JobWithRun[]> {
    return this.#db.read(async (tx) => {
      const ids = await findJobIds(tx, filter);
      if (ids.length === 0) return [];
      const rows = await tx.selectFrom('jobs').selectAll().where('id', 'in', ids).orderBy('id', 'desc').execute();
      const runs = await newestRuns(tx, ids);
      return rows.map((row) => ({ job: readJob(row), run: runOf(runs, row.id) }));
    });
  }

  /** What the same Idempotency-Key and body had accepted before, or null. Throws `idempotency.mismatch`. */
  repeated(tenant: string, idempotency: Idempotency): Promise<Accepted | null> {
    return this.#db.read((tx) => findRepeat(tx, tenant, idempotency));
  }

  /** Deletes the job and cancels what of it is not final. False for an unknown job. */
  deleteJob(id: string, tenants: readonly string[], asker: Asker): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const job = await findLocked(tx, id, tenants);
      if (!job) return false;
      const runs = await tx.selectFrom('runs').select(['id', 'state']).where('job_id', '=', id).execute();
      for (const { id: run, state } of runs)
        if (state === 'queued' || state === 'running') await cancelRun(tx, run, job.tenant);
      await markDeleted(tx, id, now());
      await writeAudit(tx, { ...asker, tenant: job.tenant, action: 'job.delete', subject: id });
      return true;
    });
  }

  /** Of a job, be it deleted since, that came by one of the dialects; left out, by any. */
  run(id: string, tenants: readonly string[], dialects?: readonly string[]): Promise<Run | null> {
    return this.#db.read((tx) => findRun(tx, id, tenants, dialects));
  }

  /** Newest first; null for an unknown job. */
  runsOf(jobId: string, tenants: readonly string[], page: { after?: string; limit: number }): Promise<Run[] | null> {
    return this.#db.read(async (tx) => {
      if (!(await findJob(tx, jobId, tenants))) return null;
      let query = tx.selectFrom('runs').selectAll().where('job_id', '=', jobId);
      if (page.after !== undefined) query = query.where('id', '<', page.after);
      const rows = await query.orderBy('id', 'desc').limit(page.limit).execute();
      return withFiles(tx, rows);
    });
  }

  /** Null for an unknown run. Throws `run.final` when it cannot be stopped any more. */
  cancel(id: string, tenants: readonly string[], asker: Asker): Promise<Run | null> {
    return this.#db.write(async (tx) => {
      const run = await findRun(tx, id, tenants);
      if (!run) return null;
      const isStopped = await cancelRun(tx, id, run.tenant);
      if (!isStopped) {
        const how = isFinal(run.state) ? `already ${run.state}` : 'committing its files';
        throw new Fault('run.final', `The run is ${how}, so it cannot be cancelled.`);
      }
      await writeAudit(tx, { ...asker, tenant: run.tenant, action: 'run.cancel', subject: id });
      return findRun(tx, id, tenants);
    });
  }

  /** The manifest's text; undefined for an unknown run, null before it succeeded. */
  manifest(id: string, tenants: readonly string[]): Promise<string | null | undefined> {
    return this.#db.read(async (tx) => {
      if (tenants.length === 0) return undefined;
      const row = await tx
        .selectFrom('runs')
        .leftJoin('recipes', 'recipes.run_id', 'runs.id')
        .select(['state', 'manifest'])
        .where('id', '=', id)
        .where('tenant_id', 'in', tenants)
        .executeTakeFirst();
      return row && (row.state === 'succeeded' ? row.manifest : null);
    });
  }

  /** What happened, oldest first; null for an unknown run. */
  log(id: string, tenants: readonly string[]): Promise<LogEntry[] | null> {
    return this.#db.read(async (tx) => {
      if (!(await findRun(tx, id, tenants))) return null;
      const query = tx.selectFrom('attempts').select('log').where('run_id', '=', id);
      const rows = await query.orderBy('attempt').execute();
      return rows.flatMap(({ log }) => JSON.parse(log) as LogEntry[]);
    });
  }

  /** A file of a run that succeeded, by its id alone: for links, which are checked against what it says. */
  file(id: string): Promise<FileOfRun | null> {
    return this.#db.read(async (tx) => {
      const row = await tx
        .selectFrom('files')
        .innerJoin('runs', 'runs.id', 'files.run_id')
        .selectAll('files')
        .where('files.id', '=', id)
        .where('state', '=', 'succeeded')
        .executeTakeFirst();
      return row ? { ...readFile(row), runId: row.run_id, tenant: row.tenant_id } : null;
    });
  }

  /** Notes that a file's bytes were asked for. */
  noteDownload(file: FileOfRun, { principal, requestId }: Asker): Promise<void> {
    return this.#db.write((tx) =>
      writeAudit(tx, { tenant: file.tenant, principal, action: 'file.download', subject: file.id, requestId }),
    );
  }
}

/** The job with its tenant locked: nobody deletes it, or makes a run of it, until the transaction ends. */
async function findLocked(tx: Tx, id: string, tenants: readonly string[]): Promise<Job | null> {
  const job = await findJob(tx, id, tenants);
  if (!job) return null;
  await lockTenant(tx, job.tenant);
  return findJob(tx, id, tenants);
}

async function findRun(
  tx: Tx,
  id: string,
  tenants: readonly string[],
  dialects?: readonly string[],
): Promise<Run | null> {
  if (tenants.length === 0 || dialects?.length === 0) return null;
  let query = tx.selectFrom('runs').innerJoin('jobs', 'jobs.id', 'runs.job_id').selectAll('runs');
  query = query.where('runs.id', '=', id).where('runs.tenant_id', 'in', tenants);
  if (dialects) query = query.where('jobs.dialect', 'in', dialects);
  const [run] = await withFiles(tx, await query.execute());
  return run ?? null;
}

async function newestRun(tx: Tx, jobId: string): Promise<Run> {
  return runOf(await newestRuns(tx, [jobId]), jobId);
}

/** By their jobs. Each is sought from the end of the index: a maximum by groups would read all runs a job ever had. */
async function newestRuns(tx: Tx, jobIds: readonly string[]): Promise<Map<string, Run>> {
  const rows = await tx
    .selectFrom('jobs')
    .innerJoin('runs', (join) =>
      join.on('runs.id', '=', ({ selectFrom }) =>
        selectFrom('runs as each')
          .select('each.id')
          .whereRef('each.job_id', '=', 'jobs.id')
          .orderBy('each.id', 'desc')
          .limit(1),
      ),
    )
    .selectAll('runs')
    .where('jobs.id', 'in', jobIds)
    .execute();
  return new Map((await withFiles(tx, rows)).map((run) => [run.jobId, run]));
}

/** A job has a run from its creation on. */
function runOf(runs: ReadonlyMap<string, Run>, jobId: string): Run {
  const run = runs.get(jobId);
  if (!run) throw new Error(`The job ${jobId} has no run.`);
  return run;
}

async function withFiles(tx: Tx, rows: readonly RunRow[]): Promise<Run[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const query = tx.selectFrom('files').selectAll().where('run_id', 'in', ids).orderBy('position').orderBy('id');
  const files = Map.groupBy(await query.execute(), ({ run_id }) => run_id);
  return rows.map((row) => readRun(row, files.get(row.id) ?? []));
}

/** Stops a run that is waiting or running; its worker finds its attempt void. False when it is too late. */
async function cancelRun(tx: Tx, id: string, tenant: string): Promise<boolean> {
  await lockTenant(tx, tenant);
  const before = await tx
    .selectFrom('runs')
    .select(['state', 'attempt'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  if (before.state !== 'queued' && before.state !== 'running') return false;
  const at = now();
  await tx
    .updateTable('runs')
    .set({ state: 'cancelled', finished_at: at, worker: null, lease_until: null })
    .where('id', '=', id)
    .execute();
  await changeUse(tx, tenant, before.state === 'queued' ? { queuedRuns: -1 } : { activeRuns: -1 });
  await tx
    .updateTable('attempts')
    .set({ ending: 'cancelled', finished_at: at })
    .where('run_id', '=', id)
    .where('attempt', '=', before.attempt)
    .where('ending', 'is', null)
    .execute();
  return true;
}
