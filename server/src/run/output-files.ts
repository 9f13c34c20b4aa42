import { join } from 'node:path';
import { compressInto } from '../format/compression.ts';
import { formatOf } from '../format/formats.ts';
import { type FileResult, filesFolder } from './execution.ts';
import { FileSink } from './file-sink.ts';
import { type Joiner, joinInto } from './join.ts';
import { ZstdJoiner } from './join-zstd.ts';
import { outputColumns, type Plan, type PlannedOutput, partPath } from './plan.ts';
import { zstdLevel } from './segment-sql.ts';
import type { Written } from './write-rows.ts';

/** A segment that waits to be joined. */
export interface WholeSegment extends Written {
  readonly path: string;
  /** Before compression. */
  readonly bytes: number;
}

interface OpenFile {
  readonly path: string;
  readonly sink: FileSink;
  readonly joiner: Joiner;
  /** What was appended, before compression: what a split goes by, since it does not depend on timing. */
  rows: number;
  bytes: number;
}

export interface OutputGround {
  readonly plan: Plan;
  readonly stage: string;
  /** Differs from plan to plan. */
  readonly seed: string;
  readonly signal: AbortSignal;
}

/** The files of one output, written one after another; a new one begins where the split says so. Dispose closes what is open. */
export class OutputFiles implements AsyncDisposable {
  readonly #ground: OutputGround;
  readonly #output: PlannedOutput;
  readonly #finished: FileResult[] = [];
  #open: OpenFile | null = null;

  constructor(ground: OutputGround, output: PlannedOutput) {
    this.#ground = ground;
    this.#output = output;
  }

  /** Rows found so far in the bytes themselves. */
  get rows(): number {
    return this.#finished.reduce((sum, { rows }) => sum + rows, this.#open?.joiner.rows ?? 0);
  }

  get bytes(): number {
    return this.#finished.reduce((sum, { bytes }) => sum + bytes, this.#open?.sink.bytes ?? 0);
  }

  async append(segment: WholeSegment): Promise<void> {
    if (this.#open !== null && this.#isFullWith(this.#open, segment)) await this.#close(this.#open);
    const open = await this.#current();
    await open.joiner.append(segment);
    open.rows += segment.rows;
    open.bytes += segment.bytes;
  }

  /** Ends the last file; there is one even without rows. */
  async finish(): Promise<readonly FileResult[]> {
    await this.#close(await this.#current());
    return this.#finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.joiner[Symbol.asyncDispose]?.();
    await this.#open?.sink[Symbol.asyncDispose]();
  }

  #isFullWith(open: OpenFile, { rows, bytes }: WholeSegment): boolean {
    const { split } = this.#output;
    if (split === null || open.rows === 0 || rows === 0) return false;
    return (
      open.rows + rows > (split.rows ?? Number.POSITIVE_INFINITY) ||
      open.bytes + bytes > (split.bytes ?? Number.POSITIVE_INFINITY)
    );
  }

  async #current(): Promise<OpenFile> {
    this.#open ??= await this.#begin();
    return this.#open;
  }

  async #begin(): Promise<OpenFile> {
    const { plan, stage, seed, signal } = this.#ground;
    const { format, compression } = this.#output;
    const path = partPath(this.#output, this.#finished.length + 1);
    const sink = await FileSink.create(join(filesFolder(stage), path));
    const joining = formatOf(format).joining(outputColumns(plan.query, this.#output), `${seed} ${path}`);
    const level = zstdLevel(plan, this.#output);
    const joiner =
      level !== null && joining.by === 'text'
        ? new ZstdJoiner(sink, joining, level)
        : await joinInto(compressInto(sink, compression), joining, { threads: plan.limits.threads, signal });
    return { path, sink, joiner, rows: 0, bytes: 0 };
  }

  async #close(open: OpenFile): Promise<void> {
    await open.joiner.finish();
    this.#finished.push({ path: open.path, rows: open.joiner.rows, ...open.sink.finish() });
    this.#open = null;
    await open.joiner[Symbol.asyncDispose]?.();
    await open.sink[Symbol.asyncDispose]();
  }
}
