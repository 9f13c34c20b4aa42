/** A process of its own for the engine: a native crash or a full memory must not take the parent along. */
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, recordOf } from '../base/errors.ts';
import { destinations } from '../destination/destinations.ts';
import { describeSource, engineVersions } from './describe.ts';
import { countMatches, execute } from './execute.ts';
import type { Progress } from './execution.ts';
import { openLive } from './open.ts';
import { isOutdated } from './plan.ts';
import type { Order, Report } from './protocol.ts';

/** How long running statements get to end after an interrupt before the process goes anyway. */
const INTERRUPT_MS = 500;

let cancelling = new AbortController();
let stage: string | null = null;
let work: Promise<void> = Promise.resolve();

process.on('message', (order: Order) => {
  if (order.order === 'cancel') return cancelling.abort();
  work = carryOut(order);
});

// Both reach the whole process group; the parent decides what they mean.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => void leave());

async function carryOut(order: Exclude<Order, { order: 'cancel' }>): Promise<void> {
  cancelling = new AbortController();
  try {
    const done = order.order === 'describe' ? await describe(order) : await carryOutPlan(order);
    tell({ ...done, rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    tell({ report: 'failed', fault: recordOf(error) });
  }
}

type Done = DistributiveOmit<Extract<Report, { rssBytes: number }>, 'rssBytes'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

async function describe({ ask, limits }: Extract<Order, { order: 'describe' }>): Promise<Done> {
  return { report: 'described', ...(await describeSource(ask, limits)) };
}

async function carryOutPlan(order: Extract<Order, { order: 'execute' | 'count' }>): Promise<Done> {
  stage = order.order === 'execute' && order.recovers ? order.stage : null;
  const { plan, access } = order;
  const { signal } = cancelling;
  // Other versions write other bytes; without an output, the plan is made anew.
  if (isOutdated(plan, engineVersions()))
    throw new Fault('source.changed', 'The service was upgraded after the run was planned.');
  const ask = {
    plan,
    stage: order.stage,
    openLive: () => openLive(plan, access, signal),
    signal,
    report: (progress: Progress) => tell({ report: 'progress', progress }),
  };
  if (order.order === 'count') return { report: 'counted', rows: await countMatches(ask) };
  return { report: 'executed', results: await execute({ ...ask, isResumable: order.isResumable }) };
}

function tell(report: Report): void {
  if (process.connected) process.send?.(report);
}

/** The parent is gone: a committed export is published, anything else leaves nothing behind. */
async function leave(): Promise<void> {
  cancelling.abort();
  try {
    await Promise.race([work, wait(INTERRUPT_MS)]);
    if (stage !== null) await destinations.folder.recover(stage);
  } finally {
    // A native statement that does not end would keep the process; it has nothing left to say.
    process.kill(process.pid, 'SIGKILL');
  }
}
