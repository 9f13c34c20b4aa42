import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import canonicalize from 'canonicalize';
import { LRUCache } from 'lru-cache';
import { now, ticks } from '../base/clock.ts';
import { Fault, recordOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { ISO } from '../column/instant.ts';
import type { Scope } from '../dataset/dataset.ts';
import type { AskedColumn } from '../dataset/query.ts';
import type { WindowAsk } from '../dataset/window.ts';
import type { Catalog } from '../run/catalog.ts';
import { filesFolder } from '../run/execution.ts';
import { checkAsk, type Limits, makePlan, type OutputAsk, type Plan, type PlanAsk } from '../run/plan.ts';
import { Pool } from '../run/pool.ts';
import type { Worker } from '../run/worker.ts';
import { Descriptions } from './descriptions.ts';
import { type Row, readRows } from './read-rows.ts';
import { stopping, Turnstile } from './turnstile.ts';

/** A small question of one dataset. */
export interface ReadAsk {
  readonly dataset: string;
  readonly scope: Scope;
  /** Left out, all rows. */
  readonly window?: WindowAsk;
  /** The filter tree as JSON; checked against the dataset's columns. */
  readonly filter?: unknown;
  readonly columns?: readonly AskedColumn[];
  readonly distinct?: boolean;
  /** Column names, `-` before one for descending; the dataset's key completes it. */
  readonly order?: readonly string[];
  /** Rows at most, 10 000 and no more. */
  readonly limit: number;
}

/** What rows of one dataset are to be counted. */
export type CountAsk = Pick<ReadAsk, 'dataset' | 'scope' | 'window' | 'filter'>;

export interface ReadsGround {
  readonly catalog: Catalog;
  /** Nobody else's while this lives: what a crash left below `reads` is removed. */
  readonly dataFolder: string;
  /** What a single read may hold in memory. */
  readonly memoryBytes: number;
  readonly log: Log;
  /** What tests make small. */
  readonly caps?: Partial<Caps>;
}

interface Caps {
  /** Of the answer as JSON. */
  readonly bytes: number;
  /** From when a read has its turn. */
  readonly timeMs: number;
  /** How many wait for their turn. */
  readonly waiting: number;
}

const CAPS: Caps = { bytes: 4 * 1024 * 1024, timeMs: 10_000, waiting: 100 };
const MAX_ROWS = 10_000;

/** Two keep both cores of a small machine busy; more would take them from the runs. */
const AT_ONCE = 2;

const REMEMBERED_ANSWERS = 1000;
const REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Who asked for too long a read is told to come back after this long: the source has had time to get less busy. */
const RETRY_AFTER_MS = 5000;

/** NaN and infinities are null: a lookup shall not fail for a value JSON has no number for. */
const OUTPUT: OutputAsk = {
  format: { type: 'jsonl', instants: ISO, nested: 'structure', bigIntegers: 'number', nonFinite: 'null' },
  compression: { type: 'none' },
};

interface Question extends Pick<ReadAsk, 'dataset' | 'scope'> {
  readonly planAsk: PlanAsk;
}

type Order = Parameters<Worker['count']>[0];
/** Gives null for an answer of too many bytes. */
type Act<T> = (worker: Worker, order: Order) => Promise<T | null>;

interface Acting<T> {
  readonly act: Act<T>;
  readonly signal: AbortSignal;
}

/** Rows and the bytes they had as JSON. */
interface Answer {
  readonly rows: readonly Row[];
  readonly bytes: number;
}

/**
 * Small bounded reads during a request, the way runs read: plan, child process, values as the formats
 * write them. The processes are its own, so that nothing waits for an export.
 */
export class Reads implements AsyncDisposable {
  readonly #ground: ReadsGround;
  readonly #limits: Limits;
  readonly #caps: Caps;
  readonly #folder: string;
  readonly #pool: Pool;
  readonly #turnstile: Turnstile;
  readonly #descriptions: Descriptions;
  readonly #closing = new AbortController();
  readonly #answers: LRUCache<string, Answer, ReadAsk>;
  readonly #swept: Promise<void>;

  constructor(ground: ReadsGround) {
    const { memoryBytes, catalog, dataFolder } = ground;
    this.#ground = ground;
    // A limited query is read by one thread whatever there is; a database then serves one connection.
    this.#limits = { threads: 1, memoryBytes };
    this.#caps = { ...CAPS, ...ground.caps };
    this.#folder = resolve(dataFolder, 'reads');
    this.#pool = new Pool(this.#limits.threads, memoryBytes);
    this.#turnstile = new Turnstile({ inside: AT_ONCE, waiting: this.#caps.waiting });
    this.#descriptions = new Descriptions(catalog);
    this.#answers = new LRUCache<string, Answer, ReadAsk>({
      max: REMEMBERED_ANSWERS,
      maxSize: REMEMBERED_BYTES,
      sizeCalculation: ({ bytes }, key) => bytes + key.length,
      fetchMethod: (_key, _stale, { context }) => this.#answer(context),
      // Who waits for an answer gets it, even where no room is left to remember it.
      ignoreFetchAbort: true,
      perf: { now: ticks },
    });
    this.#swept = this.#sweep();
  }

  /**
   * The rows, their values as JSON has them: instants as ISO 8601 text, NULL as null, JSON columns
   * parsed; see `readRows` for large numbers. Throws `request.invalid` for what cannot be asked,
   * `source.refused` for what has too many bytes or takes too much memory, `source.busy` for what takes too long or
   * when too many ask.
   */
  async read(ask: ReadAsk): Promise<readonly Row[]> {
    this.#check(ask);
    return (await this.#answer(ask)).rows;
  }

  /** How many rows there are, however many: counting moves none of them. Throws what `read` throws. */
  async count(ask: CountAsk): Promise<number> {
    const { dataset, scope } = ask;
    const planAsk = countPlanOf(ask, this.#ground.catalog.dataset(dataset).key);
    checkAsk(planAsk, { dataset: this.#ground.catalog.dataset(dataset), scope, now: now() });
    return this.#bounded({ dataset, scope, planAsk }, (worker, order) => worker.count(order));
  }

  /** The same, or what was answered up to `forMs` ago. Equal questions at a time are one. Failures are not remembered. */
  async remembered({ forMs, ...ask }: ReadAsk & { readonly forMs: number }): Promise<readonly Row[]> {
    this.#check(ask);
    const key = canonicalize({ ...ask, forMs }) ?? '';
    return (await this.#answers.forceFetch(key, { context: ask, ttl: forMs })).rows;
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#turnstile.close();
    await this.#pool[Symbol.asyncDispose]();
    await this.#swept;
  }

  /** Before anything is waited for, remembered, or a child bothered. */
  #check(ask: ReadAsk): void {
    if (ask.limit > MAX_ROWS) throw new Error(`A read is of ${MAX_ROWS} rows at most, not ${ask.limit}.`);
    checkAsk(planAskOf(ask), { dataset: this.#ground.catalog.dataset(ask.dataset), scope: ask.scope, now: now() });
  }

  async #answer(ask: ReadAsk): Promise<Answer> {
    const question = { ...ask, planAsk: planAskOf(ask) };
    return this.#bounded(question, (worker, order) => this.#execute(worker, order));
  }

  async #bounded<T>(question: Question, act: Act<T>): Promise<T> {
    await this.#swept;
    return this.#turnstile.pass(() => this.#inTime(question, act));
  }

  async #inTime<T>(question: Question, act: Act<T>): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#caps.timeMs);
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    try {
      const answer = await this.#pool.use((worker) => this.#answerBy(worker, question, { act, signal }));
      if (answer === null) throw tooMuch(this.#caps.bytes);
      return answer;
    } catch (error) {
      const { code, message, detail } = recordOf(error);
      this.#ground.log.warn(
        { dataset: question.dataset, code, message, detail, isLate: late.signal.aborted },
        'read failed',
      );
      if (this.#closing.signal.aborted) throw stopping();
      if (code === 'run.memory') throw tooDear(error);
      throw late.signal.aborted ? tooLong(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A source that is not as it was described any more is described anew, once. */
  async #answerBy<T>(worker: Worker, question: Question, { act, signal }: Acting<T>): Promise<T | null> {
    const { plan, isKept } = await this.#plan(worker, question, signal);
    try {
      return await this.#staged(plan, signal, (order) => act(worker, order));
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'source.changed') throw error;
      this.#descriptions.forget(question.dataset);
      if (!isKept) throw error;
    }
    const { plan: again } = await this.#plan(worker, question, signal);
    return this.#staged(again, signal, (order) => act(worker, order));
  }

  async #plan(worker: Worker, { dataset, scope, planAsk }: Question, signal: AbortSignal) {
    // A source may never answer; then only the end of the process ends the wait.
    using _ = worker.endOn(signal);
    const { described, isKept } = await this.#descriptions.describe(dataset, worker);
    const ground = { ...described, scope, limits: this.#limits, now: now(), fileStem: 'rows' };
    return { plan: makePlan(planAsk, ground), isKept };
  }

  async #staged<T>(plan: Plan, signal: AbortSignal, act: (order: Order) => Promise<T>): Promise<T> {
    const stage = join(this.#folder, randomUUID());
    await mkdir(stage, { recursive: true, mode: 0o700 });
    try {
      return await act({ plan, access: this.#ground.catalog.access(plan.dataset), stage, signal });
    } finally {
      await rm(stage, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Null: too many bytes. */
  async #execute(worker: Worker, { signal, ...order }: Order): Promise<Answer | null> {
    const full = new AbortController();
    try {
      const [result] = await worker.execute({
        ...order,
        isResumable: false,
        recovers: false,
        signal: AbortSignal.any([signal, full.signal]),
        progress: ({ bytes }) => bytes > this.#caps.bytes && full.abort(),
      });
      const [file] = result?.files ?? [];
      if (!file) throw new Error('A read made no file.');
      if (file.bytes > this.#caps.bytes) return null;
      return { rows: await readRows(join(filesFolder(order.stage), file.path)), bytes: file.bytes };
    } catch (error) {
      if (full.signal.aborted && !signal.aborted) return null;
      throw error;
    }
  }

  /** What a crash left. A disk that cannot be cleared is no reason to answer nothing. */
  async #sweep(): Promise<void> {
    try {
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      this.#ground.log.error({ err: error }, 'reads not swept');
    }
  }
}

function planAskOf({ window, filter, columns, distinct, order, limit }: ReadAsk): PlanAsk {
  return { filter, columns, distinct, order, limit, outputs: [OUTPUT], ...(window && { window }) };
}

/** Of the key's columns: to count rows the others need not be read. */
function countPlanOf({ window, filter }: CountAsk, key: readonly string[]): PlanAsk {
  return { filter, outputs: [OUTPUT], ...(window && { window }), ...(key.length > 0 && { columns: key }) };
}

function tooMuch(bytes: number): Fault {
  return new Fault(
    'source.refused',
    `That is too much to look up: the answer has more than ${bytes} bytes; ask for fewer rows or columns.`,
  );
}

function tooDear(cause: unknown): Fault {
  const message = 'Looking that up takes more memory than it is allowed; ask for fewer rows or columns.';
  return new Fault('source.refused', message, { cause });
}

function tooLong(cause: unknown): Fault {
  return new Fault('source.busy', 'Looking that up took too long; try again.', {
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  });
}
