import assert from 'node:assert/strict';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { AvroOptions } from '../src/format/options.ts';
import { assertPairs, type Expected, looseTree, type Pair, placeOf } from './compare-pairs.ts';
import { cellOf, isNested, MODEL_DEFAULTS, storedOf, type Value } from './model.ts';
import { readAvro } from './readers/avro.ts';
import type { PythonJson } from './readers/python-json.ts';

/** Holds every block of an Avro file, its codec and its schema against the table. */
export async function assertAvro(
  path: string,
  { codec, nested }: AvroOptions,
  expected: Expected,
  python: PythonJson,
): Promise<void> {
  const found = await readAvro(path);
  const isText = (type: ColumnType) => nested === 'text' && isNested(type);
  assert.equal(found.codec, codec);
  assert.deepEqual(
    found.columns,
    expected.columns.map(({ name, type }) => ({ name, type: isText(type) ? 'text' : nameOf(twinOf(type)) })),
  );
  assert.equal(found.rows.length, expected.rows, 'number of rows');
  const texts: Pair[] = [];
  const { hasLostZeroSigns = false } = expected;
  for (const [at, { name, type, values }] of expected.columns.entries()) {
    for (const [row, value] of values.entries()) {
      const place = placeOf(row, name, type);
      const cell = found.rows[row]?.[at];
      const asText = isText(type) && value !== null ? looseTree(cellOf(value, type, MODEL_DEFAULTS)) : null;
      if (asText) texts.push({ place, found: { s: String(cell) }, expected: asText, hasLostZeroSigns });
      else assert.deepEqual(loaded(cell, type, hasLostZeroSigns), heldOf(value, type, hasLostZeroSigns), place);
    }
  }
  await assertPairs(texts, python);
}

/** The type as Avro has it: no JSON, and keys of maps are text. */
function twinOf(type: ColumnType): ColumnType {
  switch (type.is) {
    case 'json':
      return { is: 'text' };
    case 'list':
      return { is: 'list', of: twinOf(type.of) };
    case 'map':
      return { is: 'map', key: { is: 'text' }, value: twinOf(type.value) };
    case 'struct':
      return { is: 'struct', fields: type.fields.map((field) => ({ ...field, type: twinOf(field.type) })) };
    default:
      return type;
  }
}

/** The value as Avro holds it; infinite times are the ends of the stored integer, as in Parquet. */
function heldOf(value: Value, type: ColumnType, hasLostZeroSigns: boolean): unknown {
  if (value === null) return null;
  const parts = value as readonly Value[];
  switch (type.is) {
    case 'float':
      return hasLostZeroSigns ? Number(value) + 0 : value;
    case 'instant':
      return type.unit === 'ms' && typeof value === 'bigint' ? milliseconds(value) : storedOf(value, type);
    case 'list':
      return parts.map((item) => heldOf(item, type.of, hasLostZeroSigns));
    case 'struct':
      return type.fields.map((field, at) => heldOf(parts[at] ?? null, field.type, hasLostZeroSigns));
    case 'map': {
      const pairs = parts.map((pair) => {
        const [key = null, each = null] = pair as readonly Value[];
        return [String(cellOf(key, type.key, MODEL_DEFAULTS)), heldOf(each, type.value, hasLostZeroSigns)] as const;
      });
      // The reader assigns keys to an object, which has no such key afterwards.
      return Object.fromEntries(pairs.filter(([key]) => key !== '__proto__'));
    }
    default:
      return storedOf(value, type);
  }
}

/** Whole milliseconds that have passed. */
function milliseconds(micros: bigint): bigint {
  return (micros - (((micros % 1000n) + 1000n) % 1000n)) / 1000n;
}

/** What the reader gave, in the same shape. */
function loaded(cell: unknown, type: ColumnType, hasLostZeroSigns: boolean): unknown {
  if (cell === null || cell === undefined) return cell;
  switch (type.is) {
    case 'bytes':
      return (cell as Buffer).toString('hex');
    case 'decimal':
      return signed(cell as Buffer);
    case 'float':
      return hasLostZeroSigns ? Number(cell) + 0 : cell;
    case 'list':
      return (cell as unknown[]).map((item) => loaded(item, type.of, hasLostZeroSigns));
    case 'struct':
      return (cell as unknown[]).map((each, at) => loaded(each, type.fields[at]?.type ?? type, hasLostZeroSigns));
    case 'map':
      return Object.fromEntries(
        Object.entries(cell as object).map(([key, each]) => [key, loaded(each, type.value, hasLostZeroSigns)]),
      );
    default:
      return cell;
  }
}

/** Two's complement, most significant byte first. */
function signed(bytes: Buffer): bigint {
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`));
}
