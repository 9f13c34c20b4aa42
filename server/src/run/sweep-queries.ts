import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { later, now } from '../base/clock.ts';
import type { Db } from '../db/db.ts';
import { type Claim, settleRun } from './settle-queries.ts';
import { idempotencyHorizon } from './submit-queries.ts';
import { changeUse, lockTenant } from './use-queries.ts';
import { LEASE_MS } from './work-queries.ts';

/** Rows of a sweep at a time; the next tick takes more. */
const BATCH = 100;

/** Spelt out, as SQLite does not use a partial index for values it is given later. */
const ACTIVE = [sql.lit('running'), sql.lit('committing')];

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
  async endLeases(isGone: (worker: string) => boolean): Promise<number> {
    const active = await this.#db.read((tx) =>
      tx.selectFrom('runs').select(['id', 'worker']).where('state', 'in', ACTIVE).execute(),
    );
    const gone = active.filter(({ worker }) => worker !== null && isGone(worker));
    // One at a time: whoever holds several rows at once may wait for another who does.
    for (const { id, worker } of gone)
      await this.#db.write((tx) =>
        tx
          .updateTable('runs')
          .set({ lease_until: later(now(), -1) })
          .where('id', '=', id)
          .where('worker', '=', worker)
          .where('state', 'in', ACTIVE)
          .execute(),
      );
    return gone.length;
  }

  silent(): Promise<Silent[]> {
    return this.#db.read(async (tx) => {
      const rows = await tx
        .selectFrom('runs')
        .select(['id', 'attempt', 'tenant_id', 'state'])
        .where('state', 'in', ACTIVE)
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

  /** Its process is gone: the queue again, or failed at last. False when it was heard of again, or another was quicker. */
  bury(claim: Claim): Promise<boolean> {
    return this.#db.write(async (tx) => {
      // Written, not only read: nobody renews the lease until this is over.
      await lockTenant(tx, claim.tenant);
      const { numUpdatedRows } = await tx
        .updateTable('runs')
        .set({ lease_until: null })
        .where('id', '=', claim.run)
        .where('attempt', '=', claim.attempt)
        .where('state', '=', 'running')
        .where('lease_until', '<', now())
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n && settleRun(tx, claim, { is: 'died' }, null);
    });
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

  /** Which of these stages somebody may still need: what an attempt left, the next one of the run uses. */
  async liveStages(stages: readonly { run: string; attempt: number }[]): Promise<Set<string>> {
    const live = new Set<string>();
    for await (const ids of portions(stages.map(({ run }) => run))) {
      const rows = await this.#db.read((tx) =>
        tx
          .selectFrom('runs')
          .select('id')
          .where('id', 'in', ids)
          .where('state', 'in', ['queued', 'running', 'committing'])
          .execute(),
      );
      const ending = new Set(rows.map(({ id }) => id));
      for (const { run, attempt } of stages) if (ending.has(run)) live.add(`${run}-${attempt}`);
    }
    return live;
  }

  /** Which of these runs have files that are kept. */
  async keptRuns(runs: readonly string[]): Promise<Set<string>> {
    const kept = new Set<string>();
    for await (const ids of portions(runs)) {
      const rows = await this.#db.read((tx) =>
        tx
          .selectFrom('files')
          .select('run_id')
          .distinct()
          .where('run_id', 'in', ids)
          .where('removed_at', 'is', null)
          .execute(),
      );
      for (const { run_id } of rows) kept.add(run_id);
    }
    return kept;
  }

  forgetIdempotency(): Promise<unknown> {
    return this.#db.write((tx) =>
      tx.deleteFrom('idempotency_keys').where('created_at', '<=', idempotencyHorizon()).execute(),
    );
  }
}

/** Neither database takes any number of values in a statement: SQLite 32,766, PostgreSQL 65,535. */
const PORTION = 1000;

/** Lets others have the event loop between two of them. */
async function* portions(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let at = 0; at < ids.length; at += PORTION) {
    yield ids.slice(at, at + PORTION);
    await setImmediate();
  }
}
