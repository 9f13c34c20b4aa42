import { Fault, refuse } from '../base/errors.ts';
import { identifier, literal } from '../column/sql.ts';
import type { Column } from '../column/type.ts';
import { type Dataset, findVisible, firstRepeated, type Scope, unknownColumn, visibleColumns } from './dataset.ts';
import { readFilter, type Test } from './filter.ts';
import { filterSql } from './filter-sql.ts';
import { type PathColumn, pathText } from './path-column.ts';
import { type Window, windowConditions } from './window.ts';

/** What is asked of a dataset, as the caller sent it. */
export interface QueryAsk {
  readonly filter?: unknown;
  readonly columns?: readonly AskedColumn[] | undefined;
  readonly distinct?: boolean | undefined;
  /** Column names, `-` before one for descending. */
  readonly order?: readonly string[] | undefined;
  /** The first rows in that order alone, completed by the key as any order is. */
  readonly limit?: number | undefined;
}

/**
 * A column by its name, a value inside a JSON column or what stands for a column's values under a name of
 * its own, the names inside JSON columns, or nothing.
 */
export type AskedColumn = string | PathColumn | TextsColumn | KeysColumn | BlankColumn;

/** A column without a value in any row, for readers who count columns; it may have the name of one that is left out. */
interface BlankColumn {
  readonly name: string;
  readonly isBlank: true;
}

/** A text for each value of a text column; NULL for a value that has none. */
interface TextsColumn {
  readonly name: string;
  readonly column: string;
  readonly texts: Readonly<Record<string, string>>;
}

/** The names that JSON objects of a column have, a row each; only with distinct, and alone. */
interface KeysColumn {
  readonly name: string;
  readonly keysOf: string;
}

/** A column of the query. */
interface QueryColumn extends Column {
  /** Where it stands inside a JSON column of the dataset. */
  readonly inside?: Omit<PathColumn, 'name'>;
  /** The column, and what stands for its values. */
  readonly instead?: Omit<TextsColumn, 'name'>;
  /** The JSON column whose objects' names it holds. */
  readonly keysOf?: string;
  readonly isBlank?: true;
}

/**
 * One query over a dataset's columns: frozen, printable, ready to be put around any relation that
 * has those columns. SQL pieces are DuckDB's.
 */
export interface Query {
  readonly columns: readonly QueryColumn[];
  /** Null when every row is wanted. */
  readonly where: string | null;
  readonly distinct: boolean;
  /** A total order, or null for the source's own. */
  readonly orderBy: string | null;
  /** Rows at most, the first by `orderBy`. Left out where every row is wanted: such plans keep their hash. */
  readonly limit?: number;
}

/** Makes the query. The scope is part of it: the only way to a query without a tenant's bound is to say so. */
export function makeQuery(dataset: Dataset, scope: Scope, window: Window, ask: QueryAsk): Query {
  checkNames(dataset);
  const { distinct = false, limit } = ask;
  const columns = chooseColumns(dataset, ask.columns, distinct);
  checkLimit(dataset, limit, distinct);
  const conditions = [
    ...scopeTests(dataset, scope).map(filterSql),
    ...windowConditions(window, dataset),
    ...(ask.filter === undefined ? [] : [filterSql(readFilter(ask.filter, dataset))]),
  ];
  return {
    columns,
    where: conditions.length === 0 ? null : conditions.join(' and '),
    distinct,
    orderBy: orderSql(dataset, columns, ask),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** Without an order the first rows would be any. */
function checkLimit({ name, key }: Dataset, limit: number | undefined, distinct: boolean): void {
  if (limit === undefined) return;
  if (!Number.isSafeInteger(limit) || limit < 1) throw refuse('/limit', 'Allowed is a whole number from 1.');
  if (!distinct && key.length === 0)
    throw refuse('/limit', `${name} has no key to complete an order with, so it has no first rows.`);
}

/** SQL of the query over `relation`, a parenthesised select or table that has the dataset's columns. */
export function querySql(query: Query, relation: string): string {
  const names = query.columns.map(selected).join(', ');
  const where = query.where === null ? '' : ` where ${query.where}`;
  const orderBy = query.orderBy === null ? '' : ` order by ${query.orderBy}`;
  const limit = query.limit === undefined ? '' : ` limit ${query.limit}`;
  return `select ${query.distinct ? 'distinct ' : ''}${names} from ${relation} as relation${where}${orderBy}${limit}`;
}

/** Whether it is made by the query rather than read of the dataset under its name. */
export function isMade({ inside, instead, keysOf, isBlank }: QueryColumn): boolean {
  return inside !== undefined || instead !== undefined || keysOf !== undefined || isBlank === true;
}

function selected({ name, inside, instead, keysOf, isBlank }: QueryColumn): string {
  if (isBlank) return `null::varchar as ${identifier(name)}`;
  if (keysOf !== undefined) return `unnest(json_keys(${identifier(keysOf)})) as ${identifier(name)}`;
  if (instead) return `${textInstead(instead)} as ${identifier(name)}`;
  return inside ? `${pathText(inside)} as ${identifier(name)}` : identifier(name);
}

function textInstead({ column, texts }: Omit<TextsColumn, 'name'>): string {
  const cases = Object.entries(texts).map(([value, text]) => ` when ${literal(value)} then ${literal(text)}`);
  return cases.length === 0 ? 'null::varchar' : `case ${identifier(column)}${cases.join('')} end`;
}

/** Were two columns one to the engine, it could put a bound or a value of the one on the other. */
function checkNames({ name, columns }: Dataset): void {
  const twice = firstRepeated(columns.map((column) => column.name));
  if (twice === undefined) return;
  throw new Fault(
    'source.refused',
    `${name} has more than one column called "${twice}", apart from upper and lower case; rename one in the configuration.`,
  );
}

/** The one place where rows are bound to who may see them. */
export function scopeTests(dataset: Dataset, scope: Scope): readonly Test[] {
  if (dataset.tenancy === 'shared' || scope.is === 'operator') return [];
  if (scope.is === 'shared') throw new Fault('auth.forbidden', `${dataset.name} belongs to tenants; name one.`);
  const { column: name } = dataset.tenancy;
  const column = dataset.columns.find((each) => each.name === name);
  if (!column)
    throw new Fault('internal', 'The dataset is not set up correctly.', { cause: `no tenancy column ${name}` });
  return [{ is: 'test', column, path: [], verb: 'eq', operand: scope.tenant, pointer: '/tenant' }];
}

function chooseColumns(
  dataset: Dataset,
  asked: readonly AskedColumn[] | undefined,
  distinct: boolean,
): readonly QueryColumn[] {
  if (asked === undefined) return visibleColumns(dataset).map(plainColumn);
  if (asked.length === 0) throw refuse('/columns', 'At least one column is needed.');
  checkRepeated(asked.map((each) => (typeof each === 'string' ? each : each.name)));
  return asked.map((each, at) => {
    if (typeof each !== 'string') {
      if ('keysOf' in each && (!distinct || asked.length > 1))
        throw refuse(`/columns/${at}`, 'Names inside a JSON column are asked for with distinct, and alone.');
      return insideColumn(dataset, each, `/columns/${at}`);
    }
    const column = findVisible(dataset, each);
    if (!column) throw refuse(`/columns/${at}`, unknownColumn(dataset, each));
    return plainColumn(column);
  });
}

/** Of two names that are one to the engine, it would give the first one's values for both. */
function checkRepeated(names: readonly string[]): void {
  const again = firstRepeated(names);
  if (again === undefined) return;
  const isSame = names.indexOf(again) !== names.lastIndexOf(again);
  throw refuse(
    `/columns/${names.lastIndexOf(again)}`,
    `"${again}" is asked for twice${isSame ? '' : ', apart from upper and lower case'}.`,
  );
}

function insideColumn(dataset: Dataset, asked: Exclude<AskedColumn, string>, pointer: string): QueryColumn {
  if ('isBlank' in asked) return { name: asked.name, type: { is: 'text' }, nullable: true, isBlank: true };
  const of = 'keysOf' in asked ? asked.keysOf : asked.column;
  const { name } = asked;
  const column = findVisible(dataset, of);
  if (!column) throw refuse(`${pointer}/column`, unknownColumn(dataset, of));
  const wanted = 'texts' in asked ? 'text' : 'json';
  if (column.type.is !== wanted)
    throw refuse(`${pointer}/column`, `"${of}" is no ${wanted === 'json' ? 'JSON' : 'text'} column.`);
  // An order by a name means the dataset's column; the engine would take the query's.
  if (firstRepeated([...dataset.columns.map((each) => each.name), name]) !== undefined)
    throw refuse(`${pointer}/name`, `"${name}" is a column already, apart from upper and lower case.`);
  const text = { name, type: { is: 'text' }, nullable: true } as const;
  if ('keysOf' in asked) return { ...text, keysOf: of };
  if ('texts' in asked) return { ...text, instead: { column: of, texts: asked.texts } };
  const { path, capitals, label } = asked;
  const inside = { column: of, path, ...(capitals ? { capitals } : {}) };
  return { ...text, inside, ...(label === undefined ? {} : { label }) };
}

function plainColumn({ name, type, nullable }: Column): QueryColumn {
  return { name, type, nullable };
}

/** A column rows are ordered by, NULLs last. */
export interface OrderTerm {
  readonly name: string;
  readonly direction: 'asc' | 'desc';
}

function orderSql(dataset: Dataset, columns: readonly Column[], ask: QueryAsk): string | null {
  const terms = orderTerms(dataset, columns, ask);
  const texts = terms?.map(({ name, direction }) => `${identifier(name)} ${direction} nulls last`);
  return texts?.join(', ') ?? null;
}

/** The whole order of a query, or null for the source's own. */
export function orderTerms(
  dataset: Dataset,
  columns: readonly Column[],
  { order = [], distinct = false, limit }: Pick<QueryAsk, 'order' | 'distinct' | 'limit'>,
): readonly OrderTerm[] | null {
  if (order.length === 0 && !distinct && limit === undefined) return null;
  if (!distinct && dataset.key.length === 0)
    throw refuse('/order', `${dataset.name} has no key to complete an order with, so it cannot be ordered.`);
  const asked = order.map((term, at) => readTerm(dataset, term, at));
  const again = asked.findIndex(({ name }, at) => asked.findIndex((term) => term.name === name) !== at);
  if (again >= 0) throw refuse(`/order/${again}`, `"${asked[again]?.name}" is ordered by twice.`);
  const chosen = new Set(columns.map((column) => column.name));
  const outside = distinct ? asked.findIndex(({ name }) => !chosen.has(name)) : -1;
  if (outside >= 0) throw refuse(`/order/${outside}`, 'With distinct, order takes chosen columns only.');
  const completion = distinct ? [...chosen] : dataset.key;
  const missing = completion.filter((name) => !asked.some((term) => term.name === name));
  return [...asked, ...missing.map((name) => ({ name, direction: 'asc' }) as const)];
}

function readTerm(dataset: Dataset, term: string, at: number): OrderTerm {
  const isDescending = term.startsWith('-') && !findVisible(dataset, term);
  const name = isDescending ? term.slice(1) : term;
  if (!findVisible(dataset, name)) throw refuse(`/order/${at}`, unknownColumn(dataset, name));
  return { name, direction: isDescending ? 'desc' : 'asc' };
}
