import { Fault } from '../base/errors.ts';
import { identifier } from '../column/sql.ts';
import { nameOf } from '../column/type.ts';
import type { Dataset, Scope } from './dataset.ts';
import { type Filter, readFilter, type Test } from './filter.ts';
import { type NaturalTypes, postgresSql, textLiteral } from './push-down-sql.ts';
import { scopeTests } from './query.ts';
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
