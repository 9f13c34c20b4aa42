import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { extname } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const READ_BYTES = 256 * 1024;

const UNPACKERS: Readonly<Record<string, (path: string) => AsyncIterable<Buffer>>> = {
  '.gz': (path) => pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), createGunzip(), () => {}),
  '.zst': unpackFrames,
};

/** Whether a file is compressed, by its name. */
export function isPacked(path: string): boolean {
  return Object.hasOwn(UNPACKERS, extname(path));
}

/** The bytes of a file, unpacked. Errors are the system's or zlib's. */
export function openUnpacked(path: string): AsyncIterable<Buffer> {
  return UNPACKERS[extname(path)]?.(path) ?? createReadStream(path, { highWaterMark: READ_BYTES });
}

/** Of all frames of a file of Zstandard, one behind the other: Node stops behind the first. */
async function* unpackFrames(path: string): AsyncGenerator<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  for (let at = 0; at < size; ) {
    const skipped = await skippableBytes(file, at);
    if (skipped > 0) {
      at += skipped;
      continue;
    }
    const unpacked = createZstdDecompress();
    // Whoever reads meets the error.
    yield* pipeline(createReadStream(path, { start: at, highWaterMark: READ_BYTES }), unpacked, () => {});
    at += unpacked.bytesWritten;
  }
}

/** RFC 8878 3.1.2: a frame that holds nothing of the content, with its length behind its number. */
async function skippableBytes(file: FileHandle, at: number): Promise<number> {
  const head = Buffer.alloc(8);
  const { bytesRead } = await file.read(head, 0, head.length, at);
  const isSkippable = bytesRead === head.length && head.readUInt32LE(0) >>> 4 === 0x184d2a5;
  return isSkippable ? head.length + head.readUInt32LE(4) : 0;
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
