import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { extname } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const UNPACKERS: Readonly<Record<string, typeof createGunzip | typeof createZstdDecompress>> = {
  '.gz': createGunzip,
  '.zst': createZstdDecompress,
};

/** Whether a file is compressed, by its name. */
export function isPacked(path: string): boolean {
  return Object.hasOwn(UNPACKERS, extname(path));
}

/** The bytes of a file, unpacked, from one on; of a packed file only from 0 on. Errors are the system's or zlib's. */
export function openUnpacked(path: string, start = 0): AsyncIterable<Buffer> {
  const file = createReadStream(path, { start, highWaterMark: 256 * 1024 });
  const unpack = UNPACKERS[extname(path)];
  if (!unpack) return file;
  const unpacked = unpack();
  // Whoever reads meets the error.
  return pipeline(file, unpacked, () => {});
}

/** Gives the bytes of a file one after the other. Dispose closes it. */
export interface ByteReader extends AsyncDisposable {
  /** Reads what comes next, as many bytes as fit at most, and gives how many; 0 at the end. */
  read(into: Buffer): Promise<number>;
}

/** The same bytes as `openUnpacked`, read to where they are wanted; of a file that is not packed up to `end`. */
export async function openBytes(path: string, start: number, end: number): Promise<ByteReader> {
  return isPacked(path) ? new PackedBytes(openUnpacked(path)) : new PlainBytes(await open(path), start, end);
}

class PlainBytes implements ByteReader {
  readonly #file: FileHandle;
  readonly #end: number;
  #at: number;

  constructor(file: FileHandle, start: number, end: number) {
    this.#file = file;
    this.#at = start;
    this.#end = end;
  }

  async read(into: Buffer): Promise<number> {
    const { bytesRead } = await this.#file.read(into, 0, Math.min(into.length, this.#end - this.#at), this.#at);
    this.#at += bytesRead;
    return bytesRead;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

class PackedBytes implements ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async read(into: Buffer): Promise<number> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return 0;
      this.#rest = value;
    }
    const copied = this.#rest.copy(into);
    this.#rest = this.#rest.subarray(copied);
    return copied;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
