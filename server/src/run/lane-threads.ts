import { LaneBeside, type LaneGround } from './lane-beside.ts';
import type { Limits } from './plan.ts';

/** More of them hold more memory than a faster export is worth. */
const MAX_BESIDE = 8;
/** Less does not hold what a segment is usually made of. */
const LANE_BYTES = 48 * 2 ** 20;

/** How many lanes may have a thread and an engine of their own; one has no use for them. */
export function mostBeside({ threads, memoryBytes }: Limits): number {
  const most = Math.min(threads, MAX_BESIDE, Math.floor(memoryBytes / LANE_BYTES));
  return most > 1 ? most : 0;
}

/** Threads of lanes. Some can be started while it is found out what is to be written: that saves some 100 ms. */
export class LaneThreads {
  readonly #ahead: LaneBeside[] = [];

  startAhead(limits: Limits): void {
    while (this.#ahead.length < mostBeside(limits)) this.#ahead.push(new LaneBeside());
  }

  /** So many of those that were started open their engines, which take 25 ms of a processor each. */
  openAhead(count: number, ground: LaneGround): void {
    for (const lane of this.#ahead.slice(0, count)) lane.open(ground);
  }

  /** One that may be open already. Whoever takes it ends it. */
  take(): LaneBeside {
    return this.#ahead.shift() ?? new LaneBeside();
  }

  /** Ends those that nobody took. */
  async endAhead(): Promise<void> {
    await Promise.all(this.#ahead.splice(0).map((lane) => lane[Symbol.asyncDispose]()));
  }
}
