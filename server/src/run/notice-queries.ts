import { sql } from 'kysely';
import { later, now } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Db, Tx } from '../db/db.ts';
import type { Ask } from '../job/ask.ts';
import type { Job } from '../job/job.ts';
import { findJob } from '../job/queries.ts';
import { readRun } from './read-run.ts';
import type { Run } from './run.ts';
import type { Claim } from './settle-queries.ts';

/** Spelt out, as SQLite does not use a partial index for values it is given later. */
const PENDING = sql.lit('pending');

/** Longer than a mail may take: until it is over nobody else sends the notice. */
const FIRST_WAIT_MS = 30_000;

/** How often a notice is tried. */
export const NOTICE_ATTEMPTS = 5;

/** A notice somebody has in hand. */
export interface TakenNotice {
  readonly id: string;
  readonly address: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Null when it was deleted since. */
  readonly job: Job | null;
  readonly run: Run;
}

/** A notice for each address that the job's ask names. */
export async function insertNotices(tx: Tx, { run, tenant }: Claim, at: string): Promise<void> {
  const job = tx.selectFrom('runs').select('job_id').where('id', '=', run);
  const row = await tx.selectFrom('jobs').select('ask').where('id', '=', job).executeTakeFirstOrThrow();
  const { notify = [] }: Ask = JSON.parse(row.ask);
  if (notify.length === 0) return;
  const notices = Array.from(new Set(notify), (address) => ({
    id: newId('notice', at),
    run_id: run,
    tenant_id: tenant,
    address,
    state: 'pending',
    attempts: 0,
    due_at: at,
  }));
  await tx.insertInto('notices').values(notices).execute();
}

/** Who is still to be told that a run succeeded. */
export class Notices {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Ids of those that are due, oldest first. */
  due(limit: number): Promise<string[]> {
    return this.#db.read(async (tx) => {
      const rows = await tx
        .selectFrom('notices')
        .select('id')
        .where('state', '=', PENDING)
        .where('due_at', '<=', now())
        .orderBy('due_at')
        .limit(limit)
        .execute();
      return rows.map(({ id }) => id);
    });
  }

  /** Takes a due notice in hand until its next attempt is due; null when another was quicker. */
  take(id: string): Promise<TakenNotice | null> {
    return this.#db.write(async (tx) => {
      const at = now();
      const query = tx.selectFrom('notices').selectAll().where('id', '=', id);
      const row = await query.where('state', '=', PENDING).where('due_at', '<=', at).executeTakeFirst();
      if (!row) return null;
      const attempt = row.attempts + 1;
      const waitMs = FIRST_WAIT_MS * 2 ** (Math.min(attempt, NOTICE_ATTEMPTS) - 1);
      const { numUpdatedRows } = await tx
        .updateTable('notices')
        .set({ attempts: attempt, due_at: later(at, waitMs) })
        .where('id', '=', id)
        .where('state', '=', PENDING)
        .where('attempts', '=', row.attempts)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) return null;
      const run = await findRun(tx, row.run_id);
      return { id, address: row.address, attempt, run, job: await findJob(tx, run.jobId, [row.tenant_id]) };
    });
  }

  async markSent({ id }: TakenNotice): Promise<void> {
    await this.#change(id, { state: 'sent', sent_at: now(), error: null });
  }

  /** Why it was not sent this time. It is due again when its wait is over. */
  async noteFailure({ id }: TakenNotice, error: string): Promise<void> {
    await this.#change(id, { error });
  }

  async markFailed({ id }: TakenNotice, error: string): Promise<void> {
    await this.#change(id, { state: 'failed', error });
  }

  #change(id: string, values: { state?: string; sent_at?: string; error: string | null }): Promise<unknown> {
    return this.#db.write((tx) =>
      tx.updateTable('notices').set(values).where('id', '=', id).where('state', '=', PENDING).execute(),
    );
  }
}

async function findRun(tx: Tx, id: string): Promise<Run> {
  const row = await tx.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const files = await tx
    .selectFrom('files')
    .selectAll()
    .where('run_id', '=', id)
    .orderBy('position')
    .orderBy('id')
    .execute();
  return readRun(row, files);
}
