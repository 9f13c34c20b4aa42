import { constants, crc32, createDeflateRaw, type ZlibOptions } from 'node:zlib';
import { BLOCK_BYTES, type BlockCompression, BlockSink, MAX_IN_FLIGHT } from './block-sink.ts';
import { free } from './free.ts';
import type { ByteSink } from './sink.ts';

/** How far back deflate can point (RFC 1951, section 3.2.5): a block starts with this much of the one before. */
const WINDOW_BYTES = 2 ** 15;
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
  return new BlockSink(sink, new GzipMember(level));
}

class GzipMember implements BlockCompression {
  readonly header: Uint8Array = HEADER;
  readonly #level: number;
  /** What blocks begin with, in turn: one more than are under way, and the one that is made. */
  readonly #windows = Array.from({ length: MAX_IN_FLIGHT + 2 }, () => new Uint8Array(WINDOW_BYTES));
  #window: Uint8Array<ArrayBuffer> | undefined;
  #crc = 0;
  #sizeBytes = 0;

  constructor(level: number) {
    this.#level = level;
  }

  /** Ends on a byte boundary (Z_SYNC_FLUSH), so that the next block's output can follow as it is. */
  compress(block: Uint8Array): Promise<Uint8Array> {
    this.#crc = crc32(block, this.#crc);
    this.#sizeBytes += block.length;
    const window = this.#window;
    this.#window = this.#windowOf(block);
    return deflateInPool(block, {
      level: this.#level,
      chunkSize: OUTPUT_BYTES,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(window && { dictionary: window }),
    });
  }

  #windowOf(block: Uint8Array): Uint8Array<ArrayBuffer> {
    const oldest = this.#windows.shift() as Uint8Array<ArrayBuffer>;
    this.#windows.push(oldest);
    const last = block.subarray(-WINDOW_BYTES);
    oldest.set(last);
    return oldest.subarray(0, last.length);
  }

  trailer(): Uint8Array {
    // A last block, empty and with fixed codes (RFC 1951, section 3.2.6), and the member's trailer.
    const trailer = Buffer.alloc(10);
    trailer[0] = 3;
    trailer.writeUInt32LE(this.#crc, 2);
    trailer.writeUInt32LE(this.#sizeBytes % 2 ** 32, 6);
    return trailer;
  }
}

/**
 * Deflates in the thread pool. zlib's own function for it gives a copy of what several writes made and leaves those to the
 * collector, which comes late: 75 MB at a time.
 */
function deflateInPool(block: Uint8Array, options: ZlibOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const made: Buffer[] = [];
    const deflate = createDeflateRaw(options);
    deflate.on('data', (part: Buffer) => made.push(part));
    deflate.once('error', reject);
    deflate.once('end', () => {
      const whole = Buffer.concat(made);
      for (const part of made) free(part);
      deflate.close();
      resolve(whole);
    });
    deflate.end(block);
  });
}
