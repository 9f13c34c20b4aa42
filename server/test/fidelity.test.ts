import { after, before, suite, test } from 'node:test';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import { jsonTable, nestedTable, simpleTable, type Table, type TableColumn } from './arbitrary-table.ts';
import { DOCUMENT_ID, documentNames, layoutOf } from './compare-pdf.ts';
import { fc } from './draws.ts';
import { FidelityGround, whyNoReaders } from './fidelity-ground.ts';
import { format } from './table-export.ts';

/** Random tables of each test; the soak draws many, and DRAYAGE_FIDELITY_RUNS says how many. */
const RUNS = Number(process.env.DRAYAGE_FIDELITY_RUNS ?? (process.env.DRAYAGE_SOAK === undefined ? 2 : 100));

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
    dialect: fc.constantFrom(undefined, 'rfc4180', 'excel', 'excel-eu', 'tsv'),
    delimiter: fc.constantFrom(undefined, ',', ';', '\t', '|', ' ', '.'),
    lineEnd: fc.constantFrom(undefined, 'lf', 'crlf'),
    bom: fc.boolean(),
    header: fc.boolean(),
    formulaGuard: fc.constantFrom(undefined, true),
    decimalComma: fc.constantFrom(undefined, true),
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

const jsonlFormat = fc.record({ type: fc.constant('jsonl'), ...jsonChoices }).map(format);

const parquetFormat = fc
  .record({
    type: fc.constant('parquet'),
    nested: fc.constantFrom('structure', 'text'),
    compression: fc.constantFrom('snappy', 'zstd', 'none'),
    rowGroupRows: fc.constantFrom(undefined, 1000),
  })
  .map(format);

const xmlFormat = fc
  .record({
    type: fc.constant('xml'),
    root: fc.constantFrom(undefined, 'Rows.of-it'),
    row: fc.constantFrom(undefined, '_r'),
    instants,
  })
  .map(format);

const avroFormat = fc
  .record({
    type: fc.constant('avro'),
    codec: fc.constantFrom('null', 'deflate', 'zstandard'),
    nested: fc.constantFrom('structure', 'text'),
  })
  .map(format);

/** Some of the formats, with options drawn at random; what they are by default the tests of single values export. */
function someOf(...arbitraries: readonly fc.Arbitrary<FormatOptions>[]): fc.Arbitrary<readonly FormatOptions[]> {
  return fc.shuffledSubarray([...arbitraries], { minLength: 3, maxLength: 4 }).chain((chosen) => fc.tuple(...chosen));
}

const formats = someOf(csvFormat, jsonFormat, jsonlFormat, parquetFormat, xmlFormat, avroFormat);

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
    const outputs = someOf(csvFormat, jsonFormat, jsonlFormat, xmlFormat, avroFormat);
    await fc.assert(fc.asyncProperty(jsonTable, outputs, assertSurvives), BOUNDED);
  });

  test('lists, structs and maps of each other', async () => {
    await fc.assert(fc.asyncProperty(nestedTable, formats, assertSurvives), BOUNDED);
  });

  test('records attached to documents', async () => {
    for (const tables of [simpleTable, nestedTable])
      await fc.assert(
        fc.asyncProperty(tables.map(named), (table) => assertSurvives(table, [layoutOf(table.columns)])),
        BOUNDED,
      );
  });
});

/** The table with a column that documents are named by. */
function named({ columns, rows }: Table): Table {
  const values = documentNames(rows);
  return { rows, columns: [...columns, { name: DOCUMENT_ID, type: { is: 'text' }, isDeclared: false, values }] };
}

/** Milliseconds are nothing a source tells of by itself. */
function declared({ columns }: Table): Readonly<Record<string, ColumnType>> {
  const isToBeTold = ({ type, isDeclared }: TableColumn) => isDeclared || nameOf(type) === 'instant(ms)';
  return Object.fromEntries(columns.filter(isToBeTold).map(({ name, type }) => [name, type]));
}
