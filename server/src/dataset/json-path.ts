import { refuse } from '../base/errors.ts';
import { shown } from '../column/operand.ts';
import { literal } from '../column/sql.ts';
import type { Test } from './filter.ts';
import { COMPARISONS, readItems, readWanted, textTest } from './filter-operand.ts';

type Scalar = string | number | boolean;

/** A JSON value, as SQL expressions. */
interface Place {
  readonly value: string;
  /** The engine's name for the JSON type there; NULL where nothing is. */
  readonly type: string;
  readonly text: string;
}

/**
 * A test on a value inside a JSON column; `value` is its SQL. The operand's type decides: text meets only JSON
 * strings, a number only JSON numbers (as 64-bit floats), true and false only booleans. JSON null and a
 * missing name are both absent. Into a list there look `has`, `anyOf` and `noneOf` alone.
 */
export function jsonTest(test: Test, value: string): string {
  const at = place(value);
  const { verb, operand, pointer } = test;
  const comparison = COMPARISONS[verb];
  if (verb === 'exists') return readWanted(test) ? isPresent(at) : `((${isPresent(at)}) is not true)`;
  if (verb === 'eq' && operand === null) return `((${isPresent(at)}) is not true)`;
  if (comparison) return compare(at, comparison, { operand: scalar(operand, pointer), pointer });
  if (verb === 'in') return isOneOf(at, sortItems(test));
  if (verb === 'has') return listHolds(at, sortScalars([scalar(operand, pointer)]), 'false');
  if (verb === 'anyOf') return listHolds(at, sortItems(test), isOneOf(at, sortItems(test)));
  return `(${at.type} = 'VARCHAR' and ${textTest(test, at.text)})`;
}

function place(value: string): Place {
  return { value, type: `json_type(${value})`, text: `json_extract_string(${value}, '$')` };
}

function isPresent(at: Place): string {
  return `${at.type} <> 'NULL'`;
}

function compare(at: Place, comparison: string, { operand, pointer }: { operand: Scalar; pointer: string }): string {
  if (typeof operand === 'string') return `(${at.type} = 'VARCHAR' and ${at.text} ${comparison} ${literal(operand)})`;
  if (typeof operand === 'number')
    return `(${isNumber(at.type)} and try_cast(${at.text} as DOUBLE) ${comparison} ${number(operand)})`;
  if (comparison !== '=') throw refuse(pointer, 'true and false have no order; allowed are eq, ne, in and nin.');
  return `(${at.type} = 'BOOLEAN' and ${at.text} = '${operand}')`;
}

/** Operands by the kind of JSON value that may equal them. */
interface Wanted {
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly booleans: readonly boolean[];
  readonly absent: boolean;
}

function sortItems(test: Test): Wanted {
  const items = readItems(test).map((item, at) => (item === null ? null : scalar(item, `${test.pointer}/${at}`)));
  return { ...sortScalars(items.filter((item) => item !== null)), absent: items.includes(null) };
}

function sortScalars(items: readonly Scalar[]): Wanted {
  return {
    texts: items.filter((item) => typeof item === 'string'),
    numbers: items.filter((item) => typeof item === 'number'),
    booleans: items.filter((item) => typeof item === 'boolean'),
    absent: false,
  };
}

function isOneOf(at: Place, { texts, numbers, booleans, absent }: Wanted): string {
  return anyHolds([
    texts.length > 0 && `(${at.type} = 'VARCHAR' and ${isText(at.text, texts)})`,
    numbers.length > 0 && `(${isNumber(at.type)} and ${isSameNumber(at.text, numbers)})`,
    ...booleans.map((wanted) => `(${at.type} = 'BOOLEAN' and ${at.text} = '${wanted}')`),
    absent && `((${isPresent(at)}) is not true)`,
  ]);
}

/** Whether a list there holds one of them, or `otherwise`. Unlike `and`, `case` spares all others the list's parsing. */
function listHolds(at: Place, wanted: Wanted, otherwise: string): string {
  const test = isOneOf(place('item'), { ...wanted, absent: false });
  const held = `len(list_filter(try_cast(${at.value} as JSON[]), lambda item: ${test})) > 0`;
  return `case when ${at.type} = 'ARRAY' then ${held} else ${otherwise} end`;
}

/** Texts are compared as texts: their JSON may be escaped in more than one way. */
function isText(sql: string, wanted: readonly string[]): string {
  const [only, another] = new Set(wanted);
  if (only !== undefined && another === undefined) return `${sql} = ${literal(only)}`;
  const names = wanted.map((text) => `x${Buffer.from(text).toString('hex').toUpperCase()}`);
  return isNamed(`concat('x', hex(${sql}))`, names);
}

function isSameNumber(sql: string, wanted: readonly number[]): string {
  const cast = `try_cast(${sql} as DOUBLE)`;
  const [only, another] = new Set(wanted);
  if (only !== undefined && another === undefined) return `${cast} = ${number(only)}`;
  return isNamed(`(${cast} + 0)::BIT::VARCHAR`, wanted.map(numberBits));
}

/**
 * The engine looks names of an ENUM up by hash; `in` below `or` and in lambdas compares with each of
 * them (10,000 items, 300,000 rows: 12 s against 0.6 s). A name has to be a plain literal, hence bytes and bits.
 */
function isNamed(sql: string, names: readonly string[]): string {
  return `try_cast(${sql} as ENUM('${[...new Set(names)].join("', '")}')) is not null`;
}

/** Adding zero makes -0 the same as 0. */
function numberBits(value: number): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value + 0);
  return bits.getBigUint64(0).toString(2).padStart(64, '0');
}

function anyHolds(tests: readonly (string | false)[]): string {
  const held = [...new Set(tests)].filter((test) => test !== false);
  return held.length === 0 ? 'false' : `(${held.join(' or ')})`;
}

function isNumber(type: string): string {
  return `${type} not in ('VARCHAR', 'BOOLEAN', 'NULL', 'OBJECT', 'ARRAY')`;
}

function number(value: number): string {
  return `${literal(String(value))}::DOUBLE`;
}

function scalar(value: unknown, pointer: string): Scalar {
  if (typeof value === 'string' && !value.isWellFormed()) throw refuse(pointer, 'The text is not well-formed Unicode.');
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw refuse(pointer, `${value} is beyond 2^53; values inside JSON are compared with smaller numbers alone.`);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw refuse(pointer, `${shown(value)} is not allowed here; allowed is text, a number, true or false.`);
}
