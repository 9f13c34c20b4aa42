import { Fault } from '../base/errors.ts';
import type { PdfOptions } from '../format/pdf/options.ts';
import type { Batch } from '../format/pdf/set-batch.ts';
import { DocumentThread } from '../format/pdf/threads.ts';
import { stopping, Turnstile } from './turnstile.ts';

/** A thread holds its fonts, and leaves the other core to whoever waits for something else. */
const AT_ONCE = 1;
const WAITING = 20;

/** From when a document has its turn: 280 pages took 9 s on a busy machine. */
const TIME_MS = 30_000;

/** After so long without use the thread ends: its fonts take more than a server at rest. */
const IDLE_MS = 60_000;

/** A thread that set a longer record ends: 2 MB of text left 150 MB of heap behind, fonts and words take 80. */
const MAX_KEPT_LENGTH = 256 * 1024;

const RETRY_AFTER_MS = 5000;

/** Sets single records as PDFs during a request, on one thread that is kept for the next. */
export class Documents implements AsyncDisposable {
  readonly #turnstile = new Turnstile({ inside: AT_ONCE, waiting: WAITING });
  #thread: DocumentThread | null = null;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * The document an export makes of the same record. Throws `value.refused`, and `source.busy` when it takes
   * too long or too many ask.
   */
  set(record: object, layout: PdfOptions): Promise<Uint8Array> {
    const lines = [JSON.stringify(record)];
    return this.#turnstile.pass(() => this.#setInTime({ lines, firstRow: 1, layout }));
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const left = this.#turnstile.close();
    clearTimeout(this.#idle);
    await this.#thread?.[Symbol.asyncDispose]();
    await left;
  }

  async #setInTime(batch: Batch): Promise<Uint8Array> {
    const thread = this.#take();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      void thread[Symbol.asyncDispose]();
    }, TIME_MS);
    try {
      const [document] = await thread.set(batch);
      if (!document) throw new Error('A record gave no document.');
      return document.bytes;
    } catch (error) {
      if (this.#isClosed) throw stopping();
      throw isLate ? tooLong(error) : error;
    } finally {
      clearTimeout(timer);
      if ((batch.lines[0]?.length ?? 0) > MAX_KEPT_LENGTH) await thread[Symbol.asyncDispose]();
      this.#rest();
    }
  }

  #take(): DocumentThread {
    clearTimeout(this.#idle);
    if (!this.#thread?.isAlive) this.#thread = new DocumentThread();
    return this.#thread;
  }

  #rest(): void {
    if (this.#isClosed) return;
    this.#idle = setTimeout(() => void this.#thread?.[Symbol.asyncDispose](), IDLE_MS).unref();
  }
}

function tooLong(cause: unknown): Fault {
  return new Fault('source.busy', 'Making that document took too long; try again.', {
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  });
}
