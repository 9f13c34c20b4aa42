import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { free } from './free.ts';
import type { ByteSink } from './sink.ts';

const deflateInPool = promisify(deflateRaw);

/** 1 MiB: long enough that a block's 5-byte end and its task in the thread pool cost nothing next to the work. */
const BLOCK_BYTES = 2 ** 20;
/** How far back deflate can point (RFC 1951, section 3.2.5): a block starts with this much of the one before. */
const WINDOW_BYTES = 2 ** 15;
/** Of the four threads in Node's pool this leaves one to file reads and writes. */
const MAX_IN_FLIGHT = 3;
/** More than deflate makes of any block (random ones grow by 0.3 KiB), so that one trip to the pool does it. */
const OUTPUT_BYTES = BLOCK_BYTES + 2 ** 14;
/** RFC 1952, section 2.3: magic, method 8 (deflate), no flags, mtime 0, no extra flags, operating system unknown. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/**
 * Compresses into one gzip member (RFC 1952: mtime 0, no name, OS byte 255), in blocks that the thread pool
 * deflates side by side, and passes it on to `sink`. `level` is zlib's, 0 to 9.
 *
 * The bytes depend only on the input, the level and zlib's version, never on how the input was chunked or on timing.
 * `write` waits while 3 blocks are being compressed or written. When compressing or the sink fails, that and every
 * later call rejects with the first error, and `sink.end` is not called.
 */
export function gzipInto(sink: ByteSink, level: number): ByteSink {
  return new GzipSink(sink, level);
}

class GzipSink implements ByteSink {
  readonly #sink: ByteSink;
  readonly #level: number;
  /** Blocks that are neither being filled nor in flight. */
  readonly #spare: Buffer[] = [];
  /** One promise for each block in flight, oldest first: it settles when the block's output is written. */
  readonly #inFlight: Promise<void>[] = [];
  #lastWritten: Promise<void> | undefined;
  #hasFailed = false;
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #blockLength = 0;
  #window: Uint8Array | undefined;
  #crc = 0;
  #sizeBytes = 0;

  constructor(sink: ByteSink, level: number) {
    this.#sink = sink;
    this.#level = level;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#hasFailed) await this.#lastWritten;
    let at = 0;
    while (at < bytes.length) {
      const length = Math.min(bytes.length - at, BLOCK_BYTES - this.#blockLength);
      this.#block.set(bytes.subarray(at, at + length), this.#blockLength);
      this.#blockLength += length;
      at += length;
      if (this.#blockLength === BLOCK_BYTES) await this.#sealBlock();
    }
  }

  async end(): Promise<void> {
    if (this.#blockLength > 0) await this.#sealBlock();
    await (this.#lastWritten ?? this.#sink.write(HEADER));
    // A last block, empty and with fixed codes (RFC 1951, section 3.2.6), and the member's trailer.
    const trailer = Buffer.alloc(10);
    trailer[0] = 3;
    trailer.writeUInt32LE(this.#crc, 2);
    trailer.writeUInt32LE(this.#sizeBytes % 2 ** 32, 6);
    await this.#sink.write(trailer);
    await this.#sink.end();
  }

  /** Sends the filled part of the block off; waits first while `MAX_IN_FLIGHT` others are under way. */
  async #sealBlock(): Promise<void> {
    if (this.#inFlight.length === MAX_IN_FLIGHT) await this.#inFlight.shift();
    const block = this.#block;
    const bytes = block.subarray(0, this.#blockLength);
    this.#crc = crc32(bytes, this.#crc);
    this.#sizeBytes += bytes.length;
    const compressed = this.#compress(bytes);
    this.#window = Uint8Array.from(bytes.subarray(-WINDOW_BYTES));
    const written = this.#writeInOrder(this.#lastWritten, compressed, block);
    // Both errors reach the caller with the next call, which may be late: until then they are not unhandled.
    compressed.catch(() => undefined);
    written.catch(() => {
      this.#hasFailed = true;
    });
    this.#inFlight.push(written);
    this.#lastWritten = written;
    this.#block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#blockLength = 0;
  }

  /** Ends on a byte boundary (Z_SYNC_FLUSH), so that the next block's output can follow as it is. */
  async #compress(bytes: Uint8Array): Promise<Uint8Array> {
    return await deflateInPool(bytes, {
      level: this.#level,
      chunkSize: OUTPUT_BYTES,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(this.#window && { dictionary: this.#window }),
    });
  }

  async #writeInOrder(
    previous: Promise<void> | undefined,
    compressed: Promise<Uint8Array>,
    block: Buffer,
  ): Promise<void> {
    await (previous ?? this.#sink.write(HEADER));
    const output = await compressed;
    this.#spare.push(block);
    await this.#sink.write(output);
    free(output);
  }
}
