import { constants, createZstdCompress, type ZstdOptions, zstdCompressSync } from 'node:zlib';
import { compressPiece, type FrameWork } from './zstd-piece.ts';

/**
 * A piece of text, PIECE_BYTES at most, as Zstandard blocks none of which is the last: behind `ZSTD_FRAME_HEADER` and
 * other such blocks, and before `ZSTD_FRAME_END`, they decode to the piece. The bytes depend only on the piece, the
 * level (zstd's, 1 to 19) and zstd's version.
 */
export function zstdBlocks(piece: Uint8Array, level: number): Buffer {
  const work = compressPiece(piece, level);
  let step = work.next();
  while (!step.done) step = work.next(zstdCompressSync(step.value.text, options(step.value)));
  return step.value;
}

/** As `zstdBlocks`, in the thread pool. The piece must stay as it is until the promise settles. */
export async function zstdBlocksInPool(piece: Uint8Array, level: number): Promise<Buffer> {
  const work = compressPiece(piece, level);
  let step = work.next();
  while (!step.done) step = work.next(await zstdFrameInPool(step.value));
  return step.value;
}

/**
 * A frame of the text, in memory of its own, made in the thread pool. `zstdCompress` of Node hands zstd the text and its
 * end one after the other, from which zstd makes other bytes than from both at once, as `zstdCompressSync` does, and
 * leaves both parts to the collector. The text must stay as it is until the promise settles.
 */
export function zstdFrameInPool(work: FrameWork): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stream = createZstdCompress({ ...options(work), flush: constants.ZSTD_e_end });
  stream.once('error', reject);
  stream.once('close', () => reject(new Error('Zstandard: the stream ended without a frame')));
  stream.once('data', (frame: Buffer) => {
    resolve(frame);
    stream.destroy();
  });
  stream.write(work.text);
  return promise;
}

/** Room for any frame of the text (ZSTD_COMPRESSBOUND): zstd then writes it in one go, out of the text's own memory. */
function options({ text, level }: FrameWork): ZstdOptions {
  const chunkSize = text.length + (text.length >> 8) + 2 ** 12;
  return { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } };
}
