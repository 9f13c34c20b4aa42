import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { Fault } from '../src/base/errors.ts';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import type { PlanAsk } from '../src/run/plan.ts';
import { straightRows } from '../src/run/straight.ts';
import type { SourceOptions } from '../src/source/options.ts';
import { postgresLists, postgresTable, type Table, type TableColumn } from './arbitrary-table.ts';
import type { Expected } from './compare-pairs.ts';
import { fc } from './draws.ts';
import { expectedOf, FidelityGround, LINES, manyLines, whyNoReaders } from './fidelity-ground.ts';
import { carriedOut, type ExportInput, exported, format, planOf } from './table-export.ts';
import { PostgresTables } from './table-postgres.ts';

/** Random tables of each test; the soak draws many, and DRAYAGE_FIDELITY_RUNS says how many. */
const RUNS = Number(process.env.DRAYAGE_FIDELITY_RUNS ?? (process.env.DRAYAGE_SOAK === undefined ? 2 : 100));

const BOUNDED = {
  numRuns: RUNS,
  interruptAfterTimeLimit: Math.max(60_000, RUNS * 5000),
  markInterruptAsFailure: false,
};

const CSV = format({ type: 'csv' });
const JSON_ARRAY = format({ type: 'json', nonFinite: 'string' });
const JSONL = format({ type: 'jsonl', nonFinite: 'string' });
const PARQUET = format({ type: 'parquet' });
const XML = format({ type: 'xml' });
const AVRO = format({ type: 'avro' });
const TEXTS = [CSV, JSON_ARRAY, JSONL];
const ALL = [...TEXTS, PARQUET, XML, AVRO];

/** What the server can write by itself. */
const straightCsv = fc
  .record({
    type: fc.constant('csv'),
    delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', '.', '-', ':'),
    bom: fc.boolean(),
    header: fc.boolean(),
    nullText: fc.constantFrom(undefined, '', 'NULL', '\\N', 'a', 'true', '0'),
  })
  .map(format);

/** JSON the server's rows become without the engine, unless it holds what an option is for. */
const straightJson = fc
  .record({
    type: fc.constantFrom('json', 'jsonl'),
    bigIntegers: fc.constantFrom('number', 'string'),
    nonFinite: fc.constant('string'),
    nested: fc.constantFrom('structure', 'structure', 'text'),
    instants: fc.constantFrom('iso', 'iso', 'epoch_ms'),
  })
  .map(format);

function needsEngine({ columns }: Table, one: FormatOptions): boolean {
  if (one.type !== 'json' && one.type !== 'jsonl') return false;
  const has = (is: ColumnType['is']) => columns.some(({ type }) => type.is === is);
  return (one.nested === 'text' && has('json')) || (one.instants !== 'iso' && has('instant'));
}

type Formats = readonly [csv: FormatOptions, json: FormatOptions, other: FormatOptions];

/** The CSV and the JSON, and what lands beside them. */
const formats: fc.Arbitrary<Formats> = fc.tuple(straightCsv, straightJson, fc.constantFrom(PARQUET, XML, AVRO));

suite('every value of a PostgreSQL table survives', { skip: whyNoReaders() }, () => {
  let ground: FidelityGround;
  let tables: PostgresTables;

  before(async () => {
    ground = await FidelityGround.open();
    tables = await PostgresTables.open(await ground.postgres.createDatabase());
  });

  after(async () => {
    await tables[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  /** The bytes of one output, made alone: by the server itself, or landed piece by piece. */
  async function alone(input: ExportInput & { source: SourceOptions }, one: FormatOptions, isStraight: boolean) {
    const plan = await planOf(input, askOf(one));
    assert.equal(plan.outputs[0] && straightRows(plan, plan.outputs[0]) !== null, isStraight, 'straight');
    assert.equal(plan.live?.landing, null);
    const [path = ''] = await carriedOut(plan, ground.folder, input.source);
    return readFile(path);
  }

  /** The table goes out alone, landed with others, and from a database file of the engine, alike. */
  async function assertSurvives(table: Table, formats: Formats, isStraight: boolean): Promise<void> {
    const types = declared(table);
    const input = { source: await tables.write(table), types };
    const straight = formats.slice(0, 2);
    const landed = await exported(input, formats, ground.folder);
    await ground.assertHold(landed, formats, table);
    const { database } = await ground.writer.write(table);
    const twins = await exported({ file: database, types }, straight, ground.folder);
    for (const [at, twin] of twins.entries()) await assertSameBytes(await readFile(landed[at] ?? ''), twin);
    for (const [at, one] of straight.entries())
      await assertSameBytes(await alone(input, one, isStraight && !needsEngine(table, one)), landed[at] ?? '');
  }

  test('columns of every simple type', async () => {
    const property = fc.asyncProperty(postgresTable, formats, (table, chosen) => assertSurvives(table, chosen, true));
    await fc.assert(property, BOUNDED);
  });

  test('floats, arrays, and JSON that is declared', async () => {
    const property = fc.asyncProperty(postgresLists, formats, (table, chosen) => assertSurvives(table, chosen, false));
    await fc.assert(property, BOUNDED);
  });

  /** Exports the table alone and landed with others, and holds both against what is expected. */
  async function assertTable(statements: readonly string[], holds: Expected): Promise<void> {
    const source = await tables.make(statements, 't');
    const landed = await exported({ source }, ALL, ground.folder);
    await ground.assertHold(landed, ALL, holds);
    for (const [at, each] of TEXTS.entries()) {
      const [path = ''] = await exported({ source }, [each], ground.folder);
      await assertSameBytes(await readFile(path), landed[at] ?? '');
    }
    await tables.make(['drop table t'], 't');
  }

  test('17 MB of texts of many lines', async () => {
    const table = manyLines(2500);
    const phrase = LINES.replaceAll("'", "''").replaceAll('\n', '\\n');
    const source = await tables.make(
      [
        'create table t (id text, text text)',
        // Rows of one size stay in the order they come in.
        'alter table t alter text set storage external',
        `insert into t select row, repeat(E'${phrase}', 110 + (row * 37) % 29) from generate_series(0, 2499) row`,
      ],
      't',
    );
    const input = { source };
    for (const formats of [[CSV, PARQUET], [AVRO]])
      await ground.assertHold(await exported(input, formats, ground.folder), formats, table);
    await tables.make(['drop table t'], 't');
  });

  async function assertRefused(input: ExportInput, fault: RegExp): Promise<void> {
    for (const each of [CSV, JSONL, PARQUET]) {
      await assert.rejects(exported(input, [each], ground.folder), (error) => {
        assert.ok(error instanceof Fault);
        assert.match(`${error.code}: ${error.message}`, fault, each.type);
        return true;
      });
    }
  }

  test('numbers at their ends', async () => {
    const widest = 10n ** 38n - 1n;
    await assertTable(
      [
        'create table t (i2 int2, i4 int4 not null, i8 int8, o oid, w numeric(38,0), m numeric(38,10), f numeric(38,38), n numeric, s numeric(5,-2))',
        `insert into t values
          (32767, 2147483647, 9223372036854775807, 4294967295, ${widest}, ${widest}e-10, ${widest}e-38, 1.10, 12345),
          (-32768, -2147483648, -9223372036854775808, 0, -${widest}, -${widest}e-10, -${widest}e-38, '-0.000', 0),
          (0, 0, 0, 0, 0, '0.0000000001', '1e-38', '1e40', 99999),
          (1, 1, 1, 1, 1, 1, 0.5, 'NaN', 50),
          (null, 1, null, null, null, null, null, '-Infinity', null)`,
      ],
      expectedOf(
        ['i2', 'int32', [32767n, -32768n, 0n, 1n, null]],
        ['i4', 'int32', [2147483647n, -2147483648n, 0n, 1n, 1n]],
        ['i8', 'int64', [2n ** 63n - 1n, -(2n ** 63n), 0n, 1n, null]],
        ['o', 'int64', [4294967295n, 0n, 0n, 1n, null]],
        ['w', 'decimal(38,0)', [widest, -widest, 0n, 1n, null]],
        ['m', 'decimal(38,10)', [widest, -widest, 1n, 10n ** 10n, null]],
        ['f', 'decimal(38,38)', [widest, -widest, 1n, 5n * 10n ** 37n, null]],
        ['n', 'text', ['1.10', '0.000', `1${'0'.repeat(40)}`, 'NaN', '-Infinity']],
        ['s', 'text', ['12300', '0', '100000', '100', null]],
      ),
    );
  });

  test('floats at their ends', async () => {
    await assertTable(
      [
        'create table t (r real, d float8)',
        `insert into t values ('NaN', 'NaN'), ('Infinity', '-Infinity'), ('-0', '-0'), ('3.4028235e38', '5e-324'), ('1e-45', '1.7976931348623157e308')`,
      ],
      expectedOf(
        ['r', 'float32', [Number.NaN, Number.POSITIVE_INFINITY, -0, Math.fround(3.4028235e38), Math.fround(1e-45)]],
        ['d', 'float64', [Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324, Number.MAX_VALUE]],
      ),
    );
  });

  test('dates and times at their ends', async () => {
    const day = 86_400_000_000n;
    const first = -2_440_588n * day;
    const last = 2n ** 63n - 2n;
    await assertTable(
      [
        'create table t (d date, c time, l timestamp, i timestamptz, s timestamp(0))',
        `insert into t values
          ('4714-11-24 BC', '24:00:00', '4714-11-24 00:00:00 BC', '4714-11-24 00:00:00+00 BC', '0001-12-31 23:59:59 BC'),
          ('0001-12-31 BC', '23:59:59.999999', '0001-12-31 23:59:59.999999 BC', '0001-12-31 23:59:59.999999+00 BC', '2000-01-01'),
          ('0001-01-01', '00:00:00', '0001-01-01', '0001-01-01 00:00:00+00', null),
          ('9999-12-31', '00:00:00.000001', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', null),
          ('10000-01-01', null, '10000-01-01', '10000-01-01 00:00:00+00', null),
          ('5874897-12-31', null, '294247-01-10 04:00:54.775806', '294247-01-10 04:00:54.775806+00', null),
          ('infinity', null, 'infinity', 'infinity', 'infinity'),
          ('-infinity', null, '-infinity', '-infinity', '-infinity')`,
      ],
      expectedOf(
        ['d', 'date', [-2_440_588, -719_163, -719_162, 2_932_896, 2_932_897, 2_145_042_905, 'infinity', '-infinity']],
        ['c', 'time', [day, day - 1n, 0n, 1n, null, null, null, null]],
        ...['timestamp', 'instant'].map((type, at) => {
          const [one, end] = [-719_162n * day, 2_932_897n * day];
          return ['li'[at] ?? '', type, [first, one - 1n, one, end - 1n, end, last, 'infinity', '-infinity']] as const;
        }),
        [
          's',
          'timestamp',
          [-719_162n * day - 1_000_000n, 10_957n * day, null, null, null, null, 'infinity', '-infinity'],
        ],
      ),
    );
  });

  test('text of every kind', async () => {
    // What reads text that has landed would take the first line end of all for the end of a row.
    const texts = ['\r', '', ' ', 'a  ', 'NULL', '\\N', '\\.', '"', 'x\r\ny', '\n', '\u{feff}x', '=1', 'é😀', "'"];
    const long = 'wide, "quoted"\r\n'.repeat(2 ** 16);
    const all = [...texts, long];
    // A reader of the first cell could take it for the file's own mark.
    const ids = all.map((_, at) => `${at === 0 ? '\u{feff}' : ''}${at}`);
    const rows = all.map((text, at) => `('${ids[at]}', null, '${text.replaceAll("'", "''")}')`);
    await assertTable(
      [
        'create table t (id text, none varchar(3), cell text)',
        `insert into t values ${rows.join(', ')}, (null, null, null)`,
      ],
      expectedOf(
        ['id', 'text', [...ids, null]],
        ['none', 'text', Array(all.length + 1).fill(null)],
        ['cell', 'text', [...all, null]],
      ),
    );
  });

  test('text and JSON that JSON writes otherwise', async () => {
    const controls = Array.from({ length: 31 }, (_, at) => String.fromCharCode(at + 1)).join('');
    const texts = [
      controls,
      '\\',
      '\\N',
      'N',
      '\\n',
      '"',
      '"'.repeat(40),
      '\\"\t',
      '\u007f\u2028',
      `${controls}é`.repeat(3000),
    ];
    const documents = [
      '"\\n\\\\ \\"\\u000b"',
      '{"a"\n:\r\n\t[1.10,\tnull]}\n',
      ' "\\\\N" ',
      '[\n]',
      `"${'\\\\x'.repeat(70_000)}"`,
    ];
    const rows = [...texts.map((text) => [text, null]), ...documents.map((document) => [null, document])];
    const cell = (value: string | null) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`);
    const inserts = rows.map(([text = null, document = null]) => [text, document, text].map(cell).join(', '));
    const source = await tables.make(
      ['create table t (text text, "j\n""" json, last text)', `insert into t values (${inserts.join('), (')})`],
      't',
    );
    const landed = await exported({ source }, [JSON_ARRAY, JSONL], ground.folder);
    for (const [at, each] of [JSON_ARRAY, JSONL].entries()) {
      const plan = await planOf({ source }, askOf(each));
      assert.ok(plan.outputs[0] && straightRows(plan, plan.outputs[0]));
      const [path = ''] = await carriedOut(plan, ground.folder, source);
      await assertSameBytes(await readFile(path), landed[at] ?? '');
    }
    const lines = (await readFile(landed[1] ?? '', 'utf8')).trimEnd().split('\n');
    const holds = rows.map(([text, document]) => [text, document == null ? null : JSON.parse(document), text]);
    assert.deepEqual(
      lines.map((line) => Object.values(JSON.parse(line))),
      holds,
    );
    await tables.make(['drop table t'], 't');
  });

  /** What the server's text alone does not tell, or has no room for. */
  const throughEngine: [what: string, columns: string, values: string, one: FormatOptions][] = [
    ['JSON as text', 'j json', `'{"a": "b"}'`, format({ type: 'jsonl', nested: 'text' })],
    ['epochs', 'i timestamptz', "'2026-01-31 00:00:00+00'", format({ type: 'jsonl', instants: 'epoch_ms' })],
    ['names of 52 KB', longNames(800).join(' int, ').concat(' int'), Array(800).fill(1).join(), JSONL],
  ];
  for (const [what, columns, values, one] of throughEngine) {
    test(`${what}: through the engine`, async () => {
      const source = await tables.make([`create table t (${columns})`, `insert into t values (${values})`], 't');
      const [landed = ''] = await exported({ source }, [one, AVRO], ground.folder);
      await assertSameBytes(await alone({ source }, one, false), landed);
      await tables.make(['drop table t'], 't');
    });
  }

  test('types that have no twin', async () => {
    const tree = { o: [['a', { a: [{ n: '1.10' }, null] }]] } as const;
    await assertTable(
      [
        `create type mood as enum ('sad', 'so, so')`,
        'create domain amount as numeric(6,2) not null',
        'create domain moods as mood[]',
        'create type pair as (a int, b text)',
        'create table t (e mood, m amount, es moods, n int[], c text[], p pair, j jsonb, k json, v interval, a inet, h char(4), b bit(3), z timetz, u xml, g int[][], ks json[])',
        `insert into t values
          ('so, so', 1.5, '{sad,NULL}', '{1,NULL,-2147483648}', '{"",NULL,"a,\\"b\\"",NULL}', '(1,"x, y")', '{"a": [1.10, null]}', '{"a" : [1.10,null] }', '1 day 02:00', '10.0.0.1/8', 'ab', '101', '12:00+02', '<a/>', '{}', array['[ 1.10]', null]::json[]),
          ('sad', -9999.99, '{}', '{}', '{}', '(,"")', '"\\u00e9"', '"\\u00e9"', '-1 mon', '::1', '', '000', '00:00+00', '', '{1}', '{}'),
          (null, 0, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`,
      ],
      expectedOf(
        ['e', 'text', ['so, so', 'sad', null]],
        ['m', 'decimal(6,2)', [150n, -999_999n, 0n]],
        ['es', 'list(text)', [['sad', null], [], null]],
        ['n', 'list(int32)', [[1n, null, -2147483648n], [], null]],
        ['c', 'list(text)', [['', null, 'a,"b"', null], [], null]],
        [
          'p',
          'json',
          [
            {
              text: '{"a":1,"b":"x, y"}',
              tree: {
                o: [
                  ['a', { n: '1' }],
                  ['b', { s: 'x, y' }],
                ],
              },
            },
            {
              text: '{"a":null,"b":""}',
              tree: {
                o: [
                  ['a', null],
                  ['b', { s: '' }],
                ],
              },
            },
            null,
          ],
        ],
        ['j', 'json', [{ text: '{"a": [1.10, null]}', tree }, { text: '"é"', tree: { s: 'é' } }, null]],
        ['k', 'json', [{ text: '{"a" : [1.10,null] }', tree }, { text: '"\\u00e9"', tree: { s: 'é' } }, null]],
        ['v', 'text', ['1 day 02:00:00', '-1 mons', null]],
        ['a', 'text', ['10.0.0.1/8', '::1', null]],
        ['h', 'text', ['ab  ', '    ', null]],
        ['b', 'text', ['101', '000', null]],
        ['z', 'text', ['12:00:00+02', '00:00:00+00', null]],
        ['u', 'text', ['<a/>', '', null]],
        ['g', 'list(int32)', [[], [1n], null]],
        ['ks', 'list(json)', [[{ text: '[ 1.10]', tree: { a: [{ n: '1.10' }] } }, null], [], null]],
      ),
    );
  });

  test('types the engine has no twin of are told by the server as they land', async () => {
    const source = await tables.make(
      [
        "create type feeling as enum ('sad', 'so, so')",
        'create type part as (a int, b text)',
        'create table told (e feeling, p part, v interval, a inet, h char(4), z timetz, u xml, n numeric, i int, s name)',
        `insert into told values
          ('so, so', '(1,)', '1 day 02:00', '10.0.0.1/8', 'ab', '12:00+02', '<a/>', 'NaN', 7, '\\.'),
          ('sad', '(,)', '-1 mon', '::1', '', '00:00+00', '', '-Infinity', -7, ''),
          (null, null, null, null, null, null, null, null, null, null)`,
      ],
      'told',
    );
    const input = { source, types: { p: { is: 'text' }, i: { is: 'text' } } } as const;
    const landed = await exported(input, [CSV, JSONL, PARQUET], ground.folder);
    for (const [at, one] of [CSV, JSONL].entries())
      await assertSameBytes(await alone(input, one, true), landed[at] ?? '');
    assert.match(await readFile(landed[1] ?? '', 'utf8'), /"p":"\(1,\)".*\n.*"p":"\(,\)"/);
  });

  test('names of columns hold anything', async () => {
    const names = ['a "quoted" one', ' spaces ', 'dot.ted', '😀', 'Upper', 'upper_', 'line\nend\r\n', ',', "it's"];
    const more = ['\\', '{files}', '$1', '=1+1', '__proto__', '0', 'select', 'drayage_first', 'file_row_number'];
    const all = [...names, ...more, 'ü'.repeat(31), 'x'.repeat(63), 'null', 'relation', 'filename', 'row'];
    const columns = all.map((name) => `"${name.replaceAll('"', '""')}"`);
    await assertTable(
      [
        `create table t (${columns.map((column) => `${column} int8`).join(', ')})`,
        `insert into t values (${all.map((_, at) => at).join(', ')})`,
      ],
      expectedOf(...all.map((name, at) => [name, 'int64', [BigInt(at)]] as const)),
    );
  });

  test('what cannot be exported as its type is refused', async () => {
    const source = await tables.make(
      [
        'create table refused (id int, n numeric, m int[][], d numeric(9,2))',
        "insert into refused values (1, 1.5, '{1}', 1), (2, 1.25, '{{1,2},{3,4}}', 'NaN')",
      ],
      'refused',
    );
    const types = { n: { is: 'decimal', precision: 10, scale: 1 } } as const;
    await assertRefused({ source }, /^value\.refused: /);
    await assertRefused({ source, types }, /^value\.refused: /);
  });

  test('a value that is refused is told by its row and column, whichever way it went', async () => {
    const rows = [
      'create table nan (id int, d numeric(9,2))',
      "insert into nan values (1, 1.5), (2, null), (3, 'NaN')",
    ];
    await assertRefused(
      { source: await tables.make(rows, 'nan') },
      /row 3, column d, counted from page 0 of the table/,
    );
  });

  test('bytes that are no UTF-8 are refused', async () => {
    await using ascii = await PostgresTables.open(await ground.postgres.createDatabase('SQL_ASCII'));
    const rows = ['create table t (id int, cell text)', "insert into t values (1, 'é'), (2, null), (3, E'a\\xff')"];
    const source = await ascii.make(rows, 't');
    await assertRefused({ source }, /^value\.refused: /);
    await ascii.make(['delete from t where id = 3'], 't');
    await ground.assertExports({ source }, ALL, expectedOf(['id', 'int32', [1n, 2n]], ['cell', 'text', ['é', null]]));
  });

  test('other encodings come out as UTF-8', async () => {
    await using latin = await PostgresTables.open(await ground.postgres.createDatabase('LATIN1'));
    const source = await latin.make(['create table t (id int, cell text)', "insert into t values (1, 'é¿')"], 't');
    await ground.assertExports({ source }, ALL, expectedOf(['id', 'int32', [1n]], ['cell', 'text', ['é¿']]));
  });
});

function askOf(...formats: readonly FormatOptions[]): PlanAsk {
  return { outputs: formats.map((each) => ({ format: each, compression: { type: 'none' } })) };
}

function longNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `n${String(at).padStart(62, '_')}`);
}

async function assertSameBytes(bytes: Buffer, path: string): Promise<void> {
  const other = await readFile(path);
  // Text tells more of a difference than bytes do.
  if (!bytes.equals(other)) assert.equal(bytes.toString(), other.toString());
  assert.ok(bytes.equals(other));
}

/** Milliseconds are nothing a source tells of by itself. */
function declared({ columns }: Table): Readonly<Record<string, ColumnType>> {
  const isToBeTold = ({ type, isDeclared }: TableColumn) => isDeclared || nameOf(type) === 'instant(ms)';
  return Object.fromEntries(columns.filter(isToBeTold).map(({ name, type }) => [name, type]));
}
