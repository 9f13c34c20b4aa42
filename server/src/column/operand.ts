import { refuse } from '../base/errors.ts';
import { parseInstant } from './parse-instant.ts';
import { literal } from './sql.ts';
import { type ColumnType, nameOf } from './type.ts';

/**
 * Reads a JSON value that is to be compared with a column and gives it as an SQL literal of the
 * column's type. Throws `request.invalid` at `pointer`, saying what is allowed.
 */
export function readOperand(type: ColumnType, value: unknown, pointer: string): string {
  switch (type.is) {
    case 'bool':
      if (typeof value === 'boolean') return String(value);
      throw expected(type, 'true or false', pointer);
    case 'integer':
      return integer(type, value, pointer);
    case 'decimal':
      return decimal(type, value, pointer);
    case 'float':
      return float(type, value, pointer);
    case 'text':
      return readText(value, pointer);
    case 'uuid':
      return matching(type, value, { pointer, pattern: UUID, allowed: 'a UUID as text' }, 'UUID');
    case 'date':
      return `${literal(parseInstant(dateOnly(value, pointer), pointer).slice(0, 10))}::DATE`;
    case 'time':
      return matching(
        type,
        value,
        { pointer, pattern: TIME, allowed: 'a time as HH:MM:SS with up to six decimals' },
        'TIME',
      );
    case 'timestamp':
      return timestamp(type, value, pointer);
    case 'instant':
      return `${literal(parseInstant(value, pointer))}::TIMESTAMPTZ`;
    default:
      throw refuse(
        pointer,
        `A column of type ${nameOf(type)} cannot be compared; allowed is exists${comparisonHint(type)}.`,
      );
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/;
const LOCAL = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?$/;
const DECIMALS = { us: 6, ns: 9 };
const INTEGER = /^-?\d{1,19}$/;
const DECIMAL = /^(-?)(\d{1,38})(?:\.(\d{1,38}))?$/;

/** A JSON string as an SQL literal. */
export function readText(value: unknown, pointer: string): string {
  if (typeof value !== 'string') throw refuse(pointer, `${shown(value)} is not allowed here; allowed is text.`);
  if (!value.isWellFormed()) throw refuse(pointer, 'The text is not well-formed Unicode.');
  return literal(value);
}

/** Numbers past 2^53 have lost digits by the time JSON is parsed, so they are refused, not rounded. */
function digits(type: ColumnType, value: unknown, pointer: string): string {
  if (typeof value === 'number' && Number.isFinite(value)) {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
      throw refuse(pointer, `${value} is beyond 2^53; send it as a string.`);
    const text = String(value);
    // A double tells no more than 15 digits apart for sure.
    if (!Number.isInteger(value) && text.replace(/^-?0\.0*|\D/g, '').length > 15) {
      throw refuse(pointer, `${value} has more digits than a JSON number keeps; send it as a string.`);
    }
    if (!text.includes('e')) return text;
  }
  if (typeof value === 'string') return value;
  throw expected(type, 'a number, or its digits as a string', pointer);
}

function integer(type: ColumnType & { is: 'integer' }, value: unknown, pointer: string): string {
  const text = digits(type, value, pointer);
  const limit = 2n ** BigInt(type.bits - 1);
  if (!INTEGER.test(text) || BigInt(text) >= limit || BigInt(text) < -limit) {
    throw expected(type, `a whole number from ${-limit} to ${limit - 1n}`, pointer);
  }
  return `${literal(text)}::${type.bits === 32 ? 'INTEGER' : 'BIGINT'}`;
}

function decimal(type: ColumnType & { is: 'decimal' }, value: unknown, pointer: string): string {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(digits(type, value, pointer)) ?? [];
  const wholeDigits = whole?.replace(/^0+/, '');
  const fractionDigits = fraction.replace(/0+$/, '');
  const { precision, scale } = type;
  if (wholeDigits === undefined || wholeDigits.length > precision - scale || fractionDigits.length > scale) {
    throw expected(type, `at most ${precision - scale} digits before the point and ${scale} after it`, pointer);
  }
  return `${literal(`${sign}${wholeDigits || '0'}.${fractionDigits || '0'}`)}::DECIMAL(${precision},${scale})`;
}

/** A 32-bit column is compared as 32 bits, or 0.1 would not equal what is exported as 0.1. */
function float(type: ColumnType & { is: 'float' }, value: unknown, pointer: string): string {
  const number = finite(type, value, pointer);
  const short = Math.fround(number);
  const fits = Number.isFinite(short) && (short !== 0 || number === 0);
  return `${literal(String(number))}::${type.bits === 32 && fits ? 'FLOAT' : 'DOUBLE'}`;
}

function finite(type: ColumnType, value: unknown, pointer: string): number {
  const number =
    typeof value === 'string' && /^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw expected(type, 'a finite number', pointer);
  return number;
}

interface Expectation {
  readonly pointer: string;
  readonly pattern: RegExp;
  readonly allowed: string;
}

function matching(type: ColumnType, value: unknown, { pointer, pattern, allowed }: Expectation, cast: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw expected(type, allowed, pointer);
  return `${literal(value)}::${cast}`;
}

function timestamp(type: ColumnType & { is: 'timestamp' }, value: unknown, pointer: string): string {
  const allowed = `a date and time without zone, with up to ${DECIMALS[type.unit]} decimals`;
  const cast = type.unit === 'ns' ? 'TIMESTAMP_NS' : 'TIMESTAMP';
  const text = matching(type, value, { pointer, pattern: LOCAL, allowed }, cast);
  const [year = '', decimals = ''] = [String(value).slice(0, 4), String(value).slice('2026-01-31T12:00:00.'.length)];
  if (decimals.length > DECIMALS[type.unit]) throw expected(type, allowed, pointer);
  parseInstant(String(value).slice(0, 10), pointer);
  // Nanoseconds since 1970 in 64 bits reach no further.
  if (type.unit === 'ns' && (year < '1678' || year > '2261')) throw expected(type, 'a year from 1678 to 2261', pointer);
  return text;
}

function dateOnly(value: unknown, pointer: string): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) return value;
  throw refuse(pointer, `${shown(value)} is not allowed; allowed is a date as YYYY-MM-DD.`);
}

function expected(type: ColumnType, allowed: string, pointer: string): Error {
  return refuse(pointer, `The column is of type ${nameOf(type)}; allowed is ${allowed}.`);
}

function comparisonHint(type: ColumnType): string {
  if (type.is === 'list') return ' and has';
  return type.is === 'json' ? ', or a dotted path into it' : '';
}

/** A value as the message shows it: short, and never more than its kind when it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 60 ? text : `A ${Array.isArray(value) ? 'list' : typeof value}`;
}
