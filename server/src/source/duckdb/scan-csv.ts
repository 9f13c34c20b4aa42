import { basename } from 'node:path';
import { Fault } from '../../base/errors.ts';
import type { PinnedFile } from '../source.ts';
import { feedCsv } from './csv-files.ts';
import { CsvLines } from './csv-lines.ts';
import { type FoundRows, pieceBytesOf } from './file-pieces.ts';

/** Longest row that is read, in bytes. */
const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** Reads a file's rows. Throws what `feedCsv` throws. */
export async function scanCsv({ path, sizeBytes }: PinnedFile, delimiter: string, columns: number): Promise<FoundRows> {
  using lines = new CsvLines(delimiter, columns);
  const pieceBytes = pieceBytesOf(path, sizeBytes);
  const cuts = [{ row: 0, byte: 0 }];
  let rows = 0;
  const bytes = await feedCsv({
    path,
    fromByte: 0,
    toByte: Number.POSITIVE_INFINITY,
    lines,
    take: ({ start, end, nextByte }) => {
      const found = lines.read(start, end).rows;
      rows += found;
      const byte = nextByte - (end - lines.rowsEnd);
      // Only the header tells how such a file's rows end.
      if (found > 0 && !lines.isMac && byte - (cuts.at(-1)?.byte ?? 0) >= pieceBytes) cuts.push({ row: rows, byte });
      return true;
    },
  });
  if (lines.longest > MAX_ROW_BYTES)
    throw new Fault('source.refused', `A row of ${basename(path)} is longer than ${MAX_ROW_BYTES / 1024 / 1024} MiB.`);
  return { rowBytes: lines.longest, rows, bytes, cuts: cuts.slice(1) };
}
