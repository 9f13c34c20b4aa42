import { later, now } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Db, Tx } from '../db/db.ts';
import type { Ask } from '../job/ask.ts';
import type { Tiers } from '../tenant/tier.ts';
import { claimRow } from './claim-queries.ts';
import type { OutputResult, Progress } from './execution.ts';
import type { Ending } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { LogEntry } from './run.ts';
import { beginAttempt, type Claim, finishRun, settleRun, writeLog } from './settle-queries.ts';
import { changeUse, lockTenant } from './use-queries.ts';

/** All a worker needs to carry a run out. */
export interface ClaimedRun extends Claim {
  readonly job: string;
  /** Name of the tenant's tier. */
  readonly tier: string;
  readonly ask: Ask;
  readonly window: { readonly start: string | null; readonly end: string | null };
  readonly createdAt: string;
  /** Frozen by the first attempt that came so far. */
  readonly plan: Plan | null;
}

/** A finished file, on its way into the tables. */
export interface CommittedFile {
  readonly position: number;
  readonly path: string;
  readonly mediaType: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Commit {
  readonly results: readonly OutputResult[];
  readonly files: readonly CommittedFile[];
  readonly manifest: string;
  /** How long the files are kept. */
  readonly fileLifeMs: number;
  readonly log: readonly LogEntry[];
}

/** How long a worker may be silent before its runs go to another. */
export const LEASE_MS = 30_000;

/** What those who carry runs out may ask. Every write but the claim does nothing unless the attempt is still the current one. */
export class Work {
  readonly #db: Db;
  readonly #worker: string;

  /** `worker`: who claims, unique for the life of a process. */
  constructor(db: Db, worker: string) {
    this.#db = db;
    this.#worker = worker;
  }

  /** The next due run of the tenant that was served longest ago and has a free slot, or null. */
  async claim(tiers: Tiers): Promise<ClaimedRun | null> {
    if (this.#db.kind === 'sqlite') return await this.#claim(tiers, 'none');
    return (await this.#claim(tiers, 'skip')) ?? (await this.#claim(tiers, 'wait'));
  }

  #claim(tiers: Tiers, locks: 'none' | 'skip' | 'wait'): Promise<ClaimedRun | null> {
    const at = now();
    const leaseUntil = later(at, LEASE_MS);
    return this.#db.write(async (tx) => {
      const row = await claimRow(tx, { tiers, worker: this.#worker, at, leaseUntil, locks });
      if (!row) return null;
      await changeUse(tx, row.tenant_id, { queuedRuns: -1, activeRuns: 1, servedAt: at });
      await beginAttempt(tx, { run: row.id, attempt: row.attempt, tenant: row.tenant_id }, this.#worker);
      const { ask, tier } = await tx
        .selectFrom('jobs')
        .innerJoin('tenants', 'tenants.id', 'jobs.tenant_id')
        .select(['ask', 'tier'])
        .where('jobs.id', '=', row.job_id)
        .executeTakeFirstOrThrow();
      return {
        run: row.id,
        attempt: row.attempt,
        tenant: row.tenant_id,
        job: row.job_id,
        tier,
        ask: JSON.parse(ask),
        window: { start: row.window_start, end: row.window_end },
        createdAt: row.created_at,
        plan: await readPlan(tx, row.id),
      };
    });
  }

  /** Keeps the lease and tells how far the run is. False when the attempt is not the current one any more. */
  renew(claim: Claim, { rows, bytes, fraction }: Pick<Progress, 'rows' | 'bytes' | 'fraction'>): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('runs')
        .set({
          lease_until: later(now(), LEASE_MS),
          progress_rows: rows,
          progress_bytes: bytes,
          progress_fraction: fraction,
        })
        .where('id', '=', claim.run)
        .where('attempt', '=', claim.attempt)
        .where('state', 'in', ['running', 'committing'])
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    });
  }

  /** Freezes the plan. False when the attempt is not the current one any more. */
  storePlan(claim: Claim, plan: Plan, log: readonly LogEntry[]): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const { numUpdatedRows } = await current(tx, claim)
        .set({ lease_until: later(now(), LEASE_MS) })
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) return false;
      await writeRecipe(tx, claim, { plan: JSON.stringify(plan) });
      await writeLog(tx, claim, log);
      return true;
    });
  }

  /** The commit: from here on the run only rolls forward. False, with nothing written, when the attempt is not the current one any more. */
  commit(claim: Claim, { results, files, manifest, fileLifeMs, log }: Commit): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const at = now();
      await lockTenant(tx, claim.tenant);
      const { numUpdatedRows } = await current(tx, claim)
        .set({
          state: 'committing',
          rows_planned: results[0]?.rowsPlanned ?? null,
          rows_written: results[0]?.rowsWritten ?? null,
          progress_rows: results.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
          progress_bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
          progress_fraction: 1,
          lease_until: later(at, LEASE_MS),
        })
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) return false;
      await writeRecipe(tx, claim, { manifest });
      await insertResults(tx, claim, results);
      const rows = files.map(({ mediaType, ...file }) => ({
        ...file,
        id: newId('file', at),
        run_id: claim.run,
        tenant_id: claim.tenant,
        media_type: mediaType,
        // Links live by whole seconds, and no longer than their files.
        expires_at: `${later(at, fileLifeMs).slice(0, 19)}.000Z`,
      }));
      await tx.insertInto('files').values(rows).execute();
      await changeUse(tx, claim.tenant, { storedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0) });
      await writeLog(tx, claim, log);
      return true;
    });
  }

  /** The files are published: the run succeeded. Harmless when it is final already. */
  finish(claim: Claim): Promise<boolean> {
    return this.#db.write((tx) => finishRun(tx, claim));
  }

  /** Whether the attempt still runs or commits. */
  isLive({ run, attempt }: Claim): Promise<boolean> {
    return this.#db.read(async (tx) => {
      const query = tx.selectFrom('runs').select('id').where('id', '=', run).where('attempt', '=', attempt);
      return (await query.where('state', 'in', ['running', 'committing']).executeTakeFirst()) !== undefined;
    });
  }

  /** What becomes of a run whose attempt did not commit: the queue again, or failed. False when the attempt is not the current one any more. */
  settle(claim: Claim, ending: Ending, log: readonly LogEntry[] | null): Promise<boolean> {
    return this.#db.write((tx) => settleRun(tx, claim, ending, log));
  }
}

async function writeRecipe(tx: Tx, { run }: Claim, part: { plan: string } | { manifest: string }): Promise<void> {
  await tx
    .insertInto('recipes')
    .values({ run_id: run, ...part })
    .onConflict((conflict) => conflict.column('run_id').doUpdateSet(part))
    .execute();
}

async function readPlan(tx: Tx, run: string): Promise<Plan | null> {
  const row = await tx.selectFrom('recipes').select('plan').where('run_id', '=', run).executeTakeFirst();
  return row?.plan ? JSON.parse(row.plan) : null;
}

/** The run's row, while this attempt runs. */
function current(tx: Tx, { run, attempt }: Claim) {
  return tx.updateTable('runs').where('id', '=', run).where('attempt', '=', attempt).where('state', '=', 'running');
}

async function insertResults(tx: Tx, claim: Claim, results: readonly OutputResult[]): Promise<void> {
  const outputs = results.map((result, position) => ({
    run_id: claim.run,
    position,
    format: JSON.stringify(result.output.format),
    compression: result.output.compression.type,
    rows_planned: result.rowsPlanned,
    rows_read: result.rowsRead,
    rows_written: result.rowsWritten,
  }));
  await tx.insertInto('outputs').values(outputs).execute();
  await tx
    .insertInto('deliveries')
    .values({
      run_id: claim.run,
      position: 0,
      destination: JSON.stringify({ type: 'download' }),
      state: 'pending',
      attempts: 0,
    })
    .execute();
}
