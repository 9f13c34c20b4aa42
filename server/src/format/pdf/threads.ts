import { Worker } from 'node:worker_threads';
import { faultOf } from '../../base/errors.ts';
import type { PdfOptions } from './options.ts';
import type { Batch, BatchDocument, BatchResult } from './set-batch.ts';

interface Waiting {
  resolve(documents: readonly BatchDocument[]): void;
  reject(error: unknown): void;
}

/** What a thread's heap may take beside its fonts; V8 collects earlier where it may take less. */
const LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };

/** Threads that make documents, batches dealt out in turn. Dispose ends them at once. */
export class DocumentThreads implements AsyncDisposable {
  readonly #threads: readonly { readonly worker: Worker; readonly waiting: Waiting[] }[];
  #next = 0;

  constructor(count: number, layout: PdfOptions) {
    this.#threads = Array.from({ length: count }, () => startThread(layout));
  }

  /** Batches worth having under way: each thread's own, and one that waits for it. */
  get room(): number {
    return 2 * this.#threads.length;
  }

  set(batch: Batch): Promise<readonly BatchDocument[]> {
    const thread = this.#threads[this.#next++ % this.#threads.length];
    if (!thread) throw new Error('There is no thread to make documents.');
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(batch);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function startThread(layout: PdfOptions): { worker: Worker; waiting: Waiting[] } {
  const waiting: Waiting[] = [];
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: layout,
    resourceLimits: LIMITS,
  });
  // An answer comes for each batch, in the order they were sent.
  worker.on('message', (result: BatchResult) => {
    const first = waiting.shift();
    if ('documents' in result) first?.resolve(result.documents);
    else first?.reject(faultOf(result.fault));
  });
  const fail = (error: unknown) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`A thread that makes documents ended with ${code}.`)));
  return { worker, waiting };
}
