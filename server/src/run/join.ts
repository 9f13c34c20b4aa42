import { type FileHandle, open } from 'node:fs/promises';
import type { Joining } from '../format/format.ts';
import { FooterMerger, readParquetTail } from '../format/parquet-footer.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { ByteSink } from '../format/sink.ts';
import { AvroJoiner } from './join-avro.ts';
import { PdfJoiner } from './join-pdf.ts';
import type { HeldSegment } from './zstd-segment.ts';

/** Where a finished segment is. */
export interface SegmentPlace {
  readonly path: string;
  /** Only a joiner of Zstandard's blocks meets any; null where the segment is in its file. */
  readonly held: HeldSegment | null;
}

/** Joins finished segments, in order, into one file, and counts the rows in the bytes that pass. */
export interface Joiner {
  append(segment: SegmentPlace): Promise<void>;
  /** Writes what comes after the last row and ends the sink. */
  finish(): Promise<void>;
  /** Rows found so far in the bytes themselves. */
  readonly rows: number;
  /** Ends what works beside the joiner, finished or not. */
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** What a joiner works with beside its bytes. */
export interface JoinGround {
  /** Threads it may use; they change no byte. */
  readonly threads: number;
  readonly signal: AbortSignal;
}

export function joinInto(sink: ByteSink, joining: Joining, ground: JoinGround): Joiner {
  switch (joining.by) {
    case 'text':
      return new TextJoiner(sink, joining);
    case 'parquet':
      return new ParquetJoiner(sink);
    case 'avro':
      return new AvroJoiner(sink, joining);
    case 'pdf':
      return new PdfJoiner(sink, joining, ground);
  }
}

type TextJoining = Joining & { by: 'text' };

class TextJoiner implements Joiner {
  readonly #sink: ByteSink;
  readonly #joining: TextJoining;
  readonly #counter: RowCounter;
  readonly #buffer: Buffer;
  /** The separator behind the last row so far: written only when another row follows. */
  readonly #held: Buffer;
  #hasRows = false;

  constructor(sink: ByteSink, joining: TextJoining) {
    this.#sink = sink;
    this.#joining = joining;
    this.#counter = new RowCounter(joining.isQuoted);
    this.#buffer = this.#counter.buffer;
    this.#held = Buffer.alloc(joining.separatorBytes);
  }

  get rows(): number {
    return this.#counter.rows;
  }

  async append({ path }: SegmentPlace): Promise<void> {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size === 0) return;
    const before = this.#hasRows ? this.#held : Buffer.from(this.#joining.head);
    if (before.length > 0) await this.#sink.write(before);
    this.#hasRows = true;
    await this.#copy(file, size);
  }

  async #copy(file: FileHandle, size: number): Promise<void> {
    const buffer = this.#buffer;
    const kept = size - this.#held.length;
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error('A segment became shorter while it was read.');
      this.#counter.count(buffer.subarray(0, bytesRead));
      const writable = Math.min(bytesRead, Math.max(0, kept - at));
      if (writable > 0) await this.#sink.write(buffer.subarray(0, writable));
      if (writable < bytesRead) buffer.copy(this.#held, Math.max(0, at - kept), writable, bytesRead);
      at += bytesRead;
    }
  }

  async finish(): Promise<void> {
    const { empty, tail } = this.#joining;
    if (this.#counter.insideQuotes) throw new Error('The output ended inside a quoted value.');
    const end = this.#hasRows ? tail : empty;
    if (end !== '') await this.#sink.write(Buffer.from(end));
    await this.#sink.end();
  }
}

const COPY_BYTES = 1024 * 1024;
const MAGIC = Buffer.from('PAR1');

class ParquetJoiner implements Joiner {
  readonly #sink: ByteSink;
  readonly #footer = new FooterMerger();
  readonly #buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
  #written = 0;
  #rows = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  get rows(): number {
    return this.#rows;
  }

  async append({ path }: SegmentPlace): Promise<void> {
    await using file = await open(path);
    const { size } = await file.stat();
    const tail = await readParquetTail(size, (offset, length) => readExactly(file, offset, length));
    if (this.#written === 0) await this.#write(MAGIC);
    this.#rows += this.#footer.add(tail, this.#written);
    for (let at = MAGIC.length; at < tail.dataEndBytes; ) {
      const { bytesRead } = await file.read(this.#buffer, 0, Math.min(COPY_BYTES, tail.dataEndBytes - at), at);
      if (bytesRead === 0) throw new Error('A segment became shorter while it was read.');
      await this.#write(this.#buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  async finish(): Promise<void> {
    await this.#write(this.#footer.finish());
    await this.#sink.end();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#written += bytes.length;
  }
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new Error('A segment became shorter while it was read.');
    filled += bytesRead;
  }
  return buffer;
}
