import { Worker } from './worker.ts';

/** Memory an engine once took is not all given back, and a leak of ours must not add up. */
const MAX_USES = 50;

/** After so long without use all children but one end. */
const IDLE_MS = 60_000;

/** Child processes that are used again, one user at a time, and replaced when worn. */
export class Pool implements AsyncDisposable {
  readonly #threads: number;
  readonly #maxRssBytes: number;
  readonly #idle: Worker[] = [];
  readonly #uses = new WeakMap<Worker, number>();
  #isClosed = false;

  constructor(threads: number, maxRssBytes: number) {
    this.#threads = threads;
    this.#maxRssBytes = maxRssBytes;
  }

  /** Lends a child. It is used again unless `act` failed, or it has grown or was used often. */
  async use<T>(act: (worker: Worker) => Promise<T>): Promise<T> {
    const worker = this.#take();
    let isSound = false;
    try {
      const result = await act(worker);
      isSound = true;
      return result;
    } finally {
      await this.#giveBack(worker, isSound);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map((worker) => worker[Symbol.asyncDispose]()));
  }

  #take(): Worker {
    for (let worker = this.#idle.pop(); worker; worker = this.#idle.pop()) if (worker.isAlive) return worker;
    return new Worker(this.#threads);
  }

  /** An hour of rush must not hold its memory for a day. */
  #keep(worker: Worker): void {
    this.#idle.push(worker);
    setTimeout(() => {
      const at = this.#idle.indexOf(worker);
      if (at > 0) void this.#idle.splice(at, 1)[0]?.[Symbol.asyncDispose]();
    }, IDLE_MS).unref();
  }

  async #giveBack(worker: Worker, isSound: boolean): Promise<void> {
    const uses = (this.#uses.get(worker) ?? 0) + 1;
    this.#uses.set(worker, uses);
    const isWorn = uses >= MAX_USES || worker.rssBytes > this.#maxRssBytes;
    if (isSound && !isWorn && worker.isAlive && !this.#isClosed) this.#keep(worker);
    else await worker[Symbol.asyncDispose]();
  }
}
