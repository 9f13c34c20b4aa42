import { isDeepStrictEqual } from 'node:util';
import { Beside } from '../base/beside.ts';
import type { Lane, Segment } from './lanes.ts';
import type { Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import type { Written } from './write-rows.ts';

/** What a lane's engine is opened for. */
export interface LaneGround {
  readonly plan: Plan;
  readonly stage: string;
  /** For the engine alone; thread and engine hold some 45 MB beside it. */
  readonly memoryBytes: number;
  /** What a segment may hold in place of its file; 0 where it must have one. */
  readonly heldBytes: number;
}

/** Answered by what was written, and by null once the engine is open. */
export type LaneOrder = { readonly ground: LaneGround } | { readonly writing: Writing };

/**
 * A lane with a thread and an engine of its own, for segments that are made of rows in JavaScript. Its thread starts at
 * once, its engine opens when it is told for what. Dispose ends both.
 */
export class LaneBeside implements Lane, AsyncDisposable {
  /** One number that the thread keeps up to date: the share of the running segment that is done, below 0 when it cannot be told. */
  readonly #fraction = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  readonly #thread = new Beside<LaneOrder, Written | null>(
    new URL('./lane-thread.ts', import.meta.url),
    this.#fraction,
  );
  #ground: LaneGround | null = null;
  #opening: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | null = null;

  /** Does nothing where it is open for just that. Whatever goes wrong is met by whoever writes. */
  open(ground: LaneGround): void {
    if (isDeepStrictEqual(ground, this.#ground)) return;
    this.#ground = ground;
    this.#opening = this.#opening.catch(() => undefined).then(() => this.#thread.order({ ground }));
    this.#opening.catch(() => undefined);
  }

  /** When the signal fires, what is under way ends soon. */
  heed(signal: AbortSignal): void {
    if (signal.aborted) this.#thread.interrupt();
    else signal.addEventListener('abort', () => this.#thread.interrupt(), { once: true });
  }

  async write({ writing }: Segment): Promise<Written> {
    await this.#opening;
    const written = await this.#thread.order({ writing });
    if (written === null) throw new Error('A lane was told to write and did not.');
    return written;
  }

  fraction(): number | null {
    const [fraction = -1] = this.#fraction;
    return fraction < 0 ? null : fraction;
  }

  /** Ending thread and engine takes 25 ms, while others still work. Closing a database file would unlock it for them, too. */
  leave(): void {
    if (this.#ground?.plan.source.kind === 'table') return;
    this.#ended ??= this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    await this.#opening.catch(() => undefined);
    await this.#thread[Symbol.asyncDispose]();
  }
}
