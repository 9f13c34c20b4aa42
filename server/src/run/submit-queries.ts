import { sql } from 'kysely';
import { later, now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Window } from '../dataset/window.ts';
import type { Tx } from '../db/db.ts';
import type { Job } from '../job/job.ts';
import { findJob, insertJob } from '../job/queries.ts';
import { writeAudit } from '../tenant/queries.ts';
import type { Tier } from '../tenant/tier.ts';
import { countJobs } from './list-queries.ts';
import { readRun } from './read-run.ts';
import type { Run } from './run.ts';
import { lockTenant } from './use-queries.ts';

/** Who asks, for the audit. */
export interface Asker {
  readonly principal: number;
  readonly requestId: string;
}

/** A job to be accepted, checked already. */
export interface Submission extends Asker {
  readonly job: Omit<Job, 'id' | 'createdAt'>;
  readonly window: Window;
  readonly tier: Tier;
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  /** Left out, only the tier limits. */
  readonly quota?: Quota | undefined;
}

/** How many jobs a tenant may make by a dialect in a span of time. */
export interface Quota {
  readonly jobs: number;
  /** ISO instants, half-open. */
  readonly from: string;
  readonly to: string;
  /** What is answered to one more. */
  readonly message: string;
}

export interface Accepted {
  readonly job: Job;
  /** As it was when it was accepted. */
  readonly run: Run;
}

/** Accepts a job with its first run, or gives what the same Idempotency-Key had accepted before. */
export async function acceptJob(tx: Tx, submission: Submission): Promise<Accepted> {
  const { job: asked, window, tier, idempotency, quota } = submission;
  const createdAt = now();
  if (idempotency) {
    // Two creates with one key must not both find it new.
    await lockTenant(tx, asked.tenant);
    const before = await findRepeat(tx, asked.tenant, idempotency);
    if (before) return before;
    await forget(tx, asked.tenant, idempotency);
  }
  if (quota) await refuseBeyond(tx, asked, quota);
  await refuseSecond(tx, asked);
  await reserve(tx, asked.tenant, tier);
  const job = { ...asked, id: newId('job', createdAt), createdAt };
  await insertJob(tx, job);
  const run = await insertRun(tx, job, window, createdAt);
  if (idempotency) await remember(tx, job, run, idempotency);
  const { principal, requestId } = submission;
  await writeAudit(tx, { tenant: job.tenant, principal, action: 'job.create', subject: job.id, requestId });
  return { job, run };
}

/** What makes another run of a job. */
export interface Again extends Asker {
  readonly tier: Tier;
  readonly idempotency: Submission['idempotency'];
}

/** Accepts another run of a job over the same window; its tenant is locked. */
export async function acceptRun(tx: Tx, job: Job, { tier, idempotency, principal, requestId }: Again): Promise<Run> {
  if (idempotency) {
    const before = await findRepeat(tx, job.tenant, idempotency);
    if (before) return before.run;
    await forget(tx, job.tenant, idempotency);
  }
  await refuseSecond(tx, job);
  await reserve(tx, job.tenant, tier);
  const { window_start: start, window_end: end } = await tx
    .selectFrom('runs')
    .select(['window_start', 'window_end'])
    .where('job_id', '=', job.id)
    .limit(1)
    .executeTakeFirstOrThrow();
  const run = await insertRun(tx, job, { start, end }, now());
  if (idempotency) await remember(tx, job, run, idempotency);
  await writeAudit(tx, { tenant: job.tenant, principal, action: 'run.create', subject: run.id, requestId });
  return run;
}

/** Throws `rate.limited` for a job beyond the quota. */
async function refuseBeyond(tx: Tx, { tenant, dialect }: Pick<Job, 'tenant' | 'dialect'>, quota: Quota): Promise<void> {
  // Two creates must not both find the last place free.
  await lockTenant(tx, tenant);
  const made = await countJobs(tx, { dialect, tenants: [tenant], from: quota.from });
  if (made >= quota.jobs)
    throw new Fault('rate.limited', quota.message, { retryAfterMs: Date.parse(quota.to) - Date.parse(now()) });
}

/** What only one unfinished run of a tenant may have, of its dialect's own. */
function exclusiveOf({ dialect, ask }: Pick<Job, 'dialect' | 'ask'>): string | null {
  return ask.exclusive === undefined ? null : `${dialect}:${ask.exclusive}`;
}

/** Throws `conflict.running`, naming the job, when an unfinished run has what this one wants for itself. */
async function refuseSecond(tx: Tx, job: Pick<Job, 'tenant' | 'dialect' | 'ask'>): Promise<void> {
  const exclusive = exclusiveOf(job);
  if (exclusive === null) return;
  await lockTenant(tx, job.tenant);
  const found = await tx
    .selectFrom('runs')
    .innerJoin('jobs', 'jobs.id', 'runs.job_id')
    .select(['jobs.id', 'jobs.reference'])
    .where('runs.tenant_id', '=', job.tenant)
    .where('runs.exclusive', '=', exclusive)
    // Spelt out: SQLite does not use a partial index for values it is given later.
    .where(sql<boolean>`runs.state in ('queued', 'running', 'committing')`)
    .executeTakeFirst();
  if (found)
    throw new Fault('conflict.running', `The export ${found.reference ?? found.id} is still in progress.`, {
      retryAfterMs: QUEUE_RETRY_MS,
    });
}

/** How soon a full queue is worth asking again. */
const QUEUE_RETRY_MS = 5000;

/** Takes a place in the tenant's queue. Throws `tier.queue` or `tier.bytes`. */
async function reserve(tx: Tx, tenant: string, tier: Tier): Promise<void> {
  const use = await tx
    .updateTable('tenant_uses')
    .set(({ eb }) => ({ queued_runs: eb('queued_runs', '+', 1) }))
    .where('tenant_id', '=', tenant)
    .returning(['queued_runs', 'stored_bytes'])
    .executeTakeFirstOrThrow();
  if (use.queued_runs > tier.queuedRuns)
    throw new Fault('tier.queue', `Your queue is full: ${tier.queuedRuns} runs may wait.`, {
      retryAfterMs: QUEUE_RETRY_MS,
    });
  if (tier.storedBytes !== undefined && use.stored_bytes >= tier.storedBytes)
    throw new Fault('tier.bytes', `Your kept files have ${use.stored_bytes} bytes; allowed are ${tier.storedBytes}.`);
}

/** How long an Idempotency-Key is remembered. */
const DAY_MS = 86_400_000;

/** The instant before which a remembered key does not count any more. */
export function idempotencyHorizon(): string {
  return later(now(), -DAY_MS);
}

export type Idempotency = NonNullable<Submission['idempotency']>;

/** What the same key and body had accepted within the last day, or null. Throws `idempotency.mismatch`. */
export async function findRepeat(tx: Tx, tenant: string, { key, bodyHash }: Idempotency): Promise<Accepted | null> {
  const found = await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('tenant_id', '=', tenant)
    .where('key', '=', key)
    .where('created_at', '>', idempotencyHorizon())
    .executeTakeFirst();
  if (!found) return null;
  if (found.body_hash !== bodyHash)
    throw new Fault(
      'idempotency.mismatch',
      'This Idempotency-Key was used with another body within the last 24 hours.',
    );
  const job = await findJob(tx, found.job_id, [tenant]);
  const row = await tx.selectFrom('runs').selectAll().where('id', '=', found.run_id).executeTakeFirstOrThrow();
  if (!job) throw new Fault('job.unknown', 'The job this Idempotency-Key had made was deleted.');
  return { job, run: readRun({ ...row, ...FRESH }, []) };
}

/** One that is older than a day. */
async function forget(tx: Tx, tenant: string, { key }: Idempotency): Promise<void> {
  await tx.deleteFrom('idempotency_keys').where('tenant_id', '=', tenant).where('key', '=', key).execute();
}

async function remember(tx: Tx, job: Job, run: Run, { key, bodyHash }: Idempotency): Promise<void> {
  await tx
    .insertInto('idempotency_keys')
    .values({
      tenant_id: job.tenant,
      key,
      body_hash: bodyHash,
      job_id: job.id,
      run_id: run.id,
      created_at: run.createdAt,
    })
    .execute();
}

/** What a run is when it is accepted. */
const FRESH = {
  state: 'queued',
  attempt: 0,
  failures: 0,
  deaths: 0,
  worker: null,
  lease_until: null,
  rows_planned: null,
  rows_written: null,
  progress_rows: 0,
  progress_bytes: 0,
  progress_fraction: null,
  error_code: null,
  error_message: null,
  started_at: null,
  finished_at: null,
} as const;

async function insertRun(tx: Tx, job: Job, window: Window, createdAt: string): Promise<Run> {
  const row = {
    ...FRESH,
    id: newId('run', createdAt),
    job_id: job.id,
    tenant_id: job.tenant,
    window_start: window.start,
    window_end: window.end,
    exclusive: exclusiveOf(job),
    due_at: createdAt,
    created_at: createdAt,
  };
  await tx.insertInto('runs').values(row).execute();
  return readRun(row, []);
}
