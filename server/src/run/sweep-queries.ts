import { later, now } from '../base/clock.ts';
import type { Db } from '../db/db.ts';
import { idempotencyHorizon } from '../tenant/queries.ts';
import { type Claim, settleRun } from './settle-queries.ts';
import { changeUse } from './use-queries.ts';
import { LEASE_MS } from './work-queries.ts';

/** Rows of a sweep at a time; the next tick takes more. */
const BATCH = 100;

/** A run whose worker is silent for longer than its lease. */
export interface Silent extends Claim {
  readonly isCommitting: boolean;
}

/** What of runs and files has to be cleared up, in the tables. */
export class Sweep {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Ends the leases of workers that are gone, so that the next tick takes their runs. */
  endLeases(isGone: (worker: string) => boolean): Promise<number> {
    return this.#db.write(async (tx) => {
      const workers = await tx.selectFrom('runs').select('worker').distinct().where('worker', 'is not', null).execute();
      const gone = workers.flatMap(({ worker }) => (worker !== null && isGone(worker) ? [worker] : []));
      if (gone.length === 0) return 0;
      const { numUpdatedRows } = await tx
        .updateTable('runs')
        .set({ lease_until: later(now(), -1) })
        .where('worker', 'in', gone)
        .where('state', 'in', ['running', 'committing'])
        .executeTakeFirstOrThrow();
      return Number(numUpdatedRows);
    });
  }

  silent(): Promise<Silent[]> {
    return this.#db.read(async (tx) => {
      const rows = await tx
        .selectFrom('runs')
        .select(['id', 'attempt', 'tenant_id', 'state'])
        .where('state', 'in', ['running', 'committing'])
        .where('lease_until', '<', now())
        .limit(BATCH)
        .execute();
      return rows.map(({ id, attempt, tenant_id, state }) => ({
        run: id,
        attempt,
        tenant: tenant_id,
        isCommitting: state === 'committing',
      }));
    });
  }

  /** Its process is gone: the queue again, or failed at last. */
  bury(claim: Claim): Promise<boolean> {
    return this.#db.write((tx) => settleRun(tx, claim, { is: 'died' }, null));
  }

  /** Takes a committing run over, to publish it. False when another was quicker. */
  adopt({ run, attempt }: Claim, worker: string): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const at = now();
      const { numUpdatedRows } = await tx
        .updateTable('runs')
        .set({ worker, lease_until: later(at, LEASE_MS) })
        .where('id', '=', run)
        .where('attempt', '=', attempt)
        .where('state', '=', 'committing')
        .where('lease_until', '<', at)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    });
  }

  /** Runs all of whose kept files are over their life. */
  expired(): Promise<string[]> {
    return this.#db.read(async (tx) => {
      const rows = await tx
        .selectFrom('files')
        .innerJoin('runs', 'runs.id', 'files.run_id')
        .select('run_id')
        .distinct()
        .where('removed_at', 'is', null)
        .where('expires_at', '<=', now())
        .where('state', '=', 'succeeded')
        .limit(BATCH)
        .execute();
      return rows.map(({ run_id }) => run_id);
    });
  }

  /** Marks the files of a run as removed. Their links answer 410 from their expiry on, before this and after. */
  markRemoved(run: string): Promise<void> {
    return this.#db.write(async (tx) => {
      const files = await tx
        .updateTable('files')
        .set({ removed_at: now() })
        .where('run_id', '=', run)
        .where('removed_at', 'is', null)
        .returning(['tenant_id', 'bytes'])
        .execute();
      const [first] = files;
      if (first)
        await changeUse(tx, first.tenant_id, { storedBytes: -files.reduce((sum, { bytes }) => sum + bytes, 0) });
    });
  }

  /** Which of these attempts may still need their stage. */
  async liveStages(stages: readonly { run: string; attempt: number }[]): Promise<Set<string>> {
    const rows = await this.#runsIn(stages.map(({ run }) => run));
    const live = rows.filter(({ state }) => state === 'running' || state === 'committing');
    return new Set(live.map(({ id, attempt }) => `${id}-${attempt}`));
  }

  /** Which of these runs have files that are kept. */
  async keptRuns(runs: readonly string[]): Promise<Set<string>> {
    if (runs.length === 0) return new Set();
    return this.#db.read(async (tx) => {
      const query = tx.selectFrom('files').select('run_id').distinct().where('run_id', 'in', runs);
      const rows = await query.where('removed_at', 'is', null).execute();
      return new Set(rows.map(({ run_id }) => run_id));
    });
  }

  forgetIdempotency(): Promise<unknown> {
    return this.#db.write((tx) =>
      tx.deleteFrom('idempotency_keys').where('created_at', '<=', idempotencyHorizon(now())).execute(),
    );
  }

  #runsIn(ids: readonly string[]) {
    if (ids.length === 0) return Promise.resolve([]);
    return this.#db.read((tx) =>
      tx.selectFrom('runs').select(['id', 'attempt', 'state']).where('id', 'in', ids).execute(),
    );
  }
}
