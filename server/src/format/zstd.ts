import { constants, createZstdCompress } from 'node:zlib';
import type { ByteSink } from './sink.ts';

/** 1 MiB: a trip to the thread pool costs nothing next to the work on it. */
const BLOCK_BYTES = 2 ** 20;

/**
 * Compresses into one Zstandard frame (RFC 8878) with a checksum of the content, in the thread pool, and passes it
 * on to `sink`. `level` is zstd's, 1 to 19.
 *
 * The bytes depend only on the input, the level and zstd's version, never on how the input was chunked or on timing.
 * `write` waits while a block is being compressed and another one is full. When compressing or the sink fails, that
 * and every later call rejects with the first error, and `sink.end` is not called.
 */
export function zstdInto(sink: ByteSink, level: number): ByteSink {
  return new ZstdSink(sink, level);
}

class ZstdSink implements ByteSink {
  readonly #sink: ByteSink;
  /** One thread: with `ZSTD_c_nbWorkers` Node 24 ends the stream before the workers have. */
  readonly #stream: ReturnType<typeof createZstdCompress>;
  /** Settles when all output is written; rejects with the first error. */
  readonly #pumped: Promise<void>;
  #hasFailed = false;
  /** Settles when the block before this one is compressed. */
  #compressed: Promise<void> = Promise.resolve();
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #spare: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #blockLength = 0;

  constructor(sink: ByteSink, level: number) {
    this.#sink = sink;
    this.#stream = createZstdCompress({
      chunkSize: BLOCK_BYTES,
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    this.#pumped = this.#pump();
    // The error reaches the caller with the next call, which may be late: until then it is not unhandled.
    this.#pumped.catch(() => {
      this.#hasFailed = true;
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#hasFailed) await this.#pumped;
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
    // Ended while a block is under way, the stream would take that for all there is and write another header.
    await this.#compressed;
    this.#stream.end();
    await this.#pumped;
    await this.#sink.end();
  }

  /** Sends the filled part of the block off, once the block before is compressed. */
  async #sealBlock(): Promise<void> {
    await this.#compressed;
    const bytes = this.#block.subarray(0, this.#blockLength);
    [this.#block, this.#spare] = [this.#spare, this.#block];
    this.#blockLength = 0;
    // A stream that is destroyed may never call back for the block it holds.
    this.#compressed = Promise.race([this.#compress(bytes), this.#pumped]);
    this.#compressed.catch(() => undefined);
  }

  async #compress(bytes: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // An error is told by the pump, which reads the same stream.
    this.#stream.write(bytes, () => resolve());
    await promise;
    if (this.#hasFailed) await this.#pumped;
  }

  async #pump(): Promise<void> {
    for await (const output of this.#stream) await this.#sink.write(output);
  }
}
