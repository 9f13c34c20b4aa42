import { refuse } from '../../base/errors.ts';
import { shown } from '../../column/operand.ts';
import { nameOf } from '../../column/type.ts';
import type { Verb } from '../../dataset/filter.ts';
import { filterSql } from '../../dataset/filter-sql.ts';
import type { Field } from './filter-fields.ts';

/** Their operators and the core's tests: on a column, and within JSON, where equality looks into lists too. */
const OPERATORS = {
  $eq: ['eq', 'anyOf'],
  $ne: ['ne', 'noneOf'],
  $gt: ['gt', 'gt'],
  $gte: ['gte', 'gte'],
  $lt: ['lt', 'lt'],
  $lte: ['lte', 'lte'],
  $in: ['in', 'anyOf'],
  $nin: ['nin', 'noneOf'],
  $exists: ['exists', 'exists'],
  $regex: ['matches', 'matches'],
} as const satisfies Record<string, readonly [Verb, Verb]>;

export type Operator = keyof typeof OPERATORS;

export const OPERATOR_NAMES = Object.keys(OPERATORS).join(', ');

export function isOperator(name: string): name is Operator {
  return Object.hasOwn(OPERATORS, name);
}

/** One test of the core's filter. */
export interface CoreTest {
  /** The column, or the dotted path into it. */
  readonly name: string;
  readonly verb: Verb;
  readonly operand: unknown;
}

interface AskedTest {
  readonly field: Field;
  readonly operator: Operator;
  readonly operand: unknown;
  readonly pointer: string;
}

/** Makes the core's test of theirs. Throws `request.invalid` at `pointer`, or an item's, for operands that do not fit. */
export function coreTest(asked: AskedTest): CoreTest {
  const { field, operator, pointer } = asked;
  const { column, type, path } = field;
  checkKind(asked);
  const operand = coreOperand(asked);
  const [verb, verbInside] = OPERATORS[operator];
  // Its SQL is thrown away: whatever the core refuses is refused here, at their place.
  const plain = { nullable: true, from: column, description: null, hidden: false };
  filterSql({ is: 'test', column: { name: column, type, ...plain }, path, verb, operand, pointer });
  if (path.length === 0) return { name: column, verb, operand };
  const isOne = operator === '$eq' || operator === '$ne';
  return { name: [column, ...path].join('.'), verb: verbInside, operand: isOne ? [operand] : operand };
}

/** What the core would refuse in words of its own. */
function checkKind({ field: { column, type, path }, operator, operand, pointer }: AskedTest): void {
  const isInside = path.length > 0;
  if (type.is === 'json' && !isInside && operator !== '$exists')
    throw refuse(pointer, `${column} holds values by name; allowed is a name in it, as ${column}.name, or $exists.`);
  if (operator === '$regex' && type.is !== 'text' && !isInside)
    throw refuse(pointer, `A regular expression needs text; ${column} is of type ${nameOf(type)}.`);
  if (operator === '$in' || operator === '$nin') {
    if (!Array.isArray(operand)) throw refuse(pointer, `${kindOf(operand)} is not allowed here; allowed is a list.`);
    return;
  }
  if (Array.isArray(operand))
    throw refuse(pointer, 'A list cannot be compared with; allowed is one value, or $in or $nin for any of a list.');
  checkScalar(operand, pointer);
  const isOrder = /^\$[gl]t/.test(operator);
  if (isOrder && (operand === null || typeof operand === 'boolean'))
    throw refuse(pointer, `${operand} has no order; allowed here is a number, text or a date.`);
}

function coreOperand({ field: { type }, operand, pointer }: AskedTest): unknown {
  const asTime = type.is === 'instant' ? inUtc : (value: unknown) => value;
  if (!Array.isArray(operand)) return asTime(operand);
  return operand.map((item, at) => {
    checkScalar(item, `${pointer}/${at}`);
    return asTime(item);
  });
}

const ZONELESS = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;

/** A time without zone is UTC. */
function inUtc(value: unknown): unknown {
  return typeof value === 'string' && ZONELESS.test(value) ? `${value}Z` : value;
}

function checkScalar(value: unknown, pointer: string): void {
  if (typeof value === 'object' && value !== null)
    throw refuse(pointer, `${kindOf(value)} is not allowed here; allowed is text, a number, true, false or null.`);
}

/** A value as a message shows it, however deep it is. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'A list';
  return typeof value === 'object' && value !== null ? 'An object' : shown(value);
}
