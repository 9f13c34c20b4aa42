import { extname } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { identifier } from '../../column/sql.ts';
import type { ColumnType } from '../../column/type.ts';
import { csvScan } from '../csv-scan.ts';
import type { SourceShape } from '../source.ts';
import { declaredType, type FilesAsk, fromText } from './columns.ts';
import { readHeader } from './csv-header.ts';

const TEXT: ColumnType = { is: 'text' };

/**
 * CSV with a header line. Nothing is guessed but the names: undeclared columns are text, an empty
 * cell is NULL and a quoted empty cell is ''.
 */
export async function describeCsv(ask: FilesAsk): Promise<SourceShape> {
  const delimiter = ask.options.delimiter ?? (extname(ask.inputs[0]?.path ?? '') === '.tsv' ? '\t' : ',');
  const paths = ask.inputs.map(({ path }) => path);
  const names = await readNames(paths, delimiter);
  return {
    type: 'duckdb',
    kind: 'csv',
    inputs: ask.inputs,
    columns: names.map((name) => {
      const type = declaredType(ask, name) ?? TEXT;
      return { name, type, nullable: true, expression: fromText(identifier(name), type) };
    }),
    scan: csvScan('{files}', names, { delimiter, hasHeader: true, lineEnd: null }),
    position: 'row_number() over ()',
    rowNumber: null,
    pieces: ask.inputs.map(({ sizeBytes }, at) => ({ files: [at, at], rows: null, bytes: sizeBytes })),
    countable: false,
    live: null,
  };
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
