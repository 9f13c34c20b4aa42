import type { LaneGround, LaneThread } from './lane-threads.ts';
import type { Lane, Segment } from './lanes.ts';
import type { Written } from './write-rows.ts';

/** A lane with a thread and an engine of its own, for segments that are made of rows in JavaScript. Dispose ends both. */
export class LaneBeside implements Lane, AsyncDisposable {
  readonly #thread: LaneThread;
  readonly #fraction: Float64Array;
  /** Until the thread has it. */
  #ground: LaneGround | null;

  /** When the signal fires, what is under way ends soon. */
  constructor(thread: LaneThread, given: Omit<LaneGround, 'fraction'>, signal: AbortSignal) {
    const fraction = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
    this.#thread = thread;
    this.#fraction = new Float64Array(fraction);
    this.#ground = { ...given, fraction };
    if (signal.aborted) thread.interrupt();
    else signal.addEventListener('abort', () => thread.interrupt(), { once: true });
  }

  write({ writing }: Segment): Promise<Written> {
    const ground = this.#ground;
    this.#ground = null;
    return this.#thread.order({ ground, writing });
  }

  fraction(): number | null {
    const [fraction = -1] = this.#fraction;
    return fraction < 0 ? null : fraction;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
