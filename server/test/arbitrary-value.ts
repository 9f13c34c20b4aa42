import type { ColumnType } from '../src/column/type.ts';
import { jsonValue, type Reach } from './arbitrary-json.ts';
import { anyText, fc } from './draws.ts';
import type { Value } from './model.ts';

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
  '\u0002\n',
  '\u00031\r',
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

/** Days of the years 1 to 9999. */
const CALM_DAYS = { min: -719_162, max: 2_932_896 };

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

function floats32(): fc.Arbitrary<number> {
  return fc.oneof(fc.constantFrom(...NUMBERS32), fc.float());
}

/** A value of the type that is not NULL. */
function someOf(type: ColumnType, reach: Reach): fc.Arbitrary<Value> {
  switch (type.is) {
    case 'bool':
      return fc.boolean();
    case 'integer':
      return integers(-(2n ** BigInt(type.bits - 1)), 2n ** BigInt(type.bits - 1) - 1n);
    case 'decimal':
      return integers(1n - 10n ** BigInt(type.precision), 10n ** BigInt(type.precision) - 1n);
    case 'float':
      return type.bits === 64 ? fc.oneof(fc.constantFrom(...NUMBERS64), fc.double()) : floats32();
    case 'text':
      return text();
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 });
    case 'uuid':
      return fc.oneof(
        fc.uuid(),
        fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
      );
    case 'json':
      return jsonValue(reach);
    case 'date':
    case 'time':
    case 'timestamp':
    case 'instant':
      return timeOf(type, reach);
    default:
      return nestedValue(type, reach);
  }
}

function timeOf(type: ColumnType, reach: Reach): fc.Arbitrary<Value> {
  switch (type.is) {
    case 'date':
      if (reach.isCalm) return fc.oneof(infinite, fc.integer(CALM_DAYS));
      return fc.oneof(
        infinite,
        fc.constantFrom(...EDGES).map((micros) => Number(micros / DAY)),
        fc.integer({ min: -4_371_587, max: 35_804_721 }),
        fc.integer({ min: -2_147_483_646, max: 2_147_483_646 }),
      );
    case 'time':
      return fc.oneof(fc.constantFrom(0n, DAY - 1n, DAY), fc.bigInt(0n, DAY));
    case 'timestamp':
      return type.unit === 'ns' ? fc.oneof(infinite, integers(NANOS.min, NANOS.max)) : moments(reach);
    case 'instant':
      return moments(reach);
    default:
      throw new Error(`${type.is} is no time`);
  }
}

function nestedValue(type: ColumnType, reach: Reach): fc.Arbitrary<Value> {
  if (type.is === 'list') return fc.array(nullable(type.of, reach), { maxLength: 4 });
  if (type.is === 'struct') return fc.tuple(...type.fields.map((field) => nullable(field.type, reach)));
  if (type.is !== 'map') throw new Error(`${type.is} is not nested`);
  const pair = fc.tuple(someOf(type.key, reach), nullable(type.value, reach));
  return fc.uniqueArray(pair, { maxLength: 4, selector: ([key]) => keyText(key) });
}

function keyText(key: Value): string {
  return key instanceof Uint8Array ? Buffer.from(key).toString('hex') : String(key);
}

/** A value of the type, or NULL. */
export function nullable(type: ColumnType, reach: Reach = {}): fc.Arbitrary<Value> {
  return fc.option(someOf(type, reach), { freq: 5 });
}

function integers(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const near = fc.bigInt(min > -1000n ? min : -1000n, max < 1000n ? max : 1000n);
  return fc.oneof(fc.constantFrom(min, max), near, fc.bigInt(min, max));
}

function moments({ isCalm }: Reach): fc.Arbitrary<Value> {
  if (isCalm)
    return fc.oneof(
      infinite,
      fc.integer(CALM_DAYS).chain((day) => fc.bigInt(BigInt(day) * DAY, BigInt(day + 1) * DAY - 1n)),
    );
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
    anyText(),
    fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', ';', 'a', '\\', '.'), maxLength: 8 }),
  );
  // The PostgreSQL reader uses this character in place of NUL.
  return some.map((each) => each.replaceAll('\u{f8ff}', ''));
}

/** Days from 1970 to PostgreSQL's first and last. */
const POSTGRES_DAYS = { min: -2_440_588, max: 2_145_042_905 };

/** The value as near to it as PostgreSQL goes; zeros without a sign, which the engine's tables lose. */
export function postgresValue(value: Value, type: ColumnType): Value {
  if (type.is === 'list' && Array.isArray(value)) return value.map((item) => postgresValue(item, type.of));
  if (typeof value === 'bigint' && (type.is === 'timestamp' || type.is === 'instant')) {
    const first = BigInt(POSTGRES_DAYS.min) * DAY;
    return value < first ? first : value;
  }
  if (typeof value === 'number' && type.is === 'date')
    return Math.min(Math.max(value, POSTGRES_DAYS.min), POSTGRES_DAYS.max);
  if (typeof value === 'number') return value + 0;
  return type.is === 'text' && typeof value === 'string' ? value.replaceAll('\0', '') : value;
}
