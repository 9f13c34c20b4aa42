import fc from 'fast-check';
import type { ColumnType } from '../src/column/type.ts';
import { jsonValue } from './arbitrary-json.ts';
import type { JsonValue, Value } from './model.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether the source stores it as text and only the declaration says what it is. */
  readonly isDeclared: boolean;
  readonly values: readonly Value[];
}

export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: number;
}

const ROWS = 14;

const NAMES = [
  'plain',
  'with space',
  'with "quotes"',
  "it's",
  'dot.ted',
  'com,ma',
  'emoji 😀',
  'line\nend',
  'שלום',
  '=cmd',
  '\ttab',
  'select',
  ' lead',
  'back\\slash',
  'semi;colon',
  'cr\rcr',
  '{files}',
  '%d',
  '$1',
  '~/x',
  "''",
  '__proto__',
  'ÄÖ',
];

const TEXTS = [
  '',
  ' ',
  'NULL',
  'null',
  '\\N',
  '\\.',
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' lead',
  'trail ',
  '=1+1',
  '-1',
  '@x',
  "'",
  "''",
  '\\',
  '\\\\',
  '\\n',
  '\0',
  'a\0b',
  '\u{feff}bom',
  '😀👩‍👩‍👧',
  'שלום',
  '\u2028',
  '\u0085',
  '\u007f',
  '\u0001',
  '{"a":1}',
  '{files}',
  'a'.repeat(300),
  '"quoted"',
  'a "b" c',
  'x,"y"\n',
  '🇩🇪é',
];

const DAY = 86_400_000_000n;

/** Ends of the stretch a TIMESTAMP can hold, in microseconds. */
const MICROS = { min: -9_223_372_022_400_000_000n, max: 2n ** 63n - 2n };

/** Ends of the stretch a TIMESTAMP_NS can hold, in nanoseconds. */
const NANOS = { min: -9_223_286_400_000_000_000n, max: 2n ** 63n - 2n };

/** Years -9999 to 99999, where most of the promises about text change. */
const NEAR = { min: -377_705_116_800_000_000n, max: 3_093_527_980_799_999_999n };

const EDGES = [
  '0001-01-01',
  '0000-01-01',
  '0000-12-31',
  '-000001-12-31',
  '-000043-03-15',
  '9999-12-31',
  '+010000-01-01',
  '1969-12-31',
  '1970-01-01',
  '2024-02-29',
  '1900-03-01',
].map((date) => BigInt(Date.parse(`${date}T00:00:00Z`)) * 1000n);

const NUMBERS64 = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  5e-324,
  -5e-324,
  2.2250738585072014e-308,
  Number.MAX_VALUE,
  0.1,
  1e21,
  1e16,
  1e-5,
  1e-7,
  123456789012345680,
  2 ** 53,
  100,
  1.5e300,
];

const NUMBERS32 = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1.401298464324817e-45,
  3.4028234663852886e38,
  1.1754943508222875e-38,
  0.1,
  16777216,
  1e10,
  1.1,
  3.3e-5,
].map(Math.fround);

const infinite = fc.constantFrom('infinity', '-infinity');

/** A value of the type that is not NULL. `inside` is what a nested value can hold. */
function valueOf(type: ColumnType, isInside: boolean): fc.Arbitrary<Value> {
  switch (type.is) {
    case 'bool':
      return fc.boolean();
    case 'integer':
      return integers(-(2n ** BigInt(type.bits - 1)), 2n ** BigInt(type.bits - 1) - 1n);
    case 'decimal':
      return integers(1n - 10n ** BigInt(type.precision), 10n ** BigInt(type.precision) - 1n);
    case 'float':
      return type.bits === 64
        ? fc.oneof(fc.constantFrom(...NUMBERS64), fc.double())
        : fc.oneof(fc.constantFrom(...NUMBERS32), fc.float());
    case 'text':
      return text();
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'uuid':
      return fc.oneof(
        fc.uuid(),
        fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
      );
    case 'date':
      return fc.oneof(
        infinite,
        fc.constantFrom(...EDGES).map((micros) => Number(micros / DAY)),
        fc.integer({ min: -4_371_587, max: 35_804_721 }),
        fc.integer({ min: -2_147_483_646, max: 2_147_483_646 }),
      );
    case 'time':
      return fc.oneof(fc.constantFrom(0n, DAY - 1n, DAY), fc.bigInt(0n, DAY));
    case 'timestamp':
      return type.unit === 'ns' ? fc.oneof(infinite, integers(NANOS.min, NANOS.max)) : moments();
    case 'instant':
      return moments();
    case 'json':
      return jsonValue({ surrogates: !isInside });
    default:
      return nestedValue(type);
  }
}

function nestedValue(type: ColumnType): fc.Arbitrary<Value> {
  if (type.is === 'list') return fc.array(nullable(type.of, true), { maxLength: 4 });
  if (type.is === 'struct') return fc.tuple(...type.fields.map((field) => nullable(field.type, true)));
  if (type.is !== 'map') throw new Error(`${type.is} is not nested`);
  const pair = fc.tuple(valueOf(type.key, true), nullable(type.value, true));
  return fc.uniqueArray(pair, { maxLength: 4, selector: ([key]) => keyText(key) });
}

function keyText(key: Value): string {
  return key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key);
}

function nullable(type: ColumnType, isInside: boolean): fc.Arbitrary<Value> {
  return fc.option(valueOf(type, isInside), { freq: 5 });
}

function integers(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const near = fc.bigInt(min > -1000n ? min : -1000n, max < 1000n ? max : 1000n);
  return fc.oneof(fc.constantFrom(min, max), near, fc.bigInt(min, max));
}

function moments(): fc.Arbitrary<Value> {
  const edges = fc.constantFrom(...EDGES.flatMap((micros) => [micros, micros - 1n, micros + DAY - 1n]));
  return fc.oneof(
    infinite,
    edges,
    fc.bigInt(NEAR.min, NEAR.max),
    fc.bigInt(-(10n ** 15n), 4n * 10n ** 15n),
    integers(MICROS.min, MICROS.max),
  );
}

function text(): fc.Arbitrary<string> {
  const some = fc.oneof(
    fc.constantFrom(...TEXTS),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', ';', 'a', '\\', '.'), maxLength: 8 }),
  );
  // The PostgreSQL reader uses this character in place of NUL.
  return some.map((each) => each.replaceAll('\u{f8ff}', ''));
}

const decimal: fc.Arbitrary<ColumnType> = fc
  .tuple(fc.constantFrom(1, 4, 5, 9, 10, 18, 19, 37, 38), fc.nat(38))
  .map(([precision, scale]) => ({ is: 'decimal', precision, scale: Math.min(precision, scale) }));

const SIMPLE: readonly ColumnType[] = [
  { is: 'bool' },
  { is: 'integer', bits: 32 },
  { is: 'integer', bits: 64 },
  { is: 'float', bits: 32 },
  { is: 'float', bits: 64 },
  { is: 'text' },
  { is: 'bytes' },
  { is: 'uuid' },
  { is: 'date' },
  { is: 'time' },
  { is: 'timestamp', unit: 'us' },
  { is: 'timestamp', unit: 'ns' },
  { is: 'instant', unit: 'us' },
  { is: 'json' },
];

const KEYS: readonly ColumnType[] = [
  { is: 'text' },
  { is: 'integer', bits: 64 },
  { is: 'date' },
  { is: 'uuid' },
  { is: 'bytes' },
  { is: 'bool' },
  { is: 'timestamp', unit: 'us' },
  { is: 'instant', unit: 'us' },
  { is: 'decimal', precision: 38, scale: 7 },
];

function nestedType(depth: number): fc.Arbitrary<ColumnType> {
  const leaf = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SIMPLE) }, { weight: 1, arbitrary: decimal });
  const inner = depth <= 1 ? leaf : fc.oneof(leaf, nestedType(depth - 1));
  const list = inner.map((of): ColumnType => ({ is: 'list', of }));
  const struct = fc.array(fc.tuple(fc.constantFrom(...NAMES), inner), { minLength: 1, maxLength: 3 }).map(
    (fields): ColumnType => ({
      is: 'struct',
      fields: fields.map(([name, type], at) => ({ name: `${name}_${at}`, type })),
    }),
  );
  const map = fc.tuple(fc.constantFrom(...KEYS), inner).map(([key, value]): ColumnType => ({ is: 'map', key, value }));
  return fc.oneof(list, struct, map);
}

interface Drawn {
  readonly type: ColumnType;
  readonly name: string;
  readonly isDeclared: boolean;
  readonly values: readonly Value[];
}

function drawn(type: ColumnType, isDeclared: boolean): fc.Arbitrary<Drawn> {
  return fc.record({
    type: fc.constant(type),
    name: fc.constantFrom(...NAMES),
    isDeclared: fc.constant(isDeclared),
    values: fc.array(nullable(type, type.is === 'json' && !isDeclared), { maxLength: ROWS }),
  });
}

function tableOf(columns: readonly Drawn[]): Table {
  const rows = Math.max(...columns.map(({ values }) => values.length));
  return {
    rows,
    columns: columns.map((column, at) => ({
      ...column,
      name: `${column.name}_${at}`,
      values: Array.from({ length: rows }, (_, row) => column.values[row] ?? null),
    })),
  };
}

/** A column of every simple type, some decimals, and a JSON column that the source knows as text. */
export const simpleTable: fc.Arbitrary<Table> = fc
  .tuple(
    fc.tuple(...SIMPLE.map((type) => drawn(type, false))),
    fc.array(
      decimal.chain((type) => drawn(type, false)),
      { minLength: 1, maxLength: 4 },
    ),
    fc.tuple(drawn({ is: 'json' }, true), drawn({ is: 'instant', unit: 'ms' }, false), drawn({ is: 'text' }, false)),
  )
  .map((columns) => tableOf(columns.flat()));

/** Lists, structs and maps of each other, two to three deep. */
export const nestedTable: fc.Arbitrary<Table> = fc
  .array(
    nestedType(3).chain((type) => drawn(type, false)),
    { minLength: 2, maxLength: 6 },
  )
  .map(tableOf);

export function isJsonValue(value: Value): value is JsonValue {
  return typeof value === 'object' && value !== null && 'tree' in value;
}
