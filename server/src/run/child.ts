/** A process of its own for the engine: a native crash or a full memory must not take the parent along. */
import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { recordOf } from '../base/errors.ts';
import { destinations } from '../destination/destinations.ts';
import { describeSource } from './describe.ts';
import { LaneThreads } from './lane-threads.ts';
import type { Done, Order, PlanOrder, Report } from './protocol.ts';

/** How long running statements get to end after an interrupt before the process goes anyway. */
const INTERRUPT_MS = 500;

/** So large an input is written by several lanes. */
const AHEAD_BYTES = 32 * 2 ** 20;

const laneThreads = new LaneThreads();
let cancelling = new AbortController();
let stage: string | null = null;
let work: Promise<void> = Promise.resolve();

process.on('message', (order: Order) => {
  if (order.order === 'cancel') return cancelling.abort();
  const carrying = carryOut(order);
  // A description leaves nothing behind: nobody needs to wait for it.
  work = order.order === 'describe' ? Promise.resolve() : carrying;
});

// Both reach the whole process group; the parent decides what they mean.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => void leave());

async function carryOut(order: Exclude<Order, { order: 'cancel' }>): Promise<void> {
  cancelling = new AbortController();
  try {
    const done = order.order === 'describe' ? await describe(order) : await execute(order);
    tell({ ...done, rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    tell({ report: 'failed', fault: recordOf(error) });
  }
}

async function describe({ ask, limits, isForLanes }: Extract<Order, { order: 'describe' }>): Promise<Done> {
  const opening = (paths: readonly string[]) => {
    // What comes next is loaded while the engine opens, which is about to begin.
    setImmediate(() => import('./child-run.ts').catch(() => undefined));
    if (isForLanes && isLarge(paths)) laneThreads.startAhead(limits);
  };
  return { report: 'described', ...(await describeSource(ask, limits, opening)) };
}

/** Whether these are Parquet files that several lanes will write. */
function isLarge(paths: readonly string[]): boolean {
  if (!paths.every((path) => /\.parquet$/i.test(path))) return false;
  try {
    return paths.reduce((sum, path) => sum + statSync(path).size, 0) >= AHEAD_BYTES;
  } catch {
    // Whoever opens them says what is wrong.
    return false;
  }
}

async function execute(order: PlanOrder): Promise<Done> {
  stage = order.order === 'execute' && order.recovers ? order.stage : null;
  const { signal } = cancelling;
  const { carryOutPlan } = await import('./child-run.ts');
  return carryOutPlan(order, { signal, laneThreads, report: (progress) => tell({ report: 'progress', progress }) });
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
