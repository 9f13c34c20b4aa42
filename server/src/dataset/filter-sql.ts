import { refuse } from '../base/errors.ts';
import { readOperand } from '../column/operand.ts';
import { identifier } from '../column/sql.ts';
import { nameOf } from '../column/type.ts';
import type { Filter, Test, Verb } from './filter.ts';
import { mergeTests } from './filter-merge.ts';
import { COMPARISONS, readItems, readWanted, textTest } from './filter-operand.ts';
import { partSql, rowSql, testsOf, type ValueSql } from './filter-part.ts';
import { jsonTest } from './json-path.ts';

/** Tests that stay where row-group statistics serve them; of JSON lines, each of them reads its line anew. */
const PLAIN_TESTS = 8;

/** Tests that the engine holds vectors for at a time, and that a document is parsed once for. */
const PART_TESTS = 32;

/**
 * SQL (DuckDB) of a filter over the dataset's declared columns. The result may be NULL where it
 * counts as false, so that plain comparisons reach the engine's row-group statistics; only `not`,
 * `ne`, `nin` and `noneOf` need to tell NULL from false, and they do. Throws `request.invalid` for operands
 * that do not fit the column.
 */
export function filterSql(filter: Filter): string {
  // Whatever has to be refused is refused here, at its own place, before tests become one.
  treeSql(filter, columnSql);
  const merged = mergeTests(filter);
  const conjuncts = merged.is === 'and' ? merged.of : [merged];
  const plain = firstPlain(conjuncts);
  const others = conjuncts.filter((each) => !plain.includes(each));
  const rest = others.length === 0 ? [] : [rowSql(allOf(others, 'and'), partsSql)];
  return joined([...plain.map((each) => treeSql(each, columnSql)), ...rest], 'and');
}

function columnSql({ column }: Test): string {
  return identifier(column.name);
}

/** Those without tests inside JSON, as long as they are few. */
function firstPlain(filters: readonly Filter[]): readonly Filter[] {
  const plain = filters.filter((each) => testsOf(each).every(({ path }) => path.length === 0));
  return (inRuns(plain, PLAIN_TESTS)[0] ?? []).filter((each) => testsOf(each).length <= PLAIN_TESTS);
}

function allOf(filters: readonly Filter[], is: 'and' | 'or'): Filter {
  const [only] = filters;
  return only && filters.length === 1 ? only : { is, of: filters };
}

function partsSql(filter: Filter, columnOf: ValueSql): string {
  if (testsOf(filter).length <= PART_TESTS) return partSql(filter, columnOf, treeSql);
  if (filter.is === 'test') throw new Error('One test is never more than a part.');
  if (filter.is === 'not') return `((${partsSql(filter.of, columnOf)}) is not true)`;
  const { is } = filter;
  return joined(
    inRuns(filter.of, PART_TESTS).map((run) => partsSql(allOf(run, is), columnOf)),
    is,
  );
}

/** Neighbours that together have so many tests at most, or one alone that has more. */
function inRuns(filters: readonly Filter[], most: number): readonly (readonly Filter[])[] {
  const runs: Filter[][] = [];
  let room = 0;
  for (const filter of filters) {
    const count = testsOf(filter).length;
    if (count > room || runs.length === 0) {
      runs.push([]);
      room = most;
    }
    runs.at(-1)?.push(filter);
    room -= count;
  }
  return runs;
}

function treeSql(filter: Filter, valueSql: ValueSql): string {
  if (filter.is === 'test') return testSql(filter, valueSql);
  if (filter.is === 'not') return `((${treeSql(filter.of, valueSql)}) is not true)`;
  return joined(
    filter.of.map((each) => treeSql(each, valueSql)),
    filter.is,
  );
}

function joined(sqls: readonly string[], by: 'and' | 'or'): string {
  const [only = 'true'] = sqls;
  return sqls.length <= 1 ? only : `(${sqls.join(` ${by} `)})`;
}

const OPPOSITES: Partial<Record<Verb, Verb>> = { ne: 'eq', nin: 'in', noneOf: 'anyOf' };

function testSql(test: Test, valueSql: ValueSql): string {
  const opposite = OPPOSITES[test.verb];
  if (opposite) return `((${testSql({ ...test, verb: opposite }, valueSql)}) is not true)`;
  if (test.path.length > 0) return jsonTest(test, valueSql(test));
  return columnTest(test, valueSql(test));
}

function columnTest(test: Test, column: string): string {
  const { verb, operand, pointer } = test;
  const { type } = test.column;
  const comparison = COMPARISONS[verb];
  if (verb === 'exists') return `${column} is ${readWanted(test) ? 'not ' : ''}null`;
  if (verb === 'eq' && operand === null) return `${column} is null`;
  if (comparison) return `${column} ${comparison} ${readOperand(type, operand, pointer)}`;
  if (verb === 'in') return membership(test, column);
  if (verb === 'has') {
    if (type.is !== 'list') throw refuse(pointer, `has needs a list; the column is of type ${nameOf(type)}.`);
    return `list_contains(${column}, ${readOperand(type.of, operand, pointer)})`;
  }
  if (verb === 'anyOf') throw refuse(pointer, 'anyOf and noneOf need a dotted path into a JSON column.');
  if (type.is !== 'text') throw refuse(pointer, `${verb} needs text; the column is of type ${nameOf(type)}.`);
  return textTest(test, column);
}

function membership(test: Test, column: string): string {
  const items = readItems(test);
  const literals = items.flatMap((item, at) =>
    item === null ? [] : [readOperand(test.column.type, item, `${test.pointer}/${at}`)],
  );
  const isIn = literals.length === 0 ? 'false' : `${column} in (${literals.join(', ')})`;
  return items.includes(null) ? `(${isIn} or ${column} is null)` : isIn;
}
