import { appendFileSync, closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { free } from '../format/free.ts';
import type { RowCounter } from '../format/row-counter.ts';
import { zstdBlocks } from '../format/zstd-blocks.ts';

/** A segment whose text is compressed already: blocks of a Zstandard frame, none of them the last. */
export interface ZstdSegment {
  readonly blocksBytes: number;
  /** Of the text before it was compressed. */
  readonly textBytes: number;
  /** Rows found in the text. */
  readonly rows: number;
}

/** Its blocks are in memory and in no file; each of these has memory of its own. */
export interface HeldSegment extends ZstdSegment {
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
}

/** Behind the blocks in a file: a word that tells the file's kind, then the three numbers. */
const MARK = 'ZSTDROWS';
const TRAILER_BYTES = MARK.length + 3 * 8;

/** Blocks that are held are put together until they come to this much. */
const SLAB_BYTES = 1024 * 1024;

interface Writer {
  /** Of zstd, 1 to 19. */
  readonly level: number;
  /** Blocks up to this much stay in memory; more of them, or any where it is 0, are in the file. */
  readonly heldBytes: number;
  /** Counts in the memory in which the text stands. */
  readonly counter: RowCounter;
}

/** Writes the text of a segment, whole rows, as pieces of a Zstandard frame. Dispose closes its file. */
export class ZstdSegmentSink implements Disposable {
  readonly #path: string;
  readonly #writer: Writer;
  #file: number | null = null;
  #slabs: Slab[] = [];
  #blocksBytes = 0;
  #textBytes = 0;

  /** The file, should there be one, is a new one at `path`. */
  constructor(path: string, writer: Writer) {
    this.#path = path;
    this.#writer = writer;
  }

  /** Takes one piece, 1 MiB at most. Where texts are cut decides about their blocks. */
  write(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const { counter, level, heldBytes } = this.#writer;
    counter.count(piece);
    const blocks = zstdBlocks(piece, level);
    this.#textBytes += piece.length;
    this.#blocksBytes += blocks.length;
    if (this.#file === null && this.#blocksBytes <= heldBytes) this.#hold(blocks);
    else this.#append(blocks);
    free(blocks);
  }

  end(): void {
    const { counter, heldBytes } = this.#writer;
    if (counter.insideQuotes) throw new Error('A segment ended inside a quoted value.');
    if (heldBytes > 0 && this.#file === null) return;
    const trailer = Buffer.alloc(TRAILER_BYTES, MARK, 'latin1');
    [this.#blocksBytes, this.#textBytes, counter.rows].forEach((each, at) => {
      trailer.writeBigUInt64LE(BigInt(each), MARK.length + at * 8);
    });
    this.#append(trailer);
  }

  /** What was written, once it has ended; null where it is in the file. */
  get held(): HeldSegment | null {
    if (this.#file !== null) return null;
    const blocks = this.#slabs.map(({ bytes, filled }) => bytes.subarray(0, filled));
    return { blocks, blocksBytes: this.#blocksBytes, textBytes: this.#textBytes, rows: this.#writer.counter.rows };
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file);
  }

  #hold(blocks: Uint8Array): void {
    for (let at = 0; at < blocks.length; ) {
      let slab = this.#slabs.at(-1);
      if (slab === undefined || slab.filled === SLAB_BYTES) {
        slab = { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), filled: 0 };
        this.#slabs.push(slab);
      }
      const some = blocks.subarray(at, at + SLAB_BYTES - slab.filled);
      slab.bytes.set(some, slab.filled);
      slab.filled += some.length;
      at += some.length;
    }
  }

  #append(bytes: Uint8Array): void {
    this.#file ??= openSync(this.#path, 'w', 0o644);
    for (const { bytes: held, filled } of this.#slabs.splice(0)) {
      appendFileSync(this.#file, held.subarray(0, filled));
      free(held);
    }
    appendFileSync(this.#file, bytes);
  }
}

interface Slab {
  readonly bytes: Buffer<ArrayBuffer>;
  filled: number;
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
