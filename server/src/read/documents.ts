import type { PdfOptions } from '../format/pdf/options.ts';
import { DocumentThreads } from '../format/pdf/threads.ts';
import { Turnstile } from './turnstile.ts';

/** A thread holds its fonts, and leaves the other core to whoever waits for something else. */
const AT_ONCE = 1;
const WAITING = 20;

/** Sets single records as PDFs during a request, on a thread that lives as long as that takes. */
export class Documents {
  readonly #turnstile = new Turnstile({ inside: AT_ONCE, waiting: WAITING });

  /** The document an export makes of the same record. Throws `value.refused`, and `source.busy` when too many ask. */
  set(record: object, layout: PdfOptions): Promise<Uint8Array> {
    const line = JSON.stringify(record);
    return this.#turnstile.pass(async () => {
      await using threads = new DocumentThreads(1, layout);
      const [document] = await threads.set({ lines: [line], firstRow: 1 });
      if (!document) throw new Error('A record gave no document.');
      return document.bytes;
    });
  }
}
