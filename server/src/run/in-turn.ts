import { Fault } from '../base/errors.ts';

export interface Turns<Item, Lane, Result> {
  /** Works on an item. Several run at a time, one on each lane. */
  start(item: Item, lane: Lane): Promise<Result>;
  /** Takes a worked item up. Runs for one item at a time, in the order of the items. */
  finish(item: Item, result: Result): Promise<void>;
  /** Hears that a lane has nothing left to work on. */
  leave?(lane: Lane): void;
  /** Ends what is under way; called once, when the first work fails. */
  stop(): void;
  readonly signal: AbortSignal;
}

/** Lanes may be this many items ahead of the oldest unfinished one, each: bounds what waits on disk. */
const LEAD = 2;

/**
 * Works on the items side by side, one to a lane, and finishes them in order while the lanes go on. Settles
 * only when no work is under way any more; rejects with the first error. `start` is expected to fail by itself
 * when the signal fires.
 */
export async function inTurn<Item, Lane, Result>(
  items: readonly Item[],
  lanes: readonly Lane[],
  turns: Turns<Item, Lane, Result>,
): Promise<void> {
  const line = new Line(items.length, lanes.length * LEAD, turns.stop);
  const finishing: Promise<void>[] = [];
  const work = async (lane: Lane) => {
    for (let at = await line.take(); at !== null; at = await line.take()) {
      const item = items[at] as Item;
      if (turns.signal.aborted) throw new Fault('run.cancelled', 'The run was cancelled.');
      const result = await turns.start(item, lane);
      const finish = line.inOrder(at, () => turns.finish(item, result));
      finishing.push(finish.catch((error: unknown) => line.fail(error)));
    }
    turns.leave?.(lane);
  };
  await Promise.all(lanes.map((lane) => work(lane).catch((error: unknown) => line.fail(error))));
  await Promise.all(finishing);
  line.throwIfFailed();
}

/** Deals out indexes and lets what follows happen in their order. */
class Line {
  readonly #count: number;
  readonly #lead: number;
  readonly #stop: () => void;
  #next = 0;
  #finished = 0;
  #waiting: (() => void)[] = [];
  #hasFailed = false;
  #error: unknown;

  constructor(count: number, lead: number, stop: () => void) {
    this.#count = count;
    this.#lead = lead;
    this.#stop = stop;
  }

  /** The next index, once it is near enough to the oldest unfinished one; null when there is none left. */
  async take(): Promise<number | null> {
    const at = this.#next++;
    if (at >= this.#count) return null;
    await this.#until(() => at < this.#finished + this.#lead);
    return this.#hasFailed ? null : at;
  }

  async inOrder(at: number, act: () => Promise<void>): Promise<void> {
    await this.#until(() => at === this.#finished);
    if (this.#hasFailed) return;
    await act();
    this.#finished++;
    this.#wake();
  }

  fail(error: unknown): void {
    if (!this.#hasFailed) {
      this.#hasFailed = true;
      this.#error = error;
      this.#stop();
    }
    this.#wake();
  }

  throwIfFailed(): void {
    if (this.#hasFailed) throw this.#error;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#hasFailed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
