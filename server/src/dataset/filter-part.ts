import { identifier, literal } from '../column/sql.ts';
import { escapePointer, type Filter, type Test } from './filter.ts';

/** SQL of what a test is on: its column, or the JSON value at its path. */
export type ValueSql = (test: Test) => string;

type FilterSql = (filter: Filter, valueSql: ValueSql) => string;

/** SQL of a filter over columns that are read once for all its tests, whatever it takes to read them. */
export function rowSql(filter: Filter, sqlOf: FilterSql): string {
  const columns = [...new Set(testsOf(filter).map(({ column }) => column.name))];
  const sql = sqlOf(filter, ({ column }) => `columns.c${columns.indexOf(column.name)}`);
  return letSql('columns', structOf(columns.map(identifier)), sql);
}

/**
 * SQL of a filter whose tests inside JSON share one parsing of each column. What the engine holds for it is freed
 * after every 2,048 rows, before the next part is evaluated: parsed by each test, and held by all of them at once,
 * documents of 800 bytes took 10 MB a test.
 */
export function partSql(filter: Filter, columnSql: ValueSql, sqlOf: FilterSql): string {
  const inside = testsOf(filter).filter(({ path }) => path.length > 0);
  const byColumn = Map.groupBy(inside, columnSql);
  const columns = [...byColumn.keys()];
  const paths = [...byColumn.values()].map((tests) => [...new Set(tests.map(pointerOf))]);
  const sql = sqlOf(filter, (test) => {
    if (test.path.length === 0) return columnSql(test);
    const at = columns.indexOf(columnSql(test));
    return `held.c${at}[${(paths[at]?.indexOf(pointerOf(test)) ?? 0) + 1}]`;
  });
  const lists = columns.map((column, at) => `json_extract(${column}, [${paths[at]?.map(literal).join(', ')}])`);
  return letSql('part', 'true', lists.length === 0 ? sql : letSql('held', structOf(lists), sql));
}

export function testsOf(filter: Filter): readonly Test[] {
  if (filter.is === 'test') return [filter];
  return filter.is === 'not' ? testsOf(filter.of) : filter.of.flatMap(testsOf);
}

/** `sql`, in which `name` is `value`. */
function letSql(name: string, value: string, sql: string): string {
  return `list_transform([${value}], lambda ${name}: ${sql})[1]`;
}

function structOf(values: readonly string[]): string {
  return `{${values.map((value, at) => `'c${at}': ${value}`).join(', ')}}`;
}

/** RFC 6901. */
function pointerOf({ path }: Test): string {
  return path.map((name) => `/${escapePointer(name)}`).join('');
}
