import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { BLOCK_BYTES, type BlockCompression, BlockSink } from './block-sink.ts';
import type { ByteSink } from './sink.ts';

const deflateInPool = promisify(deflateRaw);

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
  #window: Uint8Array | undefined;
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
    this.#window = Uint8Array.from(block.subarray(-WINDOW_BYTES));
    return deflateInPool(block, {
      level: this.#level,
      chunkSize: OUTPUT_BYTES,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(window && { dictionary: window }),
    });
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
