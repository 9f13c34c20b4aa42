import { Worker } from 'node:worker_threads';
import { faultOf } from '../../base/errors.ts';
import type { PdfOptions } from './options.ts';
import type { Batch, BatchDocument, BatchResult } from './set-batch.ts';

interface Waiting {
  resolve(documents: readonly BatchDocument[]): void;
  reject(error: unknown): void;
}

/** What a thread's heap may take beside its fonts; V8 collects earlier where it may take less. */
const LIMITS = { maxOldGenerationSizeMb: 160, maxYoungGenerationSizeMb: 8 };

interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
}

/** Threads that make documents, each started when all others have work. Dispose ends them at once. */
export class DocumentThreads implements AsyncDisposable {
  readonly #max: number;
  readonly #layout: PdfOptions;
  readonly #threads: Thread[] = [];

  constructor(max: number, layout: PdfOptions) {
    this.#max = max;
    this.#layout = layout;
  }

  /** Batches worth having under way: each thread's own, and one that waits for it. */
  get room(): number {
    return 2 * this.#max;
  }

  set(batch: Batch): Promise<readonly BatchDocument[]> {
    const thread = this.#idlest();
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve, reject });
      thread.worker.postMessage(batch);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Thread {
    const [first] = this.#threads.toSorted((a, b) => a.waiting.length - b.waiting.length);
    if (first && (first.waiting.length === 0 || this.#threads.length === this.#max)) return first;
    const thread = startThread(this.#layout);
    this.#threads.push(thread);
    return thread;
  }
}

function startThread(layout: PdfOptions): Thread {
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
