import { refuse } from '../base/errors.ts';
import { readOperand } from '../column/operand.ts';
import { identifier } from '../column/sql.ts';
import { nameOf } from '../column/type.ts';
import type { Filter, Test } from './filter.ts';
import { COMPARISONS, readItems, readWanted, textTest } from './filter-operand.ts';
import { jsonTest } from './json-path.ts';

/**
 * SQL (DuckDB) of a filter over the dataset's declared columns. The result may be NULL where it
 * counts as false, so that plain comparisons reach the engine's row-group statistics; only `not`,
 * `ne`, `nin` and `noneOf` need to tell NULL from false, and they do. Throws `request.invalid` for operands
 * that do not fit the column.
 */
export function filterSql(filter: Filter): string {
  if (filter.is === 'test') return testSql(filter);
  if (filter.is === 'not') return `((${filterSql(filter.of)}) is not true)`;
  if (filter.of.length === 0) return 'true';
  return `(${filter.of.map(filterSql).join(` ${filter.is} `)})`;
}

function testSql(test: Test): string {
  if (test.verb === 'ne') return complement({ ...test, verb: 'eq' });
  if (test.verb === 'nin') return complement({ ...test, verb: 'in' });
  if (test.verb === 'noneOf') return complement({ ...test, verb: 'anyOf' });
  if (test.path.length > 0) return jsonTest(test);
  return columnTest(test, identifier(test.column.name));
}

function complement(test: Test): string {
  return `((${testSql(test)}) is not true)`;
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
