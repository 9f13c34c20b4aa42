import type { Piece } from '../source/source.ts';

/** Work is dealt out in about this many segments, so that the last one does not keep one core busy alone. */
const AIMED_SEGMENTS = 16;

/** Smaller segments cost more to open than to write. */
const MIN_BYTES = 8 * 1024 * 1024;

/** Bounds what a lane has under way, and what a cancel or crash throws away of it. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Rows are taken to become this many bytes at least where files are bounded by bytes: what a source holds may be packed. */
const ASSUMED_ROW_BYTES = 512;

/** What no segment may exceed, as far as the pieces tell; infinite for no bound. */
export interface SegmentBounds {
  readonly rows: number;
  readonly bytes: number;
  /** Segments are not joined beyond this, where one is given. */
  readonly joinedBytes?: number;
  /** Whether the rows of a piece are counted, so that it can be cut at any of them. */
  readonly areCounted: boolean;
}

/** Rows of a segment that shall not hold more than the bounds, as far as the pieces tell. */
export function rowsWithin(bounds: SegmentBounds, pieces: readonly Piece[]): number {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = pieces.reduce((sum, piece) => sum + rowsOf(piece, bounds), 0);
  const rowBytes = Math.max(ASSUMED_ROW_BYTES, rows === 0 ? 0 : total / rows);
  return Math.max(1, Math.min(bounds.rows, Math.floor(bounds.bytes / rowBytes)));
}

/** Joins neighbouring pieces into the segments of a plan. Depends on the pieces and bounds alone. */
export function cutSegments(pieces: readonly Piece[], bounds: SegmentBounds): Piece[] {
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = Math.min(bounds.bytes, bounds.joinedBytes ?? MAX_BYTES);
  const goal = Math.min(most, Math.max(MIN_BYTES, total / AIMED_SEGMENTS));
  const within: SegmentBounds = { ...bounds, rows: rowsWithin(bounds, pieces) };
  const segments: Piece[] = [];
  for (const piece of pieces.flatMap((each) => cutPiece(each, within))) {
    const last = segments.at(-1);
    const joined = last && last.bytes + piece.bytes <= goal ? join(last, piece) : null;
    if (joined && rowsOf(joined, within) <= within.rows) segments[segments.length - 1] = joined;
    else segments.push(piece);
  }
  return segments;
}

function cutPiece(piece: Piece, bounds: SegmentBounds): Piece[] {
  if (!bounds.areCounted) return [piece];
  const [start, end] = piece.rows ?? [0, piece.count ?? 0];
  if (piece.rows === null && end <= bounds.rows && piece.bytes <= bounds.bytes) return [piece];
  if (end === 0) return [piece];
  const { count: _, ...rest } = piece;
  const rows = Math.floor(Math.min(bounds.rows, (end - start) / Math.max(1, piece.bytes / bounds.bytes)));
  const step = Math.max(1, rows);
  return Array.from({ length: Math.max(1, Math.ceil((end - start) / step)) }, (_, at) => {
    const range: [number, number] = [start + at * step, Math.min(end, start + (at + 1) * step)];
    return {
      ...rest,
      rows: range,
      bytes: Math.round((piece.bytes * (range[1] - range[0])) / Math.max(1, end - start)),
    };
  });
}

/** Zero where they are not known. */
function rowsOf({ rows, count = 0 }: Piece, { areCounted }: SegmentBounds): number {
  if (!areCounted) return 0;
  return rows === null ? count : rows[1] - rows[0];
}

/** The two as one piece, where one scan can give both: rows of one file, or whole files. */
function join(left: Piece, right: Piece): Piece | null {
  const bytes = left.bytes + right.bytes;
  const [first, last] = left.files;
  const [next, end] = right.files;
  if (left.rows && right.rows && first === next && last === next && left.rows[1] === right.rows[0]) {
    return { ...left, rows: [left.rows[0], right.rows[1]], bytes };
  }
  if (left.rows === null && right.rows === null && last + 1 === next) {
    const count = left.count === undefined || right.count === undefined ? undefined : left.count + right.count;
    return { files: [first, end], rows: null, bytes, ...(count === undefined ? {} : { count }) };
  }
  return null;
}
