import { Fault } from '../base/errors.ts';
import { engineVersions } from './describe.ts';
import { countMatches, execute } from './execute.ts';
import type { Progress } from './execution.ts';
import type { LaneThreads } from './lane-threads.ts';
import { openLive } from './open.ts';
import { isOutdated } from './plan.ts';
import type { Done, PlanOrder } from './protocol.ts';

/** What a child carries a plan out with. */
export interface ChildGround {
  readonly signal: AbortSignal;
  readonly laneThreads: LaneThreads;
  report(progress: Progress): void;
}

/** Executes a plan, or counts its rows. */
export async function carryOutPlan(order: PlanOrder, { laneThreads, signal, report }: ChildGround): Promise<Done> {
  try {
    const { plan, access, stage } = order;
    // Other versions write other bytes; without an output, the plan is made anew.
    if (isOutdated(plan, engineVersions()))
      throw new Fault('source.changed', 'The service was upgraded after the run was planned.');
    const ask = { plan, stage, openLive: () => openLive(plan, access, signal), signal, report };
    if (order.order === 'count') return { report: 'counted', rows: await countMatches(ask) };
    return { report: 'executed', results: await execute({ ...ask, laneThreads, isResumable: order.isResumable }) };
  } finally {
    await laneThreads.endAhead();
  }
}
