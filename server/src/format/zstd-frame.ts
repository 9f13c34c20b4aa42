/** What a piece of text holds at most; no offset in its blocks reaches further back. */
export const PIECE_BYTES: number = 2 ** 20;

/** Block_Maximum_Size (RFC 8878, section 3.1.1.2.4) of a frame whose window is a piece. */
export const MAX_BLOCK_BYTES: number = 2 ** 17;
const BLOCK_HEADER_BYTES = 3;
const MAGIC = 0xfd2fb528;
/** Sizes of the fields that Dictionary_ID_flag and Frame_Content_Size_flag announce (section 3.1.1.1.1). */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** RFC 8878, section 3.1.1.1: magic; neither checksum nor content size nor dictionary; a window of 2^(10 + 10) bytes. */
export const ZSTD_FRAME_HEADER: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3);
/** The last block: raw and empty. */
export const ZSTD_FRAME_END: Uint8Array = Uint8Array.of(1, 0, 0);

export const blockType = { raw: 0, repeated: 1, compressed: 2 } as const;

export interface Block {
  readonly isLast: boolean;
  readonly type: number;
  /** Block_Size: of a repeated byte, how often it comes. */
  readonly size: number;
  /** Where the block's content begins and ends. */
  readonly start: number;
  readonly end: number;
}

/** The block whose header begins at `at`. Throws Error when it is none, or not all there. */
export function readBlock(bytes: Buffer, at: number): Block {
  if (at + BLOCK_HEADER_BYTES > bytes.length) throw new Error(`Zstandard: no block at byte ${at}`);
  const header = bytes.readUIntLE(at, BLOCK_HEADER_BYTES);
  const type = (header >> 1) & 3;
  const size = header >> 3;
  const start = at + BLOCK_HEADER_BYTES;
  const end = start + (type === blockType.repeated ? 1 : size);
  if (type > blockType.compressed || size > MAX_BLOCK_BYTES || end > bytes.length) {
    throw new Error(`Zstandard: broken block at byte ${at}`);
  }
  return { isLast: (header & 1) === 1, type, size, start, end };
}

/**
 * The blocks of a frame without checksum, as a view of it in which none is the last any more.
 * Throws Error when the frame is malformed or anything follows it.
 */
export function takeBlocks(frame: Buffer): Buffer {
  const blocks = frame.subarray(frameHeaderBytes(frame));
  for (let at = 0; ; ) {
    const block = readBlock(blocks, at);
    if (block.isLast) {
      blocks.writeUInt8(blocks.readUInt8(at) & ~1, at);
      if (block.end !== blocks.length) throw new Error(`Zstandard: ${blocks.length - block.end} bytes after the frame`);
      return blocks;
    }
    at = block.end;
  }
}

function frameHeaderBytes(frame: Buffer): number {
  if (frame.length < 6 || frame.readUInt32LE(0) !== MAGIC) throw new Error('Zstandard: not a frame');
  const descriptor = frame.readUInt8(4);
  if ((descriptor & 0b1100) !== 0) throw new Error('Zstandard: a checksum or a reserved bit');
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const sizeFlag = (descriptor >> 6) as 0 | 1 | 2 | 3;
  const windowBytes = isSingleSegment ? 0 : 1;
  const contentSizeBytes = isSingleSegment && sizeFlag === 0 ? 1 : CONTENT_SIZE_BYTES[sizeFlag];
  return 5 + windowBytes + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3] + contentSizeBytes;
}

/** The text as blocks that are not compressed. */
export function rawBlocks(text: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += MAX_BLOCK_BYTES) {
    const content = text.subarray(at, at + MAX_BLOCK_BYTES);
    parts.push(blockHeader(blockType.raw, content.length), content);
  }
  return Buffer.concat(parts);
}

export function blockHeader(type: number, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK_HEADER_BYTES);
  header.writeUIntLE((size << 3) | (type << 1), 0, BLOCK_HEADER_BYTES);
  return header;
}
