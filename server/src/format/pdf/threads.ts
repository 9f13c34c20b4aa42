import { Worker } from 'node:worker_threads';
import { faultOf } from '../../base/errors.ts';
import type { Batch, BatchDocument, BatchResult } from './set-batch.ts';
import { ThreadEnd } from './unbroken.ts';

interface Waiting {
  resolve(documents: readonly BatchDocument[]): void;
  reject(error: unknown): void;
}

/** What a thread's heap may take beside its fonts; V8 collects earlier where it may take less. */
const LIMITS = { maxOldGenerationSizeMb: 160, maxYoungGenerationSizeMb: 8 };

/** A thread that makes documents. The process stays for it only while it has work. Dispose ends it at once. */
export class DocumentThread implements AsyncDisposable {
  readonly #end = new ThreadEnd();
  readonly #worker = new Worker(new URL('./thread.ts', import.meta.url), {
    resourceLimits: LIMITS,
    workerData: this.#end.workerData,
  });
  readonly #waiting: Waiting[] = [];
  #isAlive = true;

  constructor() {
    this.#worker.on('message', (result: BatchResult) => this.#hear(result));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`A thread that makes documents ended with ${code}.`)));
    this.#worker.unref();
  }

  /** False from when it ended or was told to. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Batches it has not answered. */
  get load(): number {
    return this.#waiting.length;
  }

  /** Rejects with what a row was refused for, or when the thread ends first. */
  set(batch: Batch): Promise<readonly BatchDocument[]> {
    return new Promise((resolve, reject) => {
      if (!this.#isAlive) throw new Error('The thread that makes documents has ended.');
      this.#worker.ref();
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(batch);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isAlive = false;
    await this.#end.end(this.#worker);
  }

  /** An answer comes for each batch, in the order they were sent. */
  #hear(result: BatchResult): void {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if ('documents' in result) first?.resolve(result.documents);
    else first?.reject(faultOf(result.fault));
  }

  #fail(error: unknown): void {
    this.#isAlive = false;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** Threads that make documents, each started when all others have work. Dispose ends them at once. */
export class DocumentThreads implements AsyncDisposable {
  readonly #max: number;
  readonly #threads: DocumentThread[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Batches worth having under way: each thread's own, and one that waits for it. */
  get room(): number {
    return 2 * this.#max;
  }

  set(batch: Batch): Promise<readonly BatchDocument[]> {
    return this.#idlest().set(batch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #idlest(): DocumentThread {
    const [first] = this.#threads.toSorted((a, b) => a.load - b.load);
    if (first && (first.load === 0 || this.#threads.length === this.#max)) return first;
    const thread = new DocumentThread();
    this.#threads.push(thread);
    return thread;
  }
}
