import { Worker } from 'node:worker_threads';
import { Fault, type FaultRecord, faultOf, recordOf } from '../base/errors.ts';
import type { FileResult } from './execution.ts';
import type { OutputGround, WholeSegment } from './output-files.ts';
import type { PlannedOutput } from './plan.ts';

/** What the thread of an output's files is told, one order at a time. */
export type JoinOrder =
  | { readonly order: 'append'; readonly segment: WholeSegment }
  | { readonly order: 'finish' }
  | { readonly order: 'dispose' };

/** What it tells back, once for each order. */
export type JoinReport =
  | {
      readonly report: 'done';
      readonly rows: number;
      readonly bytes: number;
      readonly finished: readonly FileResult[];
    }
  | { readonly report: 'fault'; readonly fault: FaultRecord }
  /** Errors of the system keep their code, by which a full disk is known. */
  | { readonly report: 'error'; readonly text: string; readonly code: unknown };

export function reportOf(error: unknown): JoinReport {
  if (error instanceof Fault || !(error instanceof Error)) return { report: 'fault', fault: recordOf(error) };
  return { report: 'error', text: error.stack ?? error.message, code: 'code' in error ? error.code : undefined };
}

/** What its heap may take; what it reads and writes stands outside of it. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** The files of one output, joined on a thread beside (`output-files.ts` says what each call means). */
export class FilesBeside implements AsyncDisposable {
  readonly #worker: Worker;
  #answer: PromiseWithResolvers<JoinReport> | null = null;
  #error: unknown = null;
  #rows = 0;
  #bytes = 0;

  constructor({ plan, stage, seed }: OutputGround, output: PlannedOutput) {
    const workerData = { ground: { plan, stage, seed }, output };
    this.#worker = new Worker(new URL('./files-thread.ts', import.meta.url), { workerData, resourceLimits: LIMITS });
    this.#worker.on('message', (report: JoinReport) => this.#answer?.resolve(report));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#worker.on('exit', (code) => this.#lose(new Error(`The thread that joins files ended with ${code}.`)));
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async append(segment: WholeSegment): Promise<void> {
    await this.#order({ order: 'append', segment });
  }

  finish(): Promise<readonly FileResult[]> {
    return this.#order({ order: 'finish' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#error !== null) return;
    await this.#answer?.promise.catch(() => null);
    await this.#order({ order: 'dispose' });
  }

  async #order(order: JoinOrder): Promise<readonly FileResult[]> {
    if (this.#error !== null) throw this.#error;
    this.#answer = Promise.withResolvers();
    this.#worker.postMessage(order);
    const report = await this.#answer.promise;
    if (report.report === 'fault') throw faultOf(report.fault);
    if (report.report === 'error') throw Object.assign(new Error(report.text), { code: report.code });
    [this.#rows, this.#bytes] = [report.rows, report.bytes];
    return report.finished;
  }

  #lose(error: unknown): void {
    this.#error ??= error;
    this.#answer?.reject(error);
  }
}
