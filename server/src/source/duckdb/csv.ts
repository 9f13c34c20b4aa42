import { Fault } from '../../base/errors.ts';
import type { ColumnType } from '../../column/type.ts';
import { csvScan } from '../csv-scan.ts';
import { landedText, OTHERS } from '../landed-text.ts';
import type { Piece, PinnedFile, SourceShape } from '../source.ts';
import { declaredType, type FilesAsk, fromText } from './columns.ts';
import { readHeader } from './csv-header.ts';
import { landedRowBytes } from './csv-lines.ts';
import { type FoundRows, piecesOf } from './file-pieces.ts';
import { scanCsv } from './scan-csv.ts';
import { isPacked } from './unpacked.ts';

const TEXT: ColumnType = { is: 'text' };

/** What the engine reads of what landed at once, at least, in bytes. */
const BUFFER_BYTES = 2 * 1024 * 1024;

/** Longest row of a packed file, which is not read to describe it, in bytes. */
const PACKED_ROW_BYTES = 8 * 1024 * 1024;

/**
 * CSV with a header line. Nothing is guessed but the names: undeclared columns are text, an empty
 * cell is NULL and a quoted empty cell is ''. Every row is read, to cut large files where rows end.
 */
export async function describeCsv(ask: FilesAsk): Promise<SourceShape> {
  const delimiter = ask.options.delimiter ?? (/\.tsv(\.gz|\.zst)?$/.test(ask.inputs[0]?.path ?? '') ? '\t' : ',');
  const paths = ask.inputs.map(({ path }) => path);
  const names = await readNames(paths, delimiter);
  const pieces: Piece[] = [];
  let rowBytes = 0;
  for (const [at, input] of ask.inputs.entries()) {
    const found = await findRows(input, delimiter, names.length);
    pieces.push(...piecesOf(at, input.path, found));
    rowBytes = Math.max(rowBytes, found.rowBytes);
  }
  return {
    type: 'duckdb',
    kind: 'csv',
    inputs: ask.inputs,
    delimiter,
    columns: names.map((name, at) => {
      const type = declaredType(ask, name) ?? TEXT;
      return { name, type, nullable: true, expression: fromText(landedText(cellName(at)), type) };
    }),
    scan: scanSql(names.length, delimiter, rowBytes),
    position: 'row_number() over ()',
    rowNumber: null,
    pieces,
    countable: false,
    live: null,
  };
}

function findRows(input: PinnedFile, delimiter: string, columns: number): Promise<FoundRows> | FoundRows {
  const { path, sizeBytes: bytes } = input;
  if (isPacked(path)) return { rowBytes: PACKED_ROW_BYTES, rows: 0, bytes, cuts: [] };
  return scanCsv(input, delimiter, columns);
}

/** Of what `landLines` writes. */
function scanSql(columns: number, delimiter: string, rowBytes: number): string {
  const cells = ['row', ...Array.from({ length: columns }, (_, at) => cellName(at)), OTHERS];
  return csvScan('{files}', cells, { delimiter, rowBytes: Math.max(BUFFER_BYTES, landedRowBytes(rowBytes)) });
}

function cellName(at: number): string {
  return `cell${at}`;
}

async function readNames(paths: readonly string[], delimiter: string): Promise<readonly string[]> {
  let expected: readonly string[] | undefined;
  for (const path of paths) {
    const names = await readHeader(path, delimiter);
    expected ??= names;
    // Cells are read by position, so a file with other columns would put values under wrong names.
    if (names.join('\n') !== expected.join('\n')) {
      throw new Fault('source.refused', `The header of ${path} differs from that of ${paths[0]}.`);
    }
  }
  return expected ?? [];
}
