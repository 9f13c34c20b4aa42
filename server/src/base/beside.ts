import { parentPort, Worker } from 'node:worker_threads';
import { Fault, type FaultRecord, faultOf, recordOf } from './errors.ts';

type Message<Order> = { readonly is: 'order'; readonly order: Order } | { readonly is: 'interrupt' | 'end' };

type Answer<Done> =
  | { readonly is: 'done'; readonly done: Done }
  | { readonly is: 'fault'; readonly fault: FaultRecord }
  /** Errors of the system keep their code, by which a full disk is known. */
  | { readonly is: 'error'; readonly text: string; readonly code: unknown };

/** What a thread's heap may take; what it reads and writes stands outside of it. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/** A thread of its own that carries out one order at a time. Dispose ends it once the order under way has ended. */
export class Beside<Order, Done> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #answer: PromiseWithResolvers<Done> | null = null;
  #error: unknown = null;

  /** `file` calls `obey`; `workerData` is what it finds there. */
  constructor(file: URL, workerData: unknown) {
    this.#worker = new Worker(file, { workerData, resourceLimits: LIMITS });
    this.#worker.on('message', (answer: Answer<Done>) => this.#hear(answer));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#lose(new Error(`A thread ended with ${code}.`));
        resolve();
      });
    });
  }

  async order(order: Order): Promise<Done> {
    if (this.#error !== null) throw this.#error;
    this.#answer = Promise.withResolvers();
    this.#post({ is: 'order', order });
    return await this.#answer.promise;
  }

  /** Asks the order under way to end soon; what then becomes of it is its own matter. */
  interrupt(): void {
    if (this.#error === null) this.#post({ is: 'interrupt' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answer?.promise.catch(() => null);
    if (this.#error === null) this.#post({ is: 'end' });
    await this.#ended;
  }

  #post(message: Message<Order>): void {
    this.#worker.postMessage(message);
  }

  #hear(answer: Answer<Done>): void {
    if (answer.is === 'done') this.#answer?.resolve(answer.done);
    else if (answer.is === 'fault') this.#answer?.reject(faultOf(answer.fault));
    else this.#answer?.reject(Object.assign(new Error(answer.text), { code: answer.code }));
  }

  #lose(error: unknown): void {
    this.#error ??= error;
    this.#answer?.reject(error);
  }
}

/** What a thread does. */
interface Hands<Order, Done> extends AsyncDisposable {
  carryOut(order: Order): Promise<Done>;
  /** Memory that goes along with what is done; all else is copied. */
  along?(done: Done): ArrayBuffer[];
  interrupt?(): void;
}

/** Carries out what the thread's `Beside` orders, until it is disposed. */
export function obey<Order, Done>(hands: Hands<Order, Done>): void {
  parentPort?.on('message', async (message: Message<Order>) => {
    if (message.is === 'order') tell(await answerOf(hands, message.order), hands);
    else if (message.is === 'interrupt') hands.interrupt?.();
    else await end(hands);
  });
}

function tell<Order, Done>(answer: Answer<Done>, { along }: Hands<Order, Done>): void {
  parentPort?.postMessage(answer, answer.is === 'done' ? along?.(answer.done) : []);
}

async function end(hands: AsyncDisposable): Promise<void> {
  try {
    await hands[Symbol.asyncDispose]();
  } finally {
    parentPort?.close();
  }
}

async function answerOf<Order, Done>(hands: Hands<Order, Done>, order: Order): Promise<Answer<Done>> {
  try {
    return { is: 'done', done: await hands.carryOut(order) };
  } catch (error) {
    if (error instanceof Fault || !(error instanceof Error)) return { is: 'fault', fault: recordOf(error) };
    const code = 'code' in error ? error.code : undefined;
    return { is: 'error', text: error.stack ?? error.message, code };
  }
}
