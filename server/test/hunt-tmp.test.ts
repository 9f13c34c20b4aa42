import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import type { ColumnType } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import { jsonTable, nestedTable, simpleTable, type Table } from './arbitrary-table.ts';
import { assertHolds, type Readers } from './compare-files.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { PythonJson, whyNoPython } from './readers/python-json.ts';
import { type ExportInput, exported, format } from './table-export.ts';
import { TableWriter } from './table-files.ts';

/** Bounds a failing test as well: what is found until then is reported, if not as small as it could be. */
const RUNS = Number(process.env.RUNS ?? 15);

const BOUNDED = { interruptAfterTimeLimit: 400_000, markInterruptAsFailure: false };

let folder = '';
let writer: TableWriter;
let readers: Readers;

async function assertExports(input: ExportInput, table: Table, formats: readonly FormatOptions[]): Promise<void> {
  const stages = await mkdtemp(join(folder, 'export-'));
  const paths = await exported(input, formats, stages);
  for (const [at, options] of formats.entries()) await assertHolds(paths[at] ?? '', options, table, readers);
  await rm(stages, { recursive: true });
}

function declared({ columns }: Table): Readonly<Record<string, ColumnType>> {
  return Object.fromEntries(columns.filter(({ isDeclared }) => isDeclared).map(({ name, type }) => [name, type]));
}

const instants = fc.constantFrom('iso', 'epoch_s', 'epoch_ms', 'epoch_us');

const csvFormat = fc
  .record({
    type: fc.constant('csv'),
    delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', '.'),
    lineEnd: fc.constantFrom('lf', 'crlf'),
    bom: fc.boolean(),
    header: fc.boolean(),
    nullText: fc.constantFrom(undefined, '', 'NULL', '\\N', '-', 'a'),
    instants,
  })
  .map(format);

const jsonChoices = {
  instants,
  bigIntegers: fc.constantFrom('number', 'string'),
  nonFinite: fc.constantFrom('null', 'string'),
  nested: fc.constantFrom('structure', 'text'),
};

const jsonFormat = fc.record({ type: fc.constant('json'), ...jsonChoices }).map(format);

/** Every format as it is by default (but for NaN, which JSON then refuses), and with options drawn at random. */
const formats = fc.tuple(
  fc.constant(format({ type: 'csv' })),
  csvFormat,
  jsonFormat,
  fc.constant(format({ type: 'jsonl', nonFinite: 'string' })),
  fc.record({ type: fc.constant('jsonl'), ...jsonChoices }).map(format),
  fc.constant(format({ type: 'parquet' })),
  fc.constant(format({ type: 'parquet', nested: 'text' })),
);

suite('every value survives', { skip: whyNoPostgres() || whyNoPython() }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fidelity-'));
    writer = await TableWriter.open(folder);
    readers = { postgres: await PostgresReader.start(), python: new PythonJson() };
  });

  after(async () => {
    await readers.postgres[Symbol.asyncDispose]();
    await readers.python[Symbol.asyncDispose]();
    writer[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });

  async function assertSurvives(table: Table, outputs: readonly FormatOptions[]): Promise<void> {
    const { database, parquet } = await writer.write(table);
    for (const file of [database, parquet]) await assertExports({ file, types: declared(table) }, table, outputs);
  }

  test('columns of every simple type', async () => {
    await fc.assert(fc.asyncProperty(simpleTable, formats, assertSurvives), { ...BOUNDED, numRuns: RUNS });
  });

  test('JSON that the engine would not parse', async () => {
    const outputs = fc.tuple(fc.constant(format({ type: 'csv' })), jsonFormat, fc.constant(format({ type: 'jsonl' })));
    await fc.assert(fc.asyncProperty(jsonTable, outputs, assertSurvives), { ...BOUNDED, numRuns: RUNS });
  });

  test('lists, structs and maps of each other', async () => {
    await fc.assert(fc.asyncProperty(nestedTable, formats, assertSurvives), { ...BOUNDED, numRuns: RUNS });
  });
});
