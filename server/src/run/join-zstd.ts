import { type FileHandle, open } from 'node:fs/promises';
import type { Joining } from '../format/format.ts';
import { free } from '../format/free.ts';
import type { ByteSink } from '../format/sink.ts';
import { zstdBlocks } from '../format/zstd-blocks.ts';
import { PIECE_BYTES, ZSTD_FRAME_END, ZSTD_FRAME_HEADER } from '../format/zstd-frame.ts';
import type { Joiner, SegmentPlace } from './join.ts';
import { type HeldSegment, readZstdSegment } from './zstd-segment.ts';

const COPY_BYTES = 1024 * 1024;

/** Puts segments that are compressed already (`zstd-segment.ts`) into one Zstandard frame, of text with nothing between its rows. */
export class ZstdJoiner implements Joiner {
  readonly #sink: ByteSink;
  readonly #joining: Joining & { by: 'text' };
  readonly #level: number;
  readonly #buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
  #isBegun = false;
  #rows = 0;

  constructor(sink: ByteSink, joining: Joining & { by: 'text' }, level: number) {
    this.#sink = sink;
    this.#joining = joining;
    this.#level = level;
  }

  get rows(): number {
    return this.#rows;
  }

  async append({ path, held }: SegmentPlace): Promise<void> {
    await this.#begin();
    if (held !== null) return await this.#take(held);
    const { blocksBytes, rows } = await readZstdSegment(path);
    await using file = await open(path);
    await this.#copy(file, blocksBytes);
    this.#rows += rows;
  }

  async finish(): Promise<void> {
    await this.#begin();
    await this.#write(this.#joining.tail);
    await this.#sink.write(ZSTD_FRAME_END);
    await this.#sink.end();
  }

  async #begin(): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    await this.#sink.write(ZSTD_FRAME_HEADER);
    await this.#write(this.#joining.head);
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      await this.#sink.write(zstdBlocks(bytes.subarray(at, at + PIECE_BYTES), this.#level));
  }

  /** Nobody looks at what was held any more. */
  async #take({ blocks, blocksBytes, rows }: HeldSegment): Promise<void> {
    if (blocks.reduce((sum, { length }) => sum + length, 0) !== blocksBytes)
      throw new Error('A segment became another one.');
    for (const some of blocks) {
      await this.#sink.write(some);
      free(some);
    }
    this.#rows += rows;
  }

  async #copy(file: FileHandle, bytes: number): Promise<void> {
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(this.#buffer, 0, Math.min(COPY_BYTES, bytes - at), at);
      if (bytesRead === 0) throw new Error('A segment became shorter while it was read.');
      await this.#sink.write(this.#buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
}
