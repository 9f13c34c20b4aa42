import { Fault, refuse } from '../../base/errors.ts';
import { pinFiles } from '../pins.ts';
import { POSITION } from '../relation.ts';
import type { DescribeAsk, OpenEngine, Source, SourceShape } from '../source.ts';
import { describeCsv } from './csv.ts';
import { findFiles, formatOf } from './files.ts';
import { describeJsonl } from './jsonl.ts';
import { landLines } from './land-lines.ts';
import { describeParquet } from './parquet.ts';
import { describeTable } from './table.ts';

/** Parquet, CSV, JSON lines and DuckDB database files. */
export const duckdb: Source = {
  async describe(ask: DescribeAsk, openEngine: OpenEngine, threads: number): Promise<SourceShape> {
    const { options, folder } = ask;
    if (options.type !== 'duckdb') throw new Error('These options are of another source.');
    const paths = await findFiles(options, folder);
    const format = formatOf(options, paths);
    if (options.table !== undefined && format !== 'duckdb')
      throw refuse('/table', `Only database files have tables; these files are read as ${format}.`);
    const inputs = await pinFiles(paths);
    const shape = await DESCRIBE[format]({ ...ask, options, inputs }, openEngine, threads);
    checkNames(shape, ask);
    return shape;
  },
  land: landLines,
};

const DESCRIBE = { parquet: describeParquet, csv: describeCsv, jsonl: describeJsonl, duckdb: describeTable };

function checkNames(shape: SourceShape, ask: DescribeAsk): void {
  const names = new Set(shape.columns.map(({ name }) => name));
  // JSON and Parquet allow names that SQL does not.
  if ([...names].some((name) => name === '' || name.includes('\0'))) {
    throw new Fault('source.refused', 'A column has an empty name, or one with NUL in it, which exports cannot carry.');
  }
  if (names.has(POSITION)) throw refuse('/files', `A column may not be called ${POSITION}.`);
  const missing = Object.keys(ask.types).find((name) => !names.has(name));
  if (missing !== undefined) {
    throw refuse(
      `/types/${missing}`,
      `The source has no column "${missing}"; it has ${[...names].slice(0, 40).join(', ')}.`,
    );
  }
}
