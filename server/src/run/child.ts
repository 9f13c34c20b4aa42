/** A process of its own for the engine: a native crash or a full memory must not take the parent along. */
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, recordOf } from '../base/errors.ts';
import { destinations } from '../destination/destinations.ts';
import { describeSource, engineVersions } from './describe.ts';
import { execute } from './execute.ts';
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
    if (order.order === 'describe') {
      tell({
        report: 'described',
        ...(await describeSource(order.ask, order.limits)),
        rssBytes: process.memoryUsage.rss(),
      });
    } else {
      stage = order.recovers ? order.stage : null;
      const { plan, access } = order;
      // Other versions write other bytes; without an output, the plan is made anew.
      if (isOutdated(plan, engineVersions()))
        throw new Fault('source.changed', 'The service was upgraded after the run was planned.');
      const results = await execute({
        plan,
        stage: order.stage,
        openLive: () => openLive(plan, access, cancelling.signal),
        isResumable: order.isResumable,
        signal: cancelling.signal,
        report: (progress) => tell({ report: 'progress', progress }),
      });
      tell({ report: 'executed', results, rssBytes: process.memoryUsage.rss() });
    }
  } catch (error) {
    tell({ report: 'failed', fault: recordOf(error) });
  }
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
