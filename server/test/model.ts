import type { ColumnType } from '../src/column/type.ts';
import { dateOf, momentOf, printed, timeOf } from './model-time.ts';
import type { Tree } from './readers/python-json.ts';

/**
 * What exported files hold, worked out in plain JavaScript from the promises in the docs and none of
 * the code: the reference that what independent readers find is compared with.
 */
export type Value =
  | null
  | boolean
  /** Integers, unscaled decimals, microseconds (nanoseconds for `timestamp(ns)`) since 1970 or midnight. */
  | bigint
  /** Floats; for dates, days since 1970. */
  | number
  /** Text and UUIDs; `infinity` and `-infinity` for dates, timestamps and instants. */
  | string
  | Uint8Array
  | JsonValue
  /** Lists' items, structs' members in the order of the type, maps' pairs of key and value. */
  | readonly Value[];

/** A value of type json: its text and what that means. */
export interface JsonValue {
  readonly text: string;
  readonly tree: Tree;
}

export interface ModelOptions {
  readonly instants: string;
  readonly bigIntegers: 'number' | 'string';
  readonly nonFinite: 'null' | 'string';
  readonly nested: 'structure' | 'text';
  readonly formulaGuard?: boolean;
  readonly decimalComma?: boolean;
}

export const MODEL_DEFAULTS: ModelOptions = {
  instants: 'iso',
  bigIntegers: 'number',
  nonFinite: 'string',
  nested: 'structure',
};

/** A float, whose digits are nobody's promise as long as they read back equal. */
interface Float {
  readonly f: number | string;
  readonly bits: 32 | 64;
}

/** What stands for text that can be spelled in several ways; `t` is text that is JSON. */
export type Loose = Float | { readonly t: ExpectedTree };

export type ExpectedTree =
  | null
  | boolean
  | { readonly n: string }
  | { readonly s: string }
  | Loose
  | { readonly a: readonly ExpectedTree[] }
  | { readonly o: readonly (readonly [string, ExpectedTree])[] };

/** A cell of a text table. */
export function cellOf(value: Value, type: ColumnType, options: ModelOptions): null | string | Loose {
  if (value === null) return null;
  if (type.is === 'json') return json(value).text;
  if (type.is === 'float') return Number.isFinite(value) ? { f: Number(value), bits: type.bits } : nonFinite(value);
  if (isNested(type)) return { t: treeOf(value, type, { ...MODEL_DEFAULTS, instants: options.instants }) };
  const text = plainOf(value, type, options.instants);
  if (type.is === 'text' && options.formulaGuard) return guarded(text);
  return type.is === 'decimal' && options.decimalComma ? text.replace('.', ',') : text;
}

/** Text a spreadsheet would run, with an apostrophe before it. */
export function guarded(text: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
}

/** A member of a JSON row. */
export function memberOf(value: Value, type: ColumnType, options: ModelOptions): ExpectedTree {
  if (value === null || options.nested === 'structure') return treeOf(value, type, options);
  if (type.is === 'json') return { s: oneLine(json(value).text) };
  return isNested(type) ? { t: treeOf(value, type, options) } : treeOf(value, type, options);
}

function treeOf(value: Value, type: ColumnType, options: ModelOptions): ExpectedTree {
  if (value === null) return null;
  switch (type.is) {
    case 'bool':
      return value === true;
    case 'integer':
      return type.bits === 64 && options.bigIntegers === 'string' ? { s: String(value) } : { n: String(value) };
    case 'decimal':
      return { n: plainOf(value, type, '') };
    case 'float':
      if (Number.isFinite(value)) return { f: Number(value), bits: type.bits };
      return options.nonFinite === 'null' ? null : { s: nonFinite(value) };
    case 'json':
      return json(value).tree;
    case 'list':
      return { a: parts(value).map((item) => treeOf(item, type.of, options)) };
    case 'struct':
      return { o: type.fields.map((field, at) => [field.name, treeOf(parts(value)[at] ?? null, field.type, options)]) };
    case 'map':
      return { o: parts(value).map((pair) => member(parts(pair), type, options)) };
    default: {
      const text = plainOf(value, type, options.instants);
      const isNumber = type.is === 'instant' && typeof value === 'bigint' && options.instants.startsWith('epoch');
      return isNumber ? { n: text } : { s: text };
    }
  }
}

function member(
  [key = null, value = null]: readonly Value[],
  type: ColumnType & { is: 'map' },
  options: ModelOptions,
): [string, ExpectedTree] {
  return [plainOf(key, type.key, options.instants), treeOf(value, type.value, options)];
}

/** Plain text of a value that is neither NULL nor a float, json or nested. */
function plainOf(value: Value, type: ColumnType, instants: string): string {
  switch (type.is) {
    case 'decimal':
      return decimalOf(integer(value), type.scale);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'date':
      return typeof value === 'string' ? value : dateOf(Number(value));
    case 'time':
      return timeOf(integer(value));
    case 'timestamp':
      return typeof value === 'string' ? value : momentOf(integer(value), type.unit === 'ns' ? 9 : 6);
    case 'instant':
      return typeof value === 'string' ? value : instantOf(integer(value), instants);
    default:
      return String(value);
  }
}

const EPOCHS: Readonly<Record<string, bigint>> = { epoch_s: 1_000_000n, epoch_ms: 1000n, epoch_us: 1n };

function instantOf(micros: bigint, pattern: string): string {
  const unit = EPOCHS[pattern];
  if (unit !== undefined) return String((micros - (((micros % unit) + unit) % unit)) / unit);
  return pattern === 'iso' ? `${momentOf(micros, 6)}Z` : printed(micros, pattern);
}

function decimalOf(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)];
  return `${unscaled < 0n ? '-' : ''}${whole}${scale > 0 ? `.${fraction}` : ''}`;
}

function nonFinite(value: Value): string {
  return Number.isNaN(value) ? 'NaN' : Number(value) > 0 ? 'Infinity' : '-Infinity';
}

/** A float as a text says it: `wrong: …` when it is no JSON number or has more digits than a float needs. */
export function floatOf(text: string, bits: 32 | 64): Float {
  const [, whole = '', fraction = ''] = /^-?(\d+)(?:\.(\d+))?(?:[eE][+-]?\d+)?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '').replace(/0+$/, '');
  // Nine and seventeen digits tell any two floats apart; whole numbers below 10^16 have all of theirs.
  const isWhole = !/[1-9]/.test(fraction) && whole.length <= 16;
  if (whole === '' || (digits.length > (bits === 32 ? 9 : 17) && !isWhole)) return { f: `wrong: ${text}`, bits };
  return { f: bits === 32 ? Math.fround(Number(text)) : Number(text), bits };
}

/** JSON text as it stands in a JSON file: line ends outside strings, the only ones it can have, are spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ');
}

/**
 * The value as Parquet stores it: integers, dates, times, timestamps and decimals as bigint. Parquet
 * has no infinite times: as in DuckDB and its readers, they are the ends of the stored integer. The
 * engine's dictionaries hold 0 and -0 as one, so that the sign of a zero is as it may be: here it is +.
 */
export function storedOf(value: Value, type: ColumnType): unknown {
  if (value === null) return null;
  switch (type.is) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'float':
      return Number(value) + 0;
    case 'json':
      return json(value).text;
    case 'date':
      return typeof value === 'string' ? ends(value, 31n) : BigInt(Number(value));
    case 'timestamp':
    case 'instant':
      return typeof value === 'string' ? ends(value, 63n) : value;
    case 'list':
      return parts(value).map((item) => storedOf(item, type.of));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field, at) => [field.name, storedOf(parts(value)[at] ?? null, field.type)]),
      );
    case 'map':
      return parts(value).map((pair) => [
        storedOf(parts(pair)[0] ?? null, type.key),
        storedOf(parts(pair)[1] ?? null, type.value),
      ]);
    default:
      return value;
  }
}

function ends(infinity: string, bits: bigint): bigint {
  return (infinity === 'infinity' ? 1n : -1n) * (2n ** bits - 1n);
}

export function isNested(type: ColumnType): boolean {
  return type.is === 'list' || type.is === 'struct' || type.is === 'map';
}

function json(value: Value): JsonValue {
  return value as JsonValue;
}

function parts(value: Value): readonly Value[] {
  return value as readonly Value[];
}

function integer(value: Value): bigint {
  return value as bigint;
}
