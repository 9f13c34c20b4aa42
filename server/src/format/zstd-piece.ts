import { free } from './free.ts';
import { codeOf, MATCH_LENGTH_CODES } from './zstd-codes.ts';
import { blockHeader, blockType, MAX_BLOCK_BYTES, PIECE_BYTES, rawBlocks, takeBlocks } from './zstd-frame.ts';
import { findBorrowed, type Match } from './zstd-offsets.ts';

/**
 * Tries at the level that was asked for, and as many at level 1. That borrows no offsets but 1, and no more once it
 * has its own, so that the second one of these succeeds; raw blocks are for a zstd that does otherwise.
 */
const TRIES = 2;
/** How far into a text a run is looked for: what is before it is not compressed. */
const EARLY_BYTES = 256;
/** A byte and the shortest match. */
const MIN_RUN_BYTES = 4;
/** A raw literals section of no bytes. */
const NO_LITERALS = 0;
/** RLE_Mode for literals lengths, offsets and match lengths. */
const SINGLE_SYMBOL_MODES = 0b0101_0100;

/** A text to be made a frame of, without a checksum. */
export interface FrameWork {
  readonly text: Uint8Array;
  readonly level: number;
}

/**
 * Gives texts out, takes their frames in, and returns the blocks of the piece. Where a match is borrowed, the blocks
 * before its own stay, what is before it in its block becomes raw, and the match a block of its own with its offset in
 * full; what follows is compressed by itself. Raw are at most a block's bytes a try.
 */
export function* compressPiece(piece: Uint8Array, level: number): Generator<FrameWork, Buffer, Buffer> {
  if (piece.length > PIECE_BYTES) throw new RangeError(`A piece has ${PIECE_BYTES} bytes at most, not ${piece.length}`);
  const run = earlyRun(piece);
  const head = run === null ? [] : [rawBlocks(piece.subarray(0, run.at)), matchBlock(run)];
  let text = run === null ? piece : textBehind(piece, run);
  let ownOffsets: 0 | 1 = run === null ? 0 : 1;
  for (let tries = 0; tries < 2 * TRIES && text.length > 0; tries += 1) {
    const frame: Buffer = yield { text, level: tries < TRIES ? level : 1 };
    const blocks = takeBlocks(frame);
    const borrowed = findBorrowed(blocks, ownOffsets);
    if (borrowed === null) return joinHead(head, blocks);
    const { at, block, offset } = borrowed;
    head.push(Buffer.from(blocks.subarray(0, block.at)), rawBlocks(text.subarray(block.textAt, at)));
    head.push(matchBlock(borrowed));
    free(frame);
    ownOffsets = offset === 1 ? 1 : 0;
    text = textBehind(text, borrowed);
  }
  return Buffer.concat([...head, rawBlocks(text)]);
}

/**
 * The first run of equal bytes in the beginning of the text, as a match by an offset of 1. Encoders would use the
 * offset that a frame begins with for it, and the text would have to be compressed again.
 */
function earlyRun(text: Uint8Array): Match | null {
  let start = 0;
  for (let at = 1; at <= text.length; at += 1) {
    if (text[at] === text[start] && at - start < MAX_BLOCK_BYTES) continue;
    if (at - start >= MIN_RUN_BYTES) return { at: start + 1, offset: 1, length: at - start - 1 };
    if (at >= EARLY_BYTES) return null;
    start = at;
  }
  return null;
}

function textBehind(text: Uint8Array, { at, length }: Match): Uint8Array {
  if (at + length > text.length) throw new Error('Zstandard: a match beyond the end of the text');
  return text.subarray(at + length);
}

function joinHead(head: readonly Uint8Array[], blocks: Buffer): Buffer {
  if (head.length === 0) return blocks;
  const joined = Buffer.concat([...head, blocks]);
  free(blocks);
  return joined;
}

/**
 * A compressed block of a single sequence (RFC 8878, section 3.1.1.3): no literals, and a match whose offset is none
 * of the repeated ones, so that it is the first of these afterwards.
 */
function matchBlock({ offset, length }: Match): Buffer {
  const offsetValue = offset + 3;
  const offsetCode = 31 - Math.clz32(offsetValue);
  const match = codeOf(MATCH_LENGTH_CODES, length);
  // The offset's highest bit is told by its code: its place is the end mark's. The match length's bits are below.
  const stream = offsetValue * 2 ** match.bitCount + match.bits;
  const content = [NO_LITERALS, 1, SINGLE_SYMBOL_MODES, 0, offsetCode, match.code];
  for (let left = stream; left > 0; left = Math.floor(left / 256)) content.push(left % 256);
  return Buffer.concat([blockHeader(blockType.compressed, content.length), Uint8Array.from(content)]);
}
