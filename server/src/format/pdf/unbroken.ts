import { type Worker, workerData } from 'node:worker_threads';

/** What the one number says that a thread and its owner share. */
const FREE = 0;
const AT_WORK = 1;
/** The owner waits for the work to be done. */
const ENDING = 2;
/** The thread waits for its end. */
const READY = 3;

/**
 * Does what the end of this thread has to wait for: a compressor of Node that exists and is not yet set up
 * when its thread is terminated takes the whole process along (SIGABRT, "close before init").
 */
export function unbroken<Result>(work: () => Result): Result {
  const state = stateOfThread();
  if (state === null) return work();
  if (Atomics.compareExchange(state, 0, FREE, AT_WORK) !== FREE) awaitEnd(state);
  try {
    return work();
  } finally {
    if (Atomics.compareExchange(state, 0, AT_WORK, FREE) !== AT_WORK) awaitEnd(state);
  }
}

function stateOfThread(): Int32Array | null {
  const memory: unknown = workerData?.endMemory;
  return memory instanceof SharedArrayBuffer ? new Int32Array(memory) : null;
}

/** The owner terminates the thread meanwhile. */
function awaitEnd(state: Int32Array): void {
  setReady(state);
  Atomics.wait(state, 0, READY);
}

function setReady(state: Int32Array): void {
  Atomics.store(state, 0, READY);
  Atomics.notify(state, 0);
}

/** The owner's side: ends a thread that was started with `workerData`, outside of what it does unbroken. */
export class ThreadEnd {
  readonly workerData = { endMemory: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
  readonly #state = new Int32Array(this.workerData.endMemory);
  #ended: Promise<unknown> | null = null;

  /** Resolves when it has ended, which it may have by itself. */
  async end(worker: Worker): Promise<void> {
    this.#ended ??= this.#end(worker);
    await this.#ended;
  }

  async #end(worker: Worker): Promise<void> {
    // What is waited for keeps no process alive, the thread does.
    worker.ref();
    worker.once('exit', () => setReady(this.#state));
    const wasAtWork = Atomics.exchange(this.#state, 0, ENDING) === AT_WORK;
    if (wasAtWork && worker.threadId >= 0) await Atomics.waitAsync(this.#state, 0, ENDING).value;
    await worker.terminate();
  }
}
