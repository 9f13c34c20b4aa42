import { after, before, suite, test } from 'node:test';
import type { ColumnType } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import { jsonTable, nestedTable, simpleTable, type Table } from './arbitrary-table.ts';
import { fc } from './draws.ts';
import { FidelityGround, whyNoReaders } from './fidelity-ground.ts';
import { format } from './table-export.ts';

/** Random tables of each test; the soak draws many, and DRAYAGE_FIDELITY_RUNS says how many. */
const RUNS = Number(process.env.DRAYAGE_FIDELITY_RUNS ?? (process.env.DRAYAGE_SOAK === undefined ? 5 : 100));

/** Bounds a failing test as well: what is found until then is reported, if not as small as it could be. */
const BOUNDED = {
  numRuns: RUNS,
  interruptAfterTimeLimit: Math.max(60_000, RUNS * 5000),
  markInterruptAsFailure: false,
};

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

suite('every value of a table survives', { skip: whyNoReaders() }, () => {
  let ground: FidelityGround;

  before(async () => {
    ground = await FidelityGround.open();
  });

  after(() => ground[Symbol.asyncDispose]());

  /** The table goes out from a database file and from a Parquet file. */
  async function assertSurvives(table: Table, outputs: readonly FormatOptions[]): Promise<void> {
    const { database, parquet } = await ground.writer.write(table);
    const types = declared(table);
    const expected = { ...table, hasLostZeroSigns: true };
    for (const file of [database, parquet]) await ground.assertExports({ file, types }, outputs, expected);
  }

  test('columns of every simple type', async () => {
    await fc.assert(fc.asyncProperty(simpleTable, formats, assertSurvives), BOUNDED);
  });

  test('JSON that the engine would not parse', async () => {
    const outputs = fc.tuple(fc.constant(format({ type: 'csv' })), jsonFormat, fc.constant(format({ type: 'jsonl' })));
    await fc.assert(fc.asyncProperty(jsonTable, outputs, assertSurvives), BOUNDED);
  });

  test('lists, structs and maps of each other', async () => {
    await fc.assert(fc.asyncProperty(nestedTable, formats, assertSurvives), BOUNDED);
  });
});

function declared({ columns }: Table): Readonly<Record<string, ColumnType>> {
  return Object.fromEntries(columns.filter(({ isDeclared }) => isDeclared).map(({ name, type }) => [name, type]));
}
