import { BlockSink } from './block-sink.ts';
import type { ByteSink } from './sink.ts';
import { zstdBlocksInPool } from './zstd-blocks.ts';
import { ZSTD_FRAME_END, ZSTD_FRAME_HEADER } from './zstd-frame.ts';

/**
 * Compresses into one Zstandard frame (RFC 8878), without a checksum, in pieces of 1 MiB that know nothing of each
 * other and that the thread pool compresses side by side, and passes it on to `sink`. `level` is zstd's, 1 to 19.
 *
 * The bytes depend only on the input, the level and zstd's version, never on how the input was chunked or on timing.
 * `write` waits while 3 pieces are being compressed or written. When compressing or the sink fails, that and every
 * later call rejects with the first error, and `sink.end` is not called.
 */
export function zstdInto(sink: ByteSink, level: number): ByteSink {
  return new BlockSink(sink, {
    header: ZSTD_FRAME_HEADER,
    compress: (piece) => zstdBlocksInPool(piece, level),
    trailer: () => ZSTD_FRAME_END,
  });
}
