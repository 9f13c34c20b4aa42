import { Fault } from '../base/errors.ts';

interface Waiting {
  enter(): void;
  refuse(fault: Fault): void;
}

export interface Places {
  /** Who may be inside at a time. */
  readonly inside: number;
  /** Who may wait for that; one more is turned away. */
  readonly waiting: number;
}

/** Who is turned away is told to come back after this long. */
const RETRY_AFTER_MS = 1000;

/** Lets a few through at a time, in the order they came. */
export class Turnstile {
  readonly #places: Places;
  readonly #waiting: Waiting[] = [];
  #inside = 0;
  #isClosed = false;
  /** Called when the last one has left a closed turnstile. */
  #left: () => void = () => {};

  constructor(places: Places) {
    this.#places = places;
  }

  /** Acts once there is a place. Throws `source.busy` when too many wait, `maintenance` once closed. */
  async pass<T>(act: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await act();
    } finally {
      this.#leave();
    }
  }

  /** Turns everybody who waits away; resolves when nobody is inside any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(stopping());
    if (this.#inside > 0)
      await new Promise<void>((resolve) => {
        this.#left = resolve;
      });
  }

  async #enter(): Promise<void> {
    if (this.#isClosed) throw stopping();
    if (this.#inside < this.#places.inside) {
      this.#inside++;
      return;
    }
    if (this.#waiting.length >= this.#places.waiting)
      throw new Fault('source.busy', 'Too much is being looked up at the moment; try again.', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    await new Promise<void>((enter, refuse) => this.#waiting.push({ enter, refuse }));
  }

  /** The place goes straight to the next, so that nobody comes in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next.enter();
    else this.#inside--;
    if (this.#inside === 0) this.#left();
  }
}

/** What is said to who asks a server that stops. */
export function stopping(): Fault {
  return new Fault('maintenance', 'The server is stopping; try again in a moment.', { retryAfterMs: RETRY_AFTER_MS });
}
