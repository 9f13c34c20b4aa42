import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Fault } from '../src/base/errors.ts';
import type { ColumnType } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import type { PlanAsk } from '../src/run/plan.ts';
import type { Expected } from './compare-pairs.ts';
import { DOCUMENT_ID, documentNames, layoutOf } from './compare-pdf.ts';
import { expectedOf, FidelityGround, whyNoReaders } from './fidelity-ground.ts';
import { readAvroSchema } from './readers/avro.ts';
import { readParquet } from './readers/parquet.ts';
import { carriedOut, exported, format, ONE_ENGINE, planOf } from './table-export.ts';

const CSV = format({ type: 'csv' });
const JSON_ARRAY = format({ type: 'json' });
const JSONL = format({ type: 'jsonl' });
const PARQUET = format({ type: 'parquet' });
const AS_TEXT = format({ type: 'parquet', nested: 'text' });
const XML = format({ type: 'xml' });
const AVRO = format({ type: 'avro' });
const ALL = [CSV, JSON_ARRAY, JSONL, PARQUET, XML, AVRO];

suite('values at the edges', { skip: whyNoReaders() }, () => {
  let ground: FidelityGround;

  before(async () => {
    ground = await FidelityGround.open();
  });

  after(() => ground[Symbol.asyncDispose]());

  async function assertTable(
    statements: readonly string[],
    holds: Expected,
    formats: readonly FormatOptions[] = ALL,
  ): Promise<void> {
    await ground.assertExports({ file: await ground.writer.make(statements) }, formats, holds);
    if (formats === ALL) await assertRecords(statements, holds);
  }

  /** The same rows as records of documents, which a column more names. */
  async function assertRecords(statements: readonly string[], holds: Expected): Promise<void> {
    const naming = [
      `alter table t add column ${DOCUMENT_ID} varchar`,
      `update t set ${DOCUMENT_ID} = concat('row-', rowid)`,
    ];
    const file = await ground.writer.make([...statements, ...naming]);
    const [id] = expectedOf([DOCUMENT_ID, 'text', documentNames(holds.rows)]).columns;
    assert.ok(id);
    const columns = [...holds.columns, id];
    await ground.assertExports({ file }, [layoutOf(columns)], { ...holds, columns });
  }

  async function assertRefused(
    file: string,
    formats: readonly FormatOptions[],
    fault: RegExp,
    types: Readonly<Record<string, ColumnType>> = {},
  ): Promise<void> {
    for (const each of formats) {
      await assert.rejects(exported({ file, types }, [each], ground.folder), (error) => {
        assert.ok(error instanceof Fault);
        assert.match(`${error.code}: ${error.message}`, fault, each.type);
        return true;
      });
    }
  }

  test('no rows give a header, an empty array, no lines and a readable Parquet', async () => {
    const file = await ground.writer.make(['create table t (id integer, "the name" varchar, list varchar[])']);
    const paths = await exported({ file }, ALL, ground.folder);
    const [csv = '', json = '', jsonl = '', parquet = '', ...others] = paths;
    assert.equal(await readFile(csv, 'utf8'), 'id,the name,list\n');
    assert.deepEqual(JSON.parse(await readFile(json, 'utf8')), []);
    assert.equal(await readFile(jsonl, 'utf8'), '');
    assert.deepEqual(await readParquet(parquet), {
      columns: [
        { name: 'id', type: 'int32' },
        { name: 'the name', type: 'text' },
        { name: 'list', type: 'list(text)' },
      ],
      rows: [],
    });
    const none = expectedOf(['id', 'int32', []], ['the name', 'text', []], ['list', 'list(text)', []]);
    await ground.assertHold(others, [XML, AVRO], none);
  });

  test('a CSV of one nullable column needs a text for NULL', async () => {
    const rows = ['create table t (a varchar)', "insert into t values (null), (''), ('x'), (null)"];
    const file = await ground.writer.make(rows);
    await assertRefused(file, [CSV], /^request\.invalid: .*nullText/);
    const holds = expectedOf(['a', 'text', [null, '', 'x', null]]);
    await ground.assertExports({ file }, [format({ type: 'csv', nullText: 'NULL' }), JSONL, PARQUET, XML, AVRO], holds);
    await assertTable(
      ['create table t (a varchar not null)', "insert into t values (''), ('x'), (' ')"],
      expectedOf(['a', 'text', ['', 'x', ' ']]),
    );
  });

  test('names of columns hold anything', async () => {
    const names = [
      'a "quoted" name',
      ' spaces ',
      'dot.ted.name',
      '😀🏴',
      'line\nend\r\n',
      ',',
      ';',
      "it's",
      '\\',
      '{files}',
      '#',
      'שם',
      '$0',
      '=1+1',
      '\t',
      '__proto__',
      '0',
    ];
    const columns = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    const values = names.map((_, at) => `${at}`);
    await assertTable(
      [
        `create table t (${columns.map((column) => `${column} bigint`).join(', ')})`,
        `insert into t values (${values.join(', ')})`,
      ],
      expectedOf(...names.map((name, at) => [name, 'int64', [BigInt(at)]] as const)),
    );
  });

  test('NaN and infinities are refused in JSON unless it is told what to write', async () => {
    for (const value of ['NaN', 'Infinity', '-Infinity']) {
      const file = await ground.writer.make([
        'create table t (id integer, ratio double)',
        `insert into t values (1, 0.5), (2, null), (3, '${value}')`,
      ]);
      await assertRefused(file, [JSON_ARRAY, JSONL], /^value\.refused: .*row 3, column ratio/);
    }
    const ratios = [0.5, null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    await assertTable(
      [
        'create table t (id integer, ratio double)',
        "insert into t values (1, 0.5), (2, null), (3, 'NaN'), (4, 'Infinity'), (5, '-Infinity')",
      ],
      expectedOf(['id', 'int32', [1n, 2n, 3n, 4n, 5n]], ['ratio', 'float64', ratios]),
      [
        CSV,
        PARQUET,
        XML,
        AVRO,
        format({ type: 'json', nonFinite: 'null' }),
        format({ type: 'jsonl', nonFinite: 'string' }),
      ],
    );
    const nested = await ground.writer.make([
      'create table t (id integer, pair struct(a float[]))',
      "insert into t values (1, {'a': [1, 'NaN'::float]})",
    ]);
    await assertRefused(nested, [JSON_ARRAY, JSONL], /^value\.refused: .*row 1, column pair/);
  });

  test('a zero keeps its sign', async () => {
    const statements = [
      'create table t (small float, big double, list double[])',
      "insert into t values ('-0', '-0', ['-0'])",
    ];
    const zero = [-0];
    await assertTable(
      statements,
      expectedOf(['small', 'float32', zero], ['big', 'float64', zero], ['list', 'list(float64)', [zero]]),
    );
  });

  test('text that is no JSON is refused in a column of JSON', async () => {
    const wrong = [
      '{',
      '',
      'x',
      '[1,]',
      '{"a":1,}',
      'NaN',
      '[Infinity]',
      '-inf',
      '01',
      '+1',
      '.5',
      '1.',
      "{'a':1}",
      '[1]x',
      '"a\nb"',
      '"\\x"',
      '"\\u12"',
      '"\\\\ud83d',
      '/* */1',
      'undefined',
      '\u00a01',
    ];
    const names = wrong.map((_, at) => `doc_${at}`);
    const texts = wrong.map((text) => `'${text.replaceAll("'", "''")}'`);
    const file = await ground.writer.make([
      `create table t (id integer, ${names.map((name) => `${name} varchar`).join(', ')})`,
      `insert into t values (1, ${names.map(() => "'[1.10]'").join(', ')}), (2${', null'.repeat(wrong.length)}), (3, ${texts.join(', ')})`,
    ]);
    const types = Object.fromEntries(names.map((name) => [name, { is: 'json' } as const]));
    const ask: PlanAsk = { outputs: [{ format: JSONL, compression: { type: 'none' } }] };
    const plan = await planOf({ file, types }, ask, ONE_ENGINE);
    for (const [at, text] of wrong.entries()) {
      // The engine's own parser, which writes Parquet, takes some of these; it takes no part in JSON lines.
      const formats = /^(NaN|\[1,\]|\[Infinity\]|x)$/.test(text) ? [JSONL, PARQUET, AS_TEXT] : [JSONL];
      const columns = plan.query.columns.filter(({ name }) => name === 'id' || name === names[at]);
      for (const each of formats) {
        const outputs = plan.outputs.map((output) => ({ ...output, format: each }));
        const refusal = { code: 'value.refused', message: new RegExp(`row 3, column ${names[at]}\\b`) };
        const alone = { ...plan, query: { ...plan.query, columns }, outputs };
        await assert.rejects(carriedOut(alone, ground.folder), refusal, `${each.type}: ${text}`);
      }
    }
  });

  test('JSON that Parquet of the engine cannot annotate is refused there, not changed', async () => {
    const file = await ground.writer.make(['create table t (doc varchar)', `insert into t values ('"\\ud83d"')`]);
    await assertRefused(file, [PARQUET], /^value\.refused: .*row 1, column doc/, { doc: { is: 'json' } });
  });

  test('half of a surrogate pair is refused in a record, which has no form for it', async () => {
    const file = await ground.writer.make([
      `create table t (${DOCUMENT_ID} varchar, doc varchar)`,
      `insert into t values ('a', '"\\ud83d\\ude00"'), ('b', '{"\\ud83d": 1}')`,
    ]);
    const document = layoutOf([{ name: 'doc' }]);
    await assertRefused(file, [document], /^value\.refused: Row 2 has half of a surrogate pair/, {
      doc: { is: 'json' },
    });
  });

  test('types that have no twin are carried by the next wider one', async () => {
    const statements = [
      "create type mood as enum ('sad', 'so, so', 'happy')",
      'create table t (a tinyint, b smallint, c utinyint, d usmallint, e uinteger, f ubigint, g hugeint, h uhugeint, i mood, j timestamp_s, k timestamp_ms, l decimal(4,4))',
      `insert into t values
        (-128, -32768, 255, 65535, 4294967295, 18446744073709551615, 99999999999999999999999999999999999999, 99999999999999999999999999999999999999, 'so, so', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999', -0.0001),
        (127, 32767, 0, 0, 0, 0, -99999999999999999999999999999999999999, 0, 'happy', '9999-12-31 23:59:59', '0001-01-01 00:00:00.001', 0.9999),
        (null, null, null, null, null, null, null, null, null, null, null, null)`,
    ];
    const widest = 10n ** 38n - 1n;
    await assertTable(
      statements,
      expectedOf(
        ['a', 'int32', [-128n, 127n, null]],
        ['b', 'int32', [-32768n, 32767n, null]],
        ['c', 'int32', [255n, 0n, null]],
        ['d', 'int32', [65535n, 0n, null]],
        ['e', 'int64', [4294967295n, 0n, null]],
        ['f', 'decimal(20,0)', [18446744073709551615n, 0n, null]],
        ['g', 'decimal(38,0)', [widest, -widest, null]],
        ['h', 'decimal(38,0)', [widest, 0n, null]],
        ['i', 'text', ['so, so', 'happy', null]],
        ['j', 'timestamp', [-1_000_000n, 253_402_300_799_000_000n, null]],
        ['k', 'timestamp', [-1000n, -62_135_596_799_999_000n, null]],
        ['l', 'decimal(4,4)', [-1n, 9999n, null]],
      ),
    );
  });

  test('a 39th digit is refused', async () => {
    const file = await ground.writer.make([
      'create table t (id integer, big hugeint)',
      "insert into t values (1, 1), (2, '170141183460469231731687303715884105727')",
    ]);
    await assertRefused(file, [CSV, JSONL, PARQUET, AVRO], /^value\.refused: .*row 2, column big/);
  });

  test('an interval is refused before anything is written', async () => {
    const file = await ground.writer.make(['create table t (id integer, span interval)']);
    await assertRefused(file, [CSV, PARQUET], /^source\.refused: .*span.*INTERVAL/);
    const nested = await ground.writer.make(['create table t (id integer, spans struct(a interval)[])']);
    await assertRefused(nested, [CSV, PARQUET], /^source\.refused: .*spans.*INTERVAL/);
  });

  test('instants follow a pattern', async () => {
    const micros = [
      0n,
      -1n,
      1n,
      1_709_251_199_999_999n,
      253_402_300_799_999_999n,
      -62_135_596_800_000_000n,
      43_200_000_000n,
      951_868_799_123_456n,
    ];
    const rows = micros.map((each, at) => `(${at}, make_timestamptz(${each}))`).join(', ');
    const statements = [
      'create table t (id integer, moment timestamptz)',
      `insert into t values ${rows}, (8, null), (9, 'infinity'), (10, '-infinity')`,
    ];
    const holds = expectedOf(
      ['id', 'int32', Array.from({ length: 11 }, (_, at) => BigInt(at))],
      ['moment', 'instant', [...micros, null, 'infinity', '-infinity']],
    );
    for (const instants of [
      '%Y-%m-%d %H:%M:%S.%f+00:00',
      '%d/%m/%y %I:%M:%S %p',
      '%Y%j %g%%',
      'epoch_s',
      'epoch_ms',
      'epoch_us',
      'iso',
    ]) {
      const formats = ['csv', 'json', 'jsonl'].map((type) => format({ type, instants }));
      await assertTable(statements, holds, formats);
    }
  });

  test('milliseconds are those that have passed, and a day ends at 24:00', async () => {
    const micros = [0n, -1n, -1000n, -1001n, 999n, 1000n, 1_709_251_199_999_999n, -62_135_596_800_000_001n];
    const rows = micros.map((each) => `(make_timestamptz(${each}), time '24:00:00')`).join(', ');
    const file = await ground.writer.make([
      'create table t (moment timestamptz, clock time)',
      `insert into t values ${rows}, (null, null), ('infinity', '00:00:00')`,
    ]);
    const day = 86_400_000_000n;
    const holds = expectedOf(
      ['moment', 'instant(ms)', [...micros, null, 'infinity']],
      ['clock', 'time', [...micros.map(() => day), null, 0n]],
    );
    await ground.assertExports({ file, types: { moment: { is: 'instant', unit: 'ms' } } }, ALL, holds);
  });

  test('a formula guard marks text, and only text, that a spreadsheet would run', async () => {
    const [texts, guarded] = [
      ['=1', '+1', '-1', '@a', '\tx', '\rx', '＝1', "'=1", 'a=1', ''],
      ["'=1", "'+1", "'-1", "'@a", "'\tx", "'\rx", "'＝1", "'=1", 'a=1', ''],
    ];
    const rows = texts.map((text) => `('${text.replaceAll("'", "''")}', -1)`).join(', ');
    const statements = ['create table t ("=name" varchar, n integer)', `insert into t values ${rows}`];
    const numbers = texts.map(() => -1n);
    const holds = expectedOf(["'=name", 'text', guarded], ['n', 'int32', numbers]);
    await assertTable(statements, holds, [format({ type: 'csv', formulaGuard: true })]);
    await assertTable(statements, expectedOf(['=name', 'text', texts], ['n', 'int32', numbers]), [CSV]);
  });

  test('names of fields are legal in Avro, and tell what they stand for', async () => {
    const columns = ['a-b', 'a b', 'a_b', '1st', 'ü', '', '_'].filter((name) => name !== '');
    const file = await ground.writer.make([
      `create table t (${columns.map((name) => `"${name}" int`).join(', ')}, s struct("x.y" int, "x y" int, x_y int))`,
      "insert into t values (1, 2, 3, 4, 5, 6, {'x.y': 7, 'x y': 8, 'x_y': 9})",
    ]);
    const [path = ''] = await exported({ file }, [AVRO], ground.folder);
    const { fields } = await readAvroSchema(path);
    assert.deepEqual(
      fields.map(({ name, originalName }) => [name, originalName]),
      [
        ['a_b_2', 'a-b'],
        ['a_b_3', 'a b'],
        ['a_b', undefined],
        ['_1st', '1st'],
        ['__2', 'ü'],
        ['_', undefined],
        ['s', undefined],
      ],
    );
  });

  test('a text of a megabyte comes through whole', async () => {
    const parts = ['a', '"', ',', '\\', '\n', '\r\n', '<', '&', ']]>', '\t', 'é', '😀', '\u0001', '\u{fffe}', "'"];
    const text = parts.join('').repeat(45_000);
    const file = join(ground.folder, 'long.jsonl');
    await writeFile(file, `${JSON.stringify({ id: '1', cell: text })}\n${JSON.stringify({ id: '2', cell: 'x' })}\n`);
    await ground.assertExports(
      { file },
      [format({ type: 'csv', dialect: 'excel' }), JSONL, PARQUET, XML, format({ type: 'avro', codec: 'zstandard' })],
      expectedOf(['id', 'text', ['1', '2']], ['cell', 'text', [text, 'x']]),
    );
  });

  test('what XML cannot carry is refused where that is asked for', async () => {
    const file = await ground.writer.make([
      'create table t (id int, cell varchar)',
      "insert into t values (1, 'a' || chr(9) || chr(10) || chr(13) || chr(127) || chr(133)), (2, 'b' || chr(1))",
    ]);
    await assertRefused(file, [format({ type: 'xml', controlChars: 'fail' })], /^value\.refused: .*row 2, column cell/);
  });

  test('a table as a CSV of its own goes in again', async () => {
    const file = join(ground.folder, 'again.csv');
    await writeFile(file, 'id,text\r\n1,"a ""b"", c\r\nd"\r\n2,\r\n3,""\r\n');
    const holds = expectedOf(['id', 'text', ['1', '2', '3']], ['text', 'text', ['a "b", c\r\nd', null, '']]);
    await ground.assertExports({ file }, ALL, holds);
  });
});
