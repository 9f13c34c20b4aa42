import { free } from './free.ts';
import type { ByteSink } from './sink.ts';

/** 1 MiB: long enough that a block's task in the thread pool costs nothing next to the work on it. */
export const BLOCK_BYTES: number = 2 ** 20;
/** Of the four threads in Node's pool this leaves one to file reads and writes. */
export const MAX_IN_FLIGHT = 3;

/** How a file is compressed block by block. */
export interface BlockCompression {
  /** What the output begins with. */
  readonly header: Uint8Array;
  /**
   * Compresses a block in the thread pool: BLOCK_BYTES, only the last one fewer, never none. Called in order, once for
   * each; the block stays as it is until the promise settles.
   */
  compress(block: Uint8Array): Promise<Uint8Array>;
  /** What the output ends with, once every block has been given to `compress`. */
  trailer(): Uint8Array;
}

/**
 * Compresses blocks side by side and passes them on to `sink` in order.
 *
 * How the input was chunked, and timing, change nothing. `write` waits while 3 blocks are being compressed or written.
 * When compressing or the sink fails, that and every later call rejects with the first error, and `sink.end` is not
 * called.
 */
export class BlockSink implements ByteSink {
  readonly #sink: ByteSink;
  readonly #compression: BlockCompression;
  /** Blocks that are neither being filled nor in flight. */
  readonly #spare: Buffer[] = [];
  /** One promise for each block in flight, oldest first: it settles when the block's output is written. */
  readonly #inFlight: Promise<void>[] = [];
  #lastWritten: Promise<void> | undefined;
  #hasFailed = false;
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #blockLength = 0;

  constructor(sink: ByteSink, compression: BlockCompression) {
    this.#sink = sink;
    this.#compression = compression;
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
    await (this.#lastWritten ?? this.#sink.write(this.#compression.header));
    await this.#sink.write(this.#compression.trailer());
    await this.#sink.end();
  }

  /** Sends the filled part of the block off; waits first while `MAX_IN_FLIGHT` others are under way. */
  async #sealBlock(): Promise<void> {
    if (this.#inFlight.length === MAX_IN_FLIGHT) await this.#inFlight.shift();
    const block = this.#block;
    const compressed = this.#compression.compress(block.subarray(0, this.#blockLength));
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

  async #writeInOrder(
    previous: Promise<void> | undefined,
    compressed: Promise<Uint8Array>,
    block: Buffer,
  ): Promise<void> {
    await (previous ?? this.#sink.write(this.#compression.header));
    const output = await compressed;
    this.#spare.push(block);
    await this.#sink.write(output);
    free(output);
  }
}
