import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import avsc from 'avsc';
import { MemorySink } from '../../test/memory-sink.ts';
import { identifier } from '../column/sql.ts';
import { type Column, type ColumnType, engineType } from '../column/type.ts';
import { parseType } from '../column/type-name.ts';
import { avro } from '../format/avro.ts';
import type { Joining } from '../format/format.ts';
import type { AvroOptions } from '../format/options.ts';
import type { ByteSink } from '../format/sink.ts';
import { AvroJoiner } from './join-avro.ts';

let folder = '';
let instance: DuckDBInstance;
let connection: DuckDBConnection;
let segments = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'avro-'));
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
});

after(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(folder, { recursive: true });
});

const PLAIN: AvroOptions = { type: 'avro', codec: 'null', nested: 'structure' };

type AvroJoining = Joining & { by: 'avro' };

function joiningOf(columns: readonly Column[], options: AvroOptions): AvroJoining {
  const joining = avro.joining(columns, options, 'seed');
  assert.ok(joining.by === 'avro');
  return joining;
}

/** Has the engine write the segment of a relation whose columns have the columns' names. */
async function segment(columns: readonly Column[], options: AvroOptions, relation: string): Promise<string> {
  const path = join(folder, `${segments++}.segment`);
  const { expressions, written } = avro.segment(columns, options);
  const list = expressions.map(({ sql }) => sql).join(', ');
  await connection.run(`copy (select ${list} from (${relation})) to '${path}' (${written})`);
  return path;
}

/** The bytes and the rows of the file that is made of the segments. */
async function fileOf(
  columns: readonly Column[],
  options: AvroOptions,
  paths: readonly string[],
): Promise<{ bytes: Buffer; rows: number }> {
  const sink = new MemorySink();
  const joiner = new AvroJoiner(sink, joiningOf(columns, options));
  for (const path of paths) await joiner.append({ path, held: null });
  await joiner.finish();
  assert.equal(sink.ended, true);
  return { bytes: sink.bytes, rows: joiner.rows };
}

/** Longs as bigint: avsc's own refuses those beyond 2^53. */
const longType = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

/** A long with a logical type is a long. */
function asLong(schema: unknown): avsc.Type | undefined {
  return (schema as { type?: unknown }).type === 'long' ? longType : undefined;
}

type Row = Record<string, unknown>;

/** Reads a file with avsc; nothing of ours takes part. */
async function decode(bytes: Buffer): Promise<{ rows: Row[]; schema: { fields: Row[] }; codec: string }> {
  const decoder = new avsc.streams.BlockDecoder({
    parseHook: (schema) =>
      avsc.Type.forSchema(schema, { registry: { long: longType }, typeHook: asLong, wrapUnions: false }),
    codecs: {
      ...avsc.streams.BlockDecoder.defaultCodecs(),
      zstandard: (data, callback) => callback(null, zstdDecompressSync(data)),
    },
  });
  let codec = '';
  let schema: { fields: Row[] } = { fields: [] };
  decoder.on('metadata', (_type: unknown, name: string, header: { meta: Record<string, Buffer> }) => {
    codec = name;
    schema = JSON.parse(String(header.meta['avro.schema']));
  });
  decoder.end(bytes);
  const rows: Row[] = [];
  for await (const row of decoder) rows.push({ ...row });
  return { rows, schema, codec };
}

function column(name: string, type: string | ColumnType, nullable = true): Column {
  return { name, type: typeof type === 'string' ? parseType(type, '') : type, nullable };
}

/** Reads back one column of SQL values, each cast to the type's engine type. */
async function roundTrip(type: string, values: readonly string[], options = PLAIN): Promise<unknown[]> {
  const only = column('v', type);
  const cells = values.map((value) => `(${value})`).join(', ');
  const relation = `select v::${engineType(only.type)} as v from (values ${cells}) t(v)`;
  const path = await segment([only], options, relation);
  const { bytes, rows } = await fileOf([only], options, [path]);
  const read = await decode(bytes);
  assert.equal(rows, values.length);
  return read.rows.map((row) => row.v);
}

function decimal(bytes: unknown): bigint | null {
  if (bytes === null) return null;
  assert.ok(Buffer.isBuffer(bytes));
  const value = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  const isShortest = bytes.length === 1 || BigInt.asIntN((bytes.length - 1) * 8, value) !== value;
  assert.ok(isShortest, `${value} takes ${bytes.length} bytes`);
  return value;
}

test('integers are exact to their extremes', async () => {
  const near = [8, 16, 28, 31, 32, 35, 42, 49, 53, 56, 63].flatMap((bits) => {
    const value = 2n ** BigInt(bits);
    return [value - 1n, value, value + 1n, -value, 1n - value, -value - 1n];
  });
  const tens = Array.from({ length: 19 }, (_, digits) => [10n ** BigInt(digits), 1n - 10n ** BigInt(digits)]).flat();
  const longs = [...near, ...tens, 0n].filter((value) => BigInt.asIntN(64, value) === value);
  assert.ok(longs.includes(-(2n ** 63n)) && longs.includes(2n ** 63n - 1n));
  assert.deepEqual(await roundTrip('int64', [...longs.map((value) => `'${value}'`), 'null']), [...longs, null]);
  const ints = longs.filter((value) => BigInt.asIntN(32, value) === value);
  assert.deepEqual(await roundTrip('int32', [...ints.map((value) => `'${value}'`), 'null']), [
    ...ints.map(Number),
    null,
  ]);
});

test('decimals of every width are exact and as short as can be', async () => {
  const cases: readonly [number, number][] = [
    [4, 4],
    [9, 2],
    [18, 4],
    [19, 0],
    [38, 0],
    [38, 38],
    [38, 10],
  ];
  for (const [precision, scale] of cases) {
    const all = Array.from({ length: precision }, (_, digits) => 10n ** BigInt(digits + 1) - 1n);
    const values = [0n, 1n, 127n, 128n, 255n, 256n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 10n ** 18n, ...all]
      .filter((value) => value < 10n ** BigInt(precision))
      .flatMap((value) => [value, -value]);
    const texts = values.map((value) => {
      const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
      return `'${value < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}'`;
    });
    const read = await roundTrip(`decimal(${precision},${scale})`, [...texts, 'null']);
    assert.deepEqual(read.map(decimal), [...values, null], `decimal(${precision},${scale})`);
  }
});

test('floating-point numbers are exact, signs of zero and infinities too', async () => {
  const numbers = [0, -0, 1, -1, 0.1, 1 / 3, 123456.789, 1e15, 999999999999999, 1e16, 1e22, 1e-7, 5e-324, -1.5e300];
  numbers.push(
    Number.MAX_VALUE,
    2 ** 53,
    123456789012345680,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2.2250738585072014e-308,
  );
  const text = (value: number) => `'${Object.is(value, -0) ? '-0.0' : value}'`;
  assert.deepEqual(await roundTrip('float64', [...numbers.map(text), 'null']), [...numbers, null]);
  const singles = [
    0.1,
    16777216,
    3.3e-5,
    1.401298464324817e-45,
    3.4028234663852886e38,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    1 / 3,
  ];
  const rounded = singles.map(Math.fround);
  assert.deepEqual(await roundTrip('float32', [...rounded.map(text), 'null']), [...rounded, null]);
});

test('dates and times count from 1970 both ways and keep infinities', async () => {
  const days = ["'1970-01-01'", "'1969-12-31'", "'0044-03-15 (BC)'", "'9999-12-31'", "'5881580-07-10'", "'infinity'"];
  const infinity = 2 ** 31 - 1;
  assert.deepEqual(await roundTrip('date', [...days, "'-infinity'", 'null']), [
    ...[0, -1, -735160, 2932896, infinity - 1, infinity, -infinity, null],
  ]);
  const times = ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'", 'null'];
  assert.deepEqual(await roundTrip('time', times), [0n, 86_399_999_999n, 86_400_000_000n, null]);
});

test('points in time are exact in the unit of their type', async () => {
  const forever = 2n ** 63n - 1n;
  const instants = [
    "'2026-01-31 23:59:59.123456+00'",
    "'1969-12-31 23:59:59.999999+00'",
    "'0044-03-15 (BC) 00:00:00+00'",
    "'294247-01-10 04:00:54.775806+00'",
    "'infinity'",
    "'-infinity'",
    'null',
  ];
  const micros = [1769903999123456n, -1n, -63517824000000000n, forever - 1n, forever, -forever, null];
  assert.deepEqual(await roundTrip('instant', instants), micros);
  const local = instants.map((text) => text.replace('+00', ''));
  assert.deepEqual(await roundTrip('timestamp', local), micros);
  const millis = [1769903999123n, -1n, -63517824000000n, 9223372036854775n, forever, -forever, null];
  assert.deepEqual(await roundTrip('instant(ms)', instants), millis);
  const nanos = [
    "'1969-12-31 23:59:59.999999999'",
    "'2262-04-11 23:47:16.854775806'",
    "'infinity'",
    "'-infinity'",
    'null',
  ];
  assert.deepEqual(await roundTrip('timestamp(ns)', nanos), [-1n, forever - 1n, forever, -forever, null]);
});

const TEXTS = [
  '',
  ' ',
  'NULL',
  '"',
  '""',
  ',',
  '\t',
  '\n',
  '\r\n',
  '#',
  '\\',
  '\\n',
  '\0',
  '\u{1f}',
  '\u{1}',
  '\u{1}\u{1}',
];
TEXTS.push('a\u{1}b\u{1f}c\nd', '\u{feff}bom', '😀👩‍👩‍👧', 'שלום', 'a "b", c', '\u{1}quoted\u{1}', '\u2028', '1[', '{');
for (const length of [1, 2, 3, 4, 5, 62, 63, 64, 65, 8191, 8192, 8193, 1_048_577]) TEXTS.push('ä'.repeat(length));

function sqlText(text: string): string {
  return `decode(from_hex('${Buffer.from(text).toString('hex')}'))`;
}

test('texts are the same to the byte', async () => {
  assert.deepEqual(await roundTrip('text', [...TEXTS.map(sqlText), 'null']), [...TEXTS, null]);
});

test('bytes, UUIDs, booleans and JSON text are themselves', async () => {
  const blobs = ['', '00', 'ff', '0001', '000102', '00010203', 'ff'.repeat(1000)];
  const read = await roundTrip('bytes', [...blobs.map((hex) => `from_hex('${hex}')`), 'null']);
  assert.deepEqual(
    read.map((value) => (value === null ? null : Buffer.from(value as Buffer).toString('hex'))),
    [...blobs, null],
  );
  const uuid = '0a6ff8cd-7b45-4b37-a3c1-0c5d6e7f8a9b';
  assert.deepEqual(await roundTrip('uuid', [`'${uuid}'`, 'null']), [uuid, null]);
  assert.deepEqual(await roundTrip('bool', ['true', 'false', 'null']), [true, false, null]);
  const json = ['{"a": 1.10, "b": [null, "x\\n\\""]}', '1', '"s"', 'null', '[1,\n2]'];
  assert.deepEqual(await roundTrip('json', [...json.map((text) => `'${text}'`), 'null']), [...json, null]);
});

test('nested values keep every value at any depth', async () => {
  const texts = TEXTS.slice(0, 26);
  const list = `[${texts.map(sqlText).join(', ')}, null]`;
  assert.deepEqual(await roundTrip('list(text)', [list, '[]', 'null', '[null]']), [[...texts, null], [], null, [null]]);
  const longs = await roundTrip('list(int64)', ['[9223372036854775807, -9223372036854775808, 0]']);
  assert.deepEqual(longs, [[2n ** 63n - 1n, -(2n ** 63n), 0n]]);
  assert.deepEqual(await roundTrip('list(list(int32))', ['[[1, null], [], null]', '[]']), [[[1, null], [], null], []]);
  const key = `map {'ä "q"': 1, ${sqlText('a\u{1}\u{1f}\nb')}: null, '': 3}`;
  assert.deepEqual(await roundTrip('map(text, int32)', [key, 'map {}', 'null']), [
    { 'ä "q"': 1, 'a\u{1}\u{1f}\nb': null, '': 3 },
    {},
    null,
  ]);
  assert.deepEqual(await roundTrip('map(int64, list(bool))', ['map {9007199254740993: [true, null]}']), [
    { '9007199254740993': [true, null] },
  ]);
  const [days] = await roundTrip('map(date, float64)', ["map {'2026-01-31'::date: 'nan'::double}"]);
  assert.deepEqual(days, { '2026-01-31': Number.NaN });
});

test('structs are records, and so is every leaf inside them', async () => {
  const type = 'struct(a int64, "b c" struct(d decimal(38,2), e instant), f list(struct(g bytes, h json, i uuid)))';
  const inner = "[{'g': ''::blob, 'h': '{\"x\":1.10}'::json, 'i': '0a6ff8cd-7b45-4b37-a3c1-0c5d6e7f8a9b'::uuid}, null]";
  const value = `{'a': 1, 'b c': {'d': -12345678901234567890.12, 'e': timestamptz '1970-01-01 00:00:01+00'}, 'f': ${inner}}`;
  const [row, missing, empty] = (await roundTrip(type, [
    value,
    'null',
    "{'a': null, 'b c': null, 'f': null}",
  ])) as Record<string, Record<string, unknown>>[];
  assert.equal(row?.a, 1n);
  assert.equal(decimal(row?.b_c?.d), -1234567890123456789012n);
  assert.equal(row?.b_c?.e, 1_000_000n);
  const [item, none] = (row?.f ?? []) as unknown as Record<string, unknown>[];
  assert.deepEqual({ ...item }, { g: Buffer.alloc(0), h: '{"x":1.10}', i: '0a6ff8cd-7b45-4b37-a3c1-0c5d6e7f8a9b' });
  assert.deepEqual([none, missing], [null, null]);
  assert.deepEqual({ ...empty }, { a: null, b_c: null, f: null });
});

test('nested values can be their JSON text', async () => {
  const options: AvroOptions = { ...PLAIN, nested: 'text' };
  assert.deepEqual(await roundTrip('list(int64)', ['[9007199254740993, null]', '[]', 'null'], options), [
    '[9007199254740993,null]',
    '[]',
    null,
  ]);
});

test('names Avro cannot have are changed and told', async () => {
  const names = ['plain', 'with space', 'with_space', 'with.space', '1st', 'emoji 😀', 'say "hi"', '_', 'é', "it's"];
  const columns = names.map((name) => column(name, 'int32', false));
  const relation = `select ${names.map((name, at) => `${at}::integer as ${identifier(name)}`).join(', ')}`;
  const { bytes } = await fileOf(columns, PLAIN, [await segment(columns, PLAIN, relation)]);
  const { rows, schema } = await decode(bytes);
  assert.deepEqual(
    schema.fields.map((field) => [field.name, field.originalName ?? field.name, field.type]),
    [
      ['plain', 'plain', 'int'],
      ['with_space_2', 'with space', 'int'],
      ['with_space', 'with_space', 'int'],
      ['with_space_3', 'with.space', 'int'],
      ['_1st', '1st', 'int'],
      ['emoji__', 'emoji 😀', 'int'],
      ['say__hi_', 'say "hi"', 'int'],
      ['_', '_', 'int'],
      ['__2', 'é', 'int'],
      ['it_s', "it's", 'int'],
    ],
  );
  assert.deepEqual(
    Object.values(rows[0] ?? {}),
    names.map((_, at) => at),
  );
});

const MIXED = [column('id', 'int64', false), column('note', 'text'), column('tags', 'list(text)')];
const mixed = (rows: number, from = 0) =>
  `select i as id, case i % 3 when 0 then null when 1 then repeat('x', (i % 400)::int) || chr(10) else 'ü' || i end as note,
    case when i % 5 = 0 then null else ['a' || i, null] end as tags from range(${from}, ${from + rows}) t(i)`;

test('every codec carries the same rows, over segments and blocks', async () => {
  const paths = [await segment(MIXED, PLAIN, mixed(5000)), await segment(MIXED, PLAIN, mixed(0))];
  paths.push(await segment(MIXED, PLAIN, mixed(1, 5000)));
  const plain = await decode((await fileOf(MIXED, PLAIN, paths)).bytes);
  assert.equal(plain.rows.length, 5001);
  assert.deepEqual(
    plain.rows.map(({ id }) => id),
    Array.from({ length: 5001 }, (_, id) => BigInt(id)),
  );
  for (const codec of ['deflate', 'zstandard'] as const) {
    const options: AvroOptions = { ...PLAIN, codec };
    const [file, again] = [await fileOf(MIXED, options, paths), await fileOf(MIXED, options, paths)];
    const read = await decode(file.bytes);
    assert.deepEqual([read.codec, file.rows], [codec, 5001]);
    assert.deepEqual(read.rows, plain.rows);
    assert.ok(file.bytes.equals(again.bytes));
  }
});

test('a file without rows is a header', async () => {
  for (const codec of ['null', 'deflate', 'zstandard'] as const) {
    const options: AvroOptions = { ...PLAIN, codec };
    const joining = joiningOf(MIXED, options);
    const { bytes, rows } = await fileOf(MIXED, options, [await segment(MIXED, options, mixed(0))]);
    assert.deepEqual(bytes, Buffer.from(joining.header));
    assert.deepEqual(bytes.subarray(-16), Buffer.from(joining.sync));
    const read = await decode(bytes);
    assert.deepEqual([rows, read.rows, read.codec], [0, [], codec]);
  }
});

test('a sink that fails fails the joining, whatever is in flight', async () => {
  const path = await segment(MIXED, PLAIN, mixed(5000));
  for (const codec of ['null', 'deflate', 'zstandard'] as const) {
    let writes = 0;
    const sink: ByteSink = {
      write: async () => {
        if (++writes === 2) throw new Error('disk full');
      },
      end: async () => assert.fail('ended'),
    };
    const joiner = new AvroJoiner(sink, joiningOf(MIXED, { ...PLAIN, codec }));
    await assert.rejects(async () => {
      await joiner.append({ path, held: null });
      await joiner.finish();
    }, /disk full/);
  }
});
