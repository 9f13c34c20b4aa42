import { sql } from 'kysely';
import type { Tx } from '../src/db/db.ts';

/** What a schema promises, a line a fact, in the same words for both databases and in a stable order. */
export interface SchemaView {
  readonly columns: readonly string[];
  readonly primaryKeys: readonly string[];
  readonly uniques: readonly string[];
  readonly foreignKeys: readonly string[];
  readonly checks: readonly string[];
  readonly indexes: readonly string[];
}

interface TableSql {
  readonly name: string;
  readonly sql: string;
}

export async function sqliteSchema(tx: Tx): Promise<SchemaView> {
  const { rows: tables } = await sql<TableSql>`select name, sql from sqlite_master
    where type = 'table' and name not like 'kysely_%' and name not like 'sqlite_%'`.execute(tx);
  const { rows: indexes } = await sql<{ name: string; tbl: string; origin: string; sql: string | null }>`
    select list.name, tables.name as tbl, list.origin, indexes.sql
    from sqlite_master tables join pragma_index_list(tables.name) list
    left join sqlite_master indexes on indexes.name = list.name and indexes.type = 'index'
    where tables.type = 'table' and tables.name not like 'kysely_%'`.execute(tx);
  const keysOf = async (origin: string) =>
    sorted(
      indexes
        .filter((index) => index.origin === origin)
        .map(async ({ name, tbl }) => `${tbl} (${await indexColumns(tx, name)})`),
    );
  return {
    columns: await linesOf(tx, SQLITE_COLUMNS),
    primaryKeys: await keysOf('pk'),
    uniques: await keysOf('u'),
    foreignKeys: await linesOf(tx, SQLITE_FOREIGN_KEYS),
    checks: await sorted(tables.flatMap(checksOf)),
    indexes: await sorted(
      indexes
        .filter(({ origin }) => origin === 'c')
        .map(
          async ({ name, tbl, sql: text }) =>
            `${tbl}.${name} (${await indexColumns(tx, name)}) ${plain(text?.split(/ where /i)[1] ?? '')}`,
        ),
    ),
  };
}

export async function postgresSchema(tx: Tx): Promise<SchemaView> {
  const { rows: checks } = await sql<{ tbl: string; text: string }>`
    select conrelid::regclass::text as tbl, pg_get_expr(conbin, conrelid) as text
    from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`.execute(tx);
  const { rows: indexes } = await sql<{ tbl: string; name: string; columns: string; condition: string | null }>`
    select indrelid::regclass::text as tbl, indexrelid::regclass::text as name,
      (select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = indexrelid) as columns,
      pg_get_expr(indpred, indrelid) as condition
    from pg_index where indrelid::regclass::text not like 'kysely_%'
      and indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
      and indexrelid not in (select conindid from pg_constraint)`.execute(tx);
  return {
    columns: await linesOf(tx, POSTGRES_COLUMNS),
    primaryKeys: await linesOf(tx, postgresKeys('p')),
    uniques: await linesOf(tx, postgresKeys('u')),
    foreignKeys: await linesOf(tx, POSTGRES_FOREIGN_KEYS),
    checks: await sorted(checks.map(({ tbl, text }) => `${tbl}: ${plain(text)}`)),
    indexes: await sorted(
      indexes.map(({ tbl, name, columns, condition }) => `${tbl}.${name} (${columns}) ${plain(condition ?? '')}`),
    ),
  };
}

const SQLITE_COLUMNS = `
  select tables.name || '.' || columns.name || ' ' || lower(columns.type) ||
    case when columns."notnull" then ' not null' else '' end as line
  from sqlite_master tables join pragma_table_info(tables.name) columns
  where tables.type = 'table' and tables.name not like 'kysely_%' and tables.name not like 'sqlite_%'`;

const POSTGRES_COLUMNS = `
  select table_name || '.' || column_name || ' ' || data_type ||
    case when is_nullable = 'NO' then ' not null' else '' end as line
  from information_schema.columns where table_schema = 'public' and table_name not like 'kysely_%'`;

const SQLITE_FOREIGN_KEYS = `
  select tables.name || '.' || keys."from" || ' -> ' || keys."table" || '.' || keys."to" as line
  from sqlite_master tables join pragma_foreign_key_list(tables.name) keys where tables.type = 'table'`;

const POSTGRES_FOREIGN_KEYS = `
  select conrelid::regclass || '.' || ours.attname || ' -> ' || confrelid::regclass || '.' || theirs.attname as line
  from pg_constraint
  join pg_attribute ours on ours.attrelid = conrelid and ours.attnum = conkey[1]
  join pg_attribute theirs on theirs.attrelid = confrelid and theirs.attnum = confkey[1]
  where contype = 'f'`;

function postgresKeys(kind: 'p' | 'u'): string {
  return `
    select conrelid::regclass || ' (' ||
      (select string_agg(attname, ', ' order by array_position(conkey, attnum))
       from pg_attribute where attrelid = conrelid and attnum = any (conkey)) || ')' as line
    from pg_constraint where contype = '${kind}' and conrelid::regclass::text not like 'kysely_%'
      and connamespace = 'public'::regnamespace`;
}

async function linesOf(tx: Tx, text: string): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`${sql.raw(text)}`.execute(tx);
  return sorted(rows.map(({ line }) => line));
}

async function indexColumns(tx: Tx, index: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`select name from pragma_index_info(${index}) order by seqno`.execute(tx);
  return rows.map(({ name }) => name).join(', ');
}

function checksOf({ name, sql: text }: TableSql): string[] {
  return Array.from(
    text.matchAll(/ check \(((?:[^()]|\([^()]*\))*)\)/gi),
    ([, check = '']) => `${name}: ${plain(check)}`,
  );
}

/** A condition without what PostgreSQL adds when it shows it again. */
function plain(condition: string): string {
  return condition
    .replaceAll(/::\w+/g, '')
    .replaceAll(/= ANY \(ARRAY\[([^\]]*)\]\)/g, 'in $1')
    .replaceAll(/["()]/g, '')
    .toLowerCase()
    .trim();
}

async function sorted(lines: readonly (string | Promise<string>)[]): Promise<string[]> {
  return (await Promise.all(lines)).sort();
}
