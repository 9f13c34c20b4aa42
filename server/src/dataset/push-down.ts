import { Fault } from '../base/errors.ts';
import { identifier } from '../column/sql.ts';
import { nameOf } from '../column/type.ts';
import type { Dataset, Scope } from './dataset.ts';
import { type Filter, readFilter, type Test } from './filter.ts';
import { type NaturalTypes, postgresOrder, postgresSql, textLiteral } from './push-down-sql.ts';
import { type OrderTerm, scopeTests } from './query.ts';
import { type Window, windowTests } from './window.ts';

/** The conditions of a query in PostgreSQL's SQL, over the source's own columns. */
export interface PushedDown {
  /** Null for every row. */
  readonly where: string | null;
  /** Whether exactly the query's rows match; otherwise more may, and the query must be asked again of them. */
  readonly isExact: boolean;
}

/** What the query was made of: its filter as the caller sent it. */
interface Conditions {
  readonly scope: Scope;
  readonly window: Window;
  readonly filter?: unknown;
}

/** One of the conditions that must all hold. */
type Conjunct = PushedDown;

/**
 * What of a query's conditions PostgreSQL can tell as DuckDB would: of conditions that must all hold
 * each that can be said exactly, and the scope always. For what `makeQuery` takes. Throws
 * `source.refused` where the scope cannot be said.
 */
export function pushDown(dataset: Dataset, { scope, window, filter }: Conditions, natural: NaturalTypes): PushedDown {
  const asked = filter === undefined ? [] : [readFilter(filter, dataset)];
  const conjuncts = [
    ...scopeTests(dataset, scope).map((test) => bound(dataset, test, natural)),
    ...[...windowTests(window, dataset), ...asked].flatMap(conjunctsOf).map((each) => exactly(each, natural)),
  ];
  const said = conjuncts.flatMap(({ where }) => (where === null ? [] : [where]));
  return { where: said.length === 0 ? null : said.join(' and '), isExact: conjuncts.every(({ isExact }) => isExact) };
}

/** The first rows of a query in its whole order. */
export interface First {
  readonly order: readonly OrderTerm[];
  readonly limit: number;
  /** The relation's quoted name in the source's SQL. */
  readonly relation: string;
}

/**
 * The conditions narrowed to rows among which the first ones are: those with the keys of the first.
 * As they were where they are not exact, or PostgreSQL has another order.
 */
export function pushFirst(dataset: Dataset, pushed: PushedDown, first: First, natural: NaturalTypes): PushedDown {
  const columnOf = (name: string) => dataset.columns.find((column) => column.name === name);
  const order = first.order.map(({ name, direction }) => {
    const column = columnOf(name);
    return column ? postgresOrder(column, direction, natural) : null;
  });
  if (!pushed.isExact || order.includes(null)) return pushed;
  const keys = dataset.key.flatMap((name) => columnOf(name) ?? []);
  const names = keys.map(({ from }) => identifier(from)).join(', ');
  const where = pushed.where === null ? '' : ` where ${pushed.where}`;
  const select = `select ${names} from ${first.relation}${where} order by ${order.join(', ')} limit ${first.limit}`;
  // A key that has NULL is in no list, so those rows are left to the engine.
  const blank = keys.filter(({ nullable }) => nullable).map(({ from }) => ` or ${identifier(from)} is null`);
  const among = `((${names}) in (${select})${blank.join('')})`;
  return { where: pushed.where === null ? among : `${pushed.where} and ${among}`, isExact: true };
}

function conjunctsOf(filter: Filter): readonly Filter[] {
  return filter.is === 'and' ? filter.of.flatMap(conjunctsOf) : [filter];
}

function exactly(filter: Filter, natural: NaturalTypes): Conjunct {
  const where = postgresSql(filter, natural);
  return { where, isExact: where !== null };
}

/** The scope's condition: exact, or true for every row whose text, cast or printed, is the tenant's name. */
function bound(dataset: Dataset, test: Test, natural: NaturalTypes): Conjunct {
  const exact = exactly(test, natural);
  if (exact.isExact) return exact;
  const { type, from } = test.column;
  if (type.is !== 'text')
    throw new Fault('source.refused', `${dataset.name} is not set up correctly: its tenants cannot be told apart.`, {
      cause: `the tenancy column ${from} is declared as ${nameOf(type)}, and its type in the database is ${natural.get(from) ?? 'another'}`,
    });
  return { where: textBound(identifier(from), String(test.operand), natural.get(from)), isExact: false };
}

function textBound(column: string, tenant: string, typeName: string | undefined): string {
  if (tenant.includes('\0')) return 'false';
  const wanted = textLiteral(tenant);
  // Blanks at the end count for nothing, and an index on the column serves.
  if (typeName === 'bpchar') return `${column} = ${wanted}::bpchar`;
  // Some types are cast to another text than they are printed as: char(n), bool, inet.
  const isEither = `${column}::text collate "C" = ${wanted} or concat(${column}) collate "C" = ${wanted}`;
  return `(${column} is not null and (${isEither}))`;
}
