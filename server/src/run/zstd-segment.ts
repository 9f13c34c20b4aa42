import { type FileHandle, open } from 'node:fs/promises';
import { free } from '../format/free.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { ByteSink } from '../format/sink.ts';
import { zstdBlocks } from '../format/zstd-blocks.ts';

/** A segment whose text is compressed already. */
export interface ZstdSegment {
  /** What the file begins with: blocks of a Zstandard frame, none of them the last. */
  readonly blocksBytes: number;
  /** Of the text before it was compressed. */
  readonly textBytes: number;
  /** Rows found in the text. */
  readonly rows: number;
}

/** Behind the blocks: a word that tells the file's kind, then the three numbers. */
const MARK = 'ZSTDROWS';
const TRAILER_BYTES = MARK.length + 3 * 8;

/** Writes the text of a segment, whole rows of CSV, as pieces of a Zstandard frame. */
export class ZstdSegmentSink implements ByteSink {
  readonly #file: FileHandle;
  readonly #level: number;
  readonly #counter = new RowCounter(true);
  #filled = 0;
  #blocksBytes = 0;
  #textBytes = 0;

  constructor(file: FileHandle, level: number) {
    this.#file = file;
    this.#level = level;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { buffer } = this.#counter;
    for (let at = 0; at < bytes.length; ) {
      const some = bytes.subarray(at, at + buffer.length - this.#filled);
      buffer.set(some, this.#filled);
      this.#filled += some.length;
      at += some.length;
      if (this.#filled === buffer.length) await this.#seal();
    }
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#seal();
    if (this.#counter.insideQuotes) throw new Error('A segment ended inside a quoted value.');
    const trailer = Buffer.alloc(TRAILER_BYTES, MARK, 'latin1');
    [this.#blocksBytes, this.#textBytes, this.#counter.rows].forEach((each, at) => {
      trailer.writeBigUInt64LE(BigInt(each), MARK.length + at * 8);
    });
    await this.#file.appendFile(trailer);
  }

  async #seal(): Promise<void> {
    this.#counter.count(this.#filled);
    const blocks = zstdBlocks(this.#counter.buffer.subarray(0, this.#filled), this.#level);
    this.#textBytes += this.#filled;
    this.#filled = 0;
    this.#blocksBytes += blocks.length;
    await this.#file.appendFile(blocks);
    free(blocks);
  }
}

/** Reads what stands behind the blocks. */
export async function readZstdSegment(path: string): Promise<ZstdSegment> {
  await using file = await open(path);
  const { size } = await file.stat();
  const trailer = Buffer.alloc(TRAILER_BYTES);
  const { bytesRead } = await file.read(trailer, 0, TRAILER_BYTES, Math.max(0, size - TRAILER_BYTES));
  const [blocksBytes = 0, textBytes = 0, rows = 0] = [0, 1, 2].map((at) =>
    Number(trailer.readBigUInt64LE(MARK.length + at * 8)),
  );
  const isWhole = bytesRead === TRAILER_BYTES && trailer.toString('latin1', 0, MARK.length) === MARK;
  if (!isWhole || blocksBytes + TRAILER_BYTES !== size) throw new Error('A segment became another one.');
  return { blocksBytes, textBytes, rows };
}
