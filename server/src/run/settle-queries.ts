import { later, now } from '../base/clock.ts';
import type { FaultRecord } from '../base/errors.ts';
import type { Tx } from '../db/db.ts';
import { storable } from '../db/text.ts';
import { insertNotices } from './notice-queries.ts';
import { type Ending, outcomeOf } from './outcome.ts';
import type { LogEntry } from './run.ts';
import { changeUse, lockTenant } from './use-queries.ts';

/** A run somebody works on, as of the attempt that is the current one. */
export interface Claim {
  readonly run: string;
  readonly attempt: number;
  readonly tenant: string;
}

export async function beginAttempt(tx: Tx, { run, attempt }: Claim, worker: string): Promise<void> {
  const at = now();
  const log: LogEntry[] = [{ at, attempt, event: 'claimed', text: `Attempt ${attempt} began.` }];
  await tx
    .insertInto('attempts')
    .values({ run_id: run, attempt, worker, started_at: at, log: JSON.stringify(log) })
    .execute();
}

/** The files are published: `committing` becomes `succeeded`. False when it was not committing. */
export async function finishRun(tx: Tx, claim: Claim): Promise<boolean> {
  const at = now();
  await lockTenant(tx, claim.tenant);
  const { numUpdatedRows } = await tx
    .updateTable('runs')
    .set({
      state: 'succeeded',
      finished_at: at,
      worker: null,
      lease_until: null,
      error_code: null,
      error_message: null,
    })
    .where('id', '=', claim.run)
    .where('attempt', '=', claim.attempt)
    .where('state', '=', 'committing')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return false;
  await changeUse(tx, claim.tenant, { activeRuns: -1 });
  await tx
    .updateTable('deliveries')
    .set({ state: 'delivered', attempts: 1, delivered_at: at })
    .where('run_id', '=', claim.run)
    .execute();
  await dropPlan(tx, claim);
  await insertNotices(tx, claim, at);
  await endAttempt(tx, claim, 'succeeded', null);
  return true;
}

/** Its hash stays in the manifest. */
async function dropPlan(tx: Tx, { run }: Claim): Promise<void> {
  await tx.updateTable('recipes').set({ plan: null }).where('run_id', '=', run).execute();
}

/** What becomes of a run whose attempt did not commit: the queue again, or failed. False when the attempt is not the current one any more. */
export async function settleRun(
  tx: Tx,
  claim: Claim,
  ending: Ending,
  log: readonly LogEntry[] | null,
): Promise<boolean> {
  const at = now();
  await lockTenant(tx, claim.tenant);
  const row = await tx
    .selectFrom('runs')
    .select(['failures', 'deaths'])
    .where('id', '=', claim.run)
    .where('attempt', '=', claim.attempt)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (!row) return false;
  const outcome = outcomeOf(row, ending, Math.random());
  const isOver = outcome.state === 'failed';
  await tx
    .updateTable('runs')
    .set({
      state: outcome.state,
      ...outcome.tries,
      due_at: outcome.state === 'queued' ? later(at, outcome.waitMs) : at,
      finished_at: isOver ? at : null,
      worker: null,
      lease_until: null,
      error_code: outcome.fault?.code ?? null,
      error_message: outcome.fault ? storable(outcome.fault.message) : null,
    })
    .where('id', '=', claim.run)
    .execute();
  // After source.changed the input the plan was made for is no more: the next attempt makes another.
  if (isOver || outcome.fault?.code === 'source.changed') await dropPlan(tx, claim);
  await changeUse(tx, claim.tenant, { activeRuns: -1, queuedRuns: isOver ? 0 : 1 });
  await endAttempt(tx, claim, ending.is, outcome.fault);
  if (log) await writeLog(tx, claim, log);
  return true;
}

async function endAttempt(tx: Tx, claim: Claim, ending: string, fault: FaultRecord | null): Promise<void> {
  await tx
    .updateTable('attempts')
    .set({
      ending,
      finished_at: now(),
      fault_code: fault?.code ?? null,
      fault_message: fault ? storable(fault.message) : null,
      fault_detail: fault?.detail === undefined ? null : storable(fault.detail),
    })
    .where('run_id', '=', claim.run)
    .where('attempt', '=', claim.attempt)
    .execute();
}

export function writeLog(tx: Tx, { run, attempt }: Claim, log: readonly LogEntry[]): Promise<unknown> {
  return tx
    .updateTable('attempts')
    .set({ log: JSON.stringify(log) })
    .where('run_id', '=', run)
    .where('attempt', '=', attempt)
    .execute();
}
