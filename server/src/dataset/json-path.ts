import { refuse } from '../base/errors.ts';
import { shown } from '../column/operand.ts';
import { identifier, literal } from '../column/sql.ts';
import { escapePointer, type Test } from './filter.ts';
import { COMPARISONS, readItems, readWanted, textTest } from './filter-operand.ts';

type Scalar = string | number | boolean;

/** The value's place inside the JSON column, as SQL expressions. */
interface Place {
  readonly value: string;
  /** The engine's name for the JSON type there; NULL where nothing is. */
  readonly type: string;
  readonly text: string;
  readonly pointer: string;
}

/**
 * A test on a value inside a JSON column. The operand's type decides: text meets only JSON strings,
 * a number only JSON numbers (as 64-bit floats), true and false only booleans. JSON null and a
 * missing name are both absent. Into a list there look `has`, `anyOf` and `noneOf` alone.
 */
export function jsonTest(test: Test): string {
  const at = place(test);
  const { verb, operand } = test;
  const comparison = COMPARISONS[verb];
  if (verb === 'exists') return readWanted(test) ? isPresent(at) : `((${isPresent(at)}) is not true)`;
  if (verb === 'eq' && operand === null) return `((${isPresent(at)}) is not true)`;
  if (comparison) return compare(at, comparison, scalar(operand, at.pointer));
  if (verb === 'in') return isOneOf(at, sortItems(test));
  if (verb === 'has') return listHolds(at, sortScalars([scalar(operand, at.pointer)]));
  if (verb === 'anyOf') return `(${isOneOf(at, sortItems(test))} or ${listHolds(at, sortItems(test))})`;
  return `(${at.type} = 'VARCHAR' and ${textTest(test, at.text)})`;
}

function place(test: Test): Place {
  const column = identifier(test.column.name);
  const path = literal(test.path.map((name) => `/${escapePointer(name)}`).join(''));
  return {
    value: `json_extract(${column}, ${path})`,
    type: `json_type(${column}, ${path})`,
    text: `json_extract_string(${column}, ${path})`,
    pointer: test.pointer,
  };
}

function isPresent(at: Place): string {
  return `${at.type} <> 'NULL'`;
}

function compare(at: Place, comparison: string, operand: Scalar): string {
  if (typeof operand === 'string') return `(${at.type} = 'VARCHAR' and ${at.text} ${comparison} ${literal(operand)})`;
  if (typeof operand === 'number')
    return `(${isNumber(at.type)} and try_cast(${at.text} as DOUBLE) ${comparison} ${number(operand)})`;
  if (comparison !== '=') throw refuse(at.pointer, 'true and false have no order; allowed are eq, ne, in and nin.');
  return `(${at.type} = 'BOOLEAN' and ${at.text} = '${operand}')`;
}

/** Operands by the kind of JSON value that may equal them, as SQL literals. */
interface Wanted {
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
  readonly booleans: readonly string[];
  readonly absent: boolean;
}

function sortItems(test: Test): Wanted {
  const items = readItems(test).map((item, at) => (item === null ? null : scalar(item, `${test.pointer}/${at}`)));
  return { ...sortScalars(items.filter((item) => item !== null)), absent: items.includes(null) };
}

function sortScalars(items: readonly Scalar[]): Wanted {
  return {
    texts: items.filter((item) => typeof item === 'string').map(literal),
    numbers: items.filter((item) => typeof item === 'number').map(number),
    booleans: items.filter((item) => typeof item === 'boolean').map(String),
    absent: false,
  };
}

function isOneOf(at: Place, { texts, numbers, booleans, absent }: Wanted): string {
  return anyHolds([
    texts.length > 0 && `(${at.type} = 'VARCHAR' and ${at.text} in (${texts.join(', ')}))`,
    numbers.length > 0 && `(${isNumber(at.type)} and try_cast(${at.text} as DOUBLE) in (${numbers.join(', ')}))`,
    ...booleans.map((wanted) => `(${at.type} = 'BOOLEAN' and ${at.text} = '${wanted}')`),
    absent && `((${isPresent(at)}) is not true)`,
  ]);
}

/** Texts are compared as texts: their JSON may be escaped in more than one way. */
function listHolds(at: Place, { texts, numbers, booleans }: Wanted): string {
  const items = `try_cast(${at.value} as JSON[])`;
  const holds = (isKind: string, value: string, wanted: readonly string[]) =>
    wanted.length > 0 &&
    `list_has_any(list_transform(list_filter(${items}, lambda item: ${isKind}), lambda item: ${value}), [${wanted.join(', ')}])`;
  return anyHolds([
    holds("json_type(item) = 'VARCHAR'", "json_extract_string(item, '$')", texts),
    holds(isNumber('json_type(item)'), 'try_cast(item as DOUBLE)', numbers),
    ...booleans.map((wanted) => `list_contains(${items}, '${wanted}'::JSON)`),
  ]);
}

function anyHolds(tests: readonly (string | false)[]): string {
  const held = tests.filter((test) => test !== false);
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
    throw refuse(pointer, `${value} is beyond 2^53, where JSON numbers are not exact.`);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw refuse(pointer, `${shown(value)} is not allowed here; allowed is text, a number, true or false.`);
}
