import { Beside } from './beside.ts';
import type { Limits, Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import type { Written } from './write-rows.ts';

/** What a lane's thread works with. */
export interface LaneGround {
  readonly plan: Plan;
  readonly stage: string;
  /** For the engine alone; thread and engine hold some 45 MB beside it. */
  readonly memoryBytes: number;
  /** What a segment may hold in place of its file; 0 where it must have one. */
  readonly heldBytes: number;
  /** One number that the thread keeps up to date: the share of the running segment that is done, below 0 when it cannot be told. */
  readonly fraction: SharedArrayBuffer;
}

/** A segment to be written. */
export interface LaneOrder {
  /** Comes with the first order, and with no other. */
  readonly ground: LaneGround | null;
  readonly writing: Writing;
}

export type LaneThread = Beside<LaneOrder, Written>;

/** More of them hold more memory than a faster export is worth. */
const MAX_BESIDE = 8;
/** Less does not hold what a segment is usually made of. */
const LANE_BYTES = 64 * 2 ** 20;

/** How many lanes may have a thread and an engine of their own; one has no use for them. */
export function mostBeside({ threads, memoryBytes }: Limits): number {
  const most = Math.min(threads, MAX_BESIDE, Math.floor(memoryBytes / LANE_BYTES));
  return most > 1 ? most : 0;
}

/** Threads of lanes. Some can be started while it is found out what is to be written: that saves some 100 ms. */
export class LaneThreads {
  readonly #ahead: LaneThread[] = [];

  startAhead(limits: Limits): void {
    while (this.#ahead.length < mostBeside(limits)) this.#ahead.push(start());
  }

  /** Whoever takes it ends it. */
  take(): LaneThread {
    return this.#ahead.shift() ?? start();
  }

  /** Ends those that nobody took. */
  async endAhead(): Promise<void> {
    await Promise.all(this.#ahead.splice(0).map((thread) => thread[Symbol.asyncDispose]()));
  }
}

function start(): LaneThread {
  return new Beside(new URL('./lane-thread.ts', import.meta.url), null);
}
