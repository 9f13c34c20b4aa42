import { type FileHandle, open } from 'node:fs/promises';
import { FooterMerger, readParquetTail } from '../format/parquet-footer.ts';
import type { ByteSink } from '../format/sink.ts';
import type { Joiner, SegmentPlace } from './join.ts';

const COPY_BYTES = 1024 * 1024;
const MAGIC = Buffer.from('PAR1');

/** Makes one Parquet file of segments that are one each: their row groups, behind them a footer of all. */
export class ParquetJoiner implements Joiner {
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
