import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fault, faultOf } from '../base/errors.ts';
import type { SourceOptions } from '../source/options.ts';
import type { DescribeAsk, SourceShape } from '../source/source.ts';
import type { OutputResult, Progress } from './execution.ts';
import type { EngineVersions, Limits, Plan } from './plan.ts';
import type { Order, Report } from './protocol.ts';

/** How long a child gets to answer a cancel before it is killed: cancel ends within a second. */
const CANCEL_GRACE_MS = 700;

/** How long a child gets to leave by itself, and how long its end is waited for. */
const LEAVE_MS = 3000;
const GIVE_UP_MS = 6000;

/** Three blocks being compressed, a read, a write and a sync. */
const POOL_THREADS = 6;

/**
 * A chunk of the engine's rows is garbage of some bytes to the young heap, and of half a megabyte to the machine:
 * collected seldom, hundreds of them wait (4 M rows of CSV, read on one thread: 329 instead of 241 MB).
 */
const FLAGS = [
  '--max-semi-space-size=2',
  // What a thread holds outside of its heap counts as the heap's growth: the collector would let 8 MB grow by 4, and
  // look through the heap once a segment (4 M rows of CSV with zstd: 19 times on three threads, now 6).
  '--heap-growing-percent=100',
];

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

interface Waiting {
  resolve(report: Report): void;
  reject(error: unknown): void;
  progress(progress: Progress): void;
}

interface Count {
  readonly plan: Plan;
  /** How the plan's source is reached. */
  readonly access: SourceOptions;
  /** For what has to land before it can be counted. */
  readonly stage: string;
  readonly signal: AbortSignal;
}

interface Execute extends Count {
  /** Whether an attempt after this one may use its segments. */
  readonly isResumable: boolean;
  /** Whether the child may end the stage by itself should this process die. */
  readonly recovers: boolean;
  progress(progress: Progress): void;
}

interface DescribedSource {
  readonly shape: SourceShape;
  readonly engine: EngineVersions;
}

/** A child process that describes sources and executes plans, one at a time. Dispose ends it. */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting: Waiting | null = null;

  /** `threads`: how many statements run at a time. */
  constructor(threads: number) {
    // glibc would give every thread an arena of its own, and keep what each once held.
    const cache = getCompileCacheDir();
    const env = {
      MALLOC_ARENA_MAX: '2',
      // A running statement takes a thread of Node's pool; compression, reads, writes and syncs want theirs beside it.
      UV_THREADPOOL_SIZE: String(threads + POOL_THREADS),
      TZ: 'UTC',
      ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }),
    };
    this.#child = fork(CHILD, {
      env,
      execArgv: [...process.execArgv, ...FLAGS],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#fail(
          new Fault('internal', 'The export process ended unexpectedly.', {
            cause: `exit code ${code}, signal ${signal}: ${this.#words}`,
          }),
        );
        resolve();
      });
      // A process that never began has no end.
      this.#child.once('error', () => this.#child.pid === undefined && resolve());
    });
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('message', (report: Report) => this.#hear(report));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-4000);
    });
  }

  /** The last words of the child, for the log. */
  #words = '';

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once the process is gone. */
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the process held in memory when it last finished something. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  #rssBytes = 0;

  /** `isForLanes`: CSV, JSON or XML will be written of it, as soon as it is described. */
  async describe(ask: DescribeAsk, limits: Limits, isForLanes = false): Promise<DescribedSource> {
    const report = await this.#order({ order: 'describe', ask, limits, isForLanes }, () => {});
    if (report.report === 'described') return report;
    throw outOfTurn();
  }

  /** Executes the plan in `stage`. When the signal fires it is cancelled, and the child gone, within a second. */
  async execute({ signal, progress, ...order }: Execute): Promise<readonly OutputResult[]> {
    const report = await this.#cancellable({ order: 'execute', ...order }, signal, progress);
    if (report.report === 'executed') return report.results;
    throw outOfTurn();
  }

  /** Counts the rows of the plan. It is cancelled as `execute` is. */
  async count({ signal, ...order }: Count): Promise<number> {
    const report = await this.#cancellable({ order: 'count', ...order }, signal);
    if (report.report === 'counted') return report.rows;
    throw outOfTurn();
  }

  async #cancellable(order: Order, signal: AbortSignal, progress = (_: Progress) => {}): Promise<Report> {
    let timer: NodeJS.Timeout | undefined;
    const cancel = () => {
      this.#send({ order: 'cancel' });
      timer = setTimeout(() => this.#kill(), CANCEL_GRACE_MS);
    };
    if (signal.aborted) throw cancelled();
    signal.addEventListener('abort', cancel);
    try {
      return await this.#order(order, progress);
    } catch (error) {
      throw signal.aborted ? cancelled() : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Ends the process when the signal fires, until disposed: for work that cannot be cancelled. */
  endOn(signal: AbortSignal): Disposable {
    const end = () => this.#kill();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    return { [Symbol.dispose]: () => signal.removeEventListener('abort', end) };
  }

  /** Its work has failed soon after, whether the process could be ended or not. */
  #kill(): void {
    this.#child.kill('SIGKILL');
    setTimeout(() => this.#fail(new Fault('internal', 'The export process does not end.')), LEAVE_MS).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS);
    // Not even SIGKILL ends a process that waits for a dead mount; nobody shall wait with it.
    await Promise.race([this.#ended, wait(GIVE_UP_MS, undefined, { ref: false })]);
    clearTimeout(kill);
  }

  #order(order: Order, progress: (progress: Progress) => void): Promise<Report> {
    if (this.#waiting) throw new Error('The worker is busy.');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, progress };
      this.#send(order);
    });
  }

  /** Who cannot be told anything is gone or has to go; its end says why. */
  #send(order: Order): void {
    this.#child.send(order, (error) => {
      if (!error) return;
      if (this.isAlive) this.#child.kill('SIGKILL');
      else this.#fail(error);
    });
  }

  #hear(report: Report): void {
    const waiting = this.#waiting;
    if (report.report === 'progress') {
      waiting?.progress(report.progress);
      return;
    }
    this.#waiting = null;
    if (report.report !== 'failed') this.#rssBytes = report.rssBytes;
    if (report.report === 'failed') waiting?.reject(faultOf(report.fault));
    else waiting?.resolve(report);
  }

  #fail(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }
}

function outOfTurn(): Fault {
  return new Fault('internal', 'The export process answered out of turn.');
}

function cancelled(): Fault {
  return new Fault('run.cancelled', 'The run was cancelled.');
}
