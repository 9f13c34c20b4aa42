import type { Piece } from '../source/source.ts';

/** Work is dealt out in about this many segments, so that the last one does not keep one core busy alone. */
const AIMED_SEGMENTS = 16;

/** Smaller segments cost more to open than to write. */
const MIN_BYTES = 8 * 1024 * 1024;

/** Bounds what is staged on disk at a time and what a cancel or crash throws away. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Joins neighbouring pieces into the segments of a plan. Depends on the pieces alone. */
export function cutSegments(pieces: readonly Piece[]): Piece[] {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const goal = Math.min(MAX_BYTES, Math.max(MIN_BYTES, total / AIMED_SEGMENTS));
  const segments: Piece[] = [];
  for (const piece of pieces) {
    const last = segments.at(-1);
    const joined = last && last.bytes + piece.bytes <= goal ? join(last, piece) : null;
    if (joined) segments[segments.length - 1] = joined;
    else segments.push(piece);
  }
  return segments;
}

/** The two as one piece, where one scan can give both: rows of one file, or whole files. */
function join(left: Piece, right: Piece): Piece | null {
  const bytes = left.bytes + right.bytes;
  const [first, last] = left.files;
  const [next, end] = right.files;
  if (left.rows && right.rows && first === next && last === next && left.rows[1] === right.rows[0]) {
    return { files: left.files, rows: [left.rows[0], right.rows[1]], bytes };
  }
  if (left.rows === null && right.rows === null && last + 1 === next) return { files: [first, end], rows: null, bytes };
  return null;
}
