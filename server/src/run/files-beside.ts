import { Beside } from '../base/beside.ts';
import type { FileResult } from './execution.ts';
import type { OutputGround, WholeSegment } from './output-files.ts';
import type { PlannedOutput } from './plan.ts';

/** What the thread of an output's files is told, one order at a time. */
export type JoinOrder = { readonly order: 'append'; readonly segment: WholeSegment } | { readonly order: 'finish' };

/** What it tells back, once for each order. */
export interface Joined {
  readonly rows: number;
  readonly bytes: number;
  readonly finished: readonly FileResult[];
}

/** The files of one output, joined on a thread beside (`output-files.ts` says what each call means). */
export class FilesBeside implements AsyncDisposable {
  readonly #thread: Beside<JoinOrder, Joined>;
  #joined: Joined = { rows: 0, bytes: 0, finished: [] };

  constructor({ plan, stage, seed }: OutputGround, output: PlannedOutput) {
    this.#thread = new Beside(new URL('./files-thread.ts', import.meta.url), { ground: { plan, stage, seed }, output });
  }

  get rows(): number {
    return this.#joined.rows;
  }

  get bytes(): number {
    return this.#joined.bytes;
  }

  async append(segment: WholeSegment): Promise<void> {
    this.#joined = await this.#thread.order({ order: 'append', segment });
  }

  async finish(): Promise<readonly FileResult[]> {
    this.#joined = await this.#thread.order({ order: 'finish' });
    return this.#joined.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
