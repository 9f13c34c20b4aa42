import type { Piece } from '../source.ts';
import { isPacked } from './unpacked.ts';

/** Of which large files are cut into pieces, in bytes. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** A plan carries its pieces around, so a file has no more of them than about this, only larger ones. */
const MAX_PIECES = 4096;

/** What is in a file, or in a stretch of one. */
export interface FoundRows {
  /** No row has more bytes, its line end included. */
  readonly rowBytes: number;
  readonly rows: number;
  readonly bytes: number;
  /** Where rows begin, a piece's bytes or more from each other and from the start. */
  readonly cuts: readonly { readonly row: number; readonly byte: number }[];
}

/** What a piece of the file has at least, in bytes; a packed file, which can only be read from its start, is not cut. */
export function pieceBytesOf(path: string, sizeBytes: number): number {
  return isPacked(path) ? Number.POSITIVE_INFINITY : Math.max(PIECE_BYTES, sizeBytes / MAX_PIECES);
}

/** The pieces of the input with this number. A small file is one, and so is a packed one. */
export function piecesOf(at: number, path: string, { rows, bytes, cuts }: FoundRows): Piece[] {
  const files = [at, at] as const;
  if (isPacked(path)) return [{ files, rows: null, bytes }];
  if (cuts.length === 0) return [{ files, rows: null, bytes, count: rows }];
  const starts = [{ row: 0, byte: 0 }, ...cuts];
  return starts.flatMap((start, index) => {
    const next = starts[index + 1] ?? { row: rows, byte: bytes };
    return next.row === start.row
      ? []
      : [{ files, rows: [start.row, next.row] as const, start, bytes: next.byte - start.byte }];
  });
}
