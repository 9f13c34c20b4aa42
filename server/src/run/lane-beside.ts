import { Beside } from './beside.ts';
import type { Lane, Segment } from './lanes.ts';
import type { Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';

/** What a lane's thread works with. */
export interface LaneGround {
  readonly plan: Plan;
  readonly stage: string;
  /** For the engine alone; thread and engine hold some 45 MB beside it. */
  readonly memoryBytes: number;
  /** One number that the thread keeps up to date: the share of the running segment that is done, below 0 when it cannot be told. */
  readonly fraction: SharedArrayBuffer;
}

/** A lane with a thread and an engine of its own, for segments that are made of rows in JavaScript. Dispose ends both. */
export class LaneBeside implements Lane, AsyncDisposable {
  readonly #thread: Beside<Writing, number>;
  readonly #fraction: Float64Array;

  /** When the signal fires, what is under way ends soon. */
  constructor(given: Omit<LaneGround, 'fraction'>, signal: AbortSignal) {
    const fraction = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
    this.#fraction = new Float64Array(fraction);
    const ground: LaneGround = { ...given, fraction };
    this.#thread = new Beside(new URL('./lane-thread.ts', import.meta.url), ground);
    if (signal.aborted) this.#thread.interrupt();
    else signal.addEventListener('abort', () => this.#thread.interrupt(), { once: true });
  }

  write({ writing }: Segment): Promise<number> {
    return this.#thread.order(writing);
  }

  fraction(): number | null {
    const [fraction = -1] = this.#fraction;
    return fraction < 0 ? null : fraction;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
