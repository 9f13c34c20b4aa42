import { identifier, literal } from '../../column/sql.ts';
import type { Connection } from './connection.ts';

/** A relation as the catalogs have it. */
export interface Relation {
  /** Schema and name, quoted. */
  readonly sql: string;
  readonly oid: string;
  /** One letter: r table, p partitioned, m materialized view, v view, f foreign table. */
  readonly kind: string;
  readonly database: string;
  /** `UTF8`, `LATIN1`, or `SQL_ASCII` where the server vouches for nothing. */
  readonly encoding: string;
  readonly version: number;
  /** Whether all columns may be read, the system's too; false may still mean some. */
  readonly isReadable: boolean;
  readonly isPartlyReadable: boolean;
  readonly attributes: readonly Attribute[];
}

export interface Attribute {
  readonly name: string;
  readonly type: CatalogType;
  readonly typeOid: string;
  readonly typmod: number;
  readonly isRequired: boolean;
  /** Whether texts are equal only when they are the same. */
  readonly isDeterministic: boolean;
}

/** A type without the domains around it. */
export interface CatalogType {
  /** Its name where it is one of PostgreSQL's own, else empty. */
  readonly name: string;
  readonly isComposite: boolean;
  readonly typmod: number;
  /** Of an array its items' type. */
  readonly item: CatalogType | null;
}

/** The relation of that quoted name, or null where there is none. */
export async function findRelation(connection: Connection, name: string): Promise<Relation | null> {
  const [row] = await connection.query(
    `select c.oid, n.nspname, c.relname, c.relkind, pg_catalog.current_database(),
      pg_catalog.current_setting('server_encoding'),
      pg_catalog.current_setting('server_version_num'),
      pg_catalog.has_table_privilege(c.oid, 'select'), pg_catalog.has_any_column_privilege(c.oid, 'select')
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = pg_catalog.to_regclass(${literal(name)})`,
  );
  if (!row) return null;
  const [oid, schema, table, kind, database, encoding, version, isReadable, isPartlyReadable] = row.map(String);
  const sql = [schema, table].map((part) => identifier(part ?? '')).join('.');
  return {
    sql,
    oid: oid ?? '',
    kind: kind ?? '',
    database: database ?? '',
    encoding: encoding ?? '',
    version: Number(version),
    isReadable: isReadable === 't',
    isPartlyReadable: isPartlyReadable === 't',
    attributes: await findAttributes(connection, oid ?? '', kind ?? ''),
  };
}

async function findAttributes(connection: Connection, oid: string, kind: string): Promise<Attribute[]> {
  const types = await findTypes(connection, oid);
  // A constraint that is not yet validated says nothing of older rows.
  const rows = await connection.query(
    `select a.attname, a.atttypid, a.atttypmod, a.attnotnull and not exists (
      select from pg_catalog.pg_constraint c where c.conrelid = a.attrelid and c.contype = 'n'
      and not c.convalidated and c.conkey[1] = a.attnum),
      coalesce(l.collisdeterministic, true)
    from pg_catalog.pg_attribute a left join pg_catalog.pg_collation l on l.oid = a.attcollation
    where a.attrelid = ${literal(oid)}::oid and a.attnum > 0 and not a.attisdropped
    order by a.attnum`,
  );
  // Nothing holds a foreign table to its constraints, nor a view's outer join to those of a domain.
  const isStrict = kind === 'r' || kind === 'p';
  return rows.map(([name, typeOid, typmod, notNull, isDeterministic]) => {
    const domain = resolve(types, String(typeOid), Number(typmod));
    return {
      name: String(name),
      type: domain.type,
      typeOid: String(typeOid),
      typmod: Number(typmod),
      isRequired: isStrict && (notNull === 't' || domain.isRequired),
      isDeterministic: isDeterministic === 't',
    };
  });
}

interface TypeRow {
  readonly name: string;
  readonly kind: string;
  readonly base: string;
  readonly typmod: number;
  readonly isRequired: boolean;
  readonly item: string;
}

/** Every type the columns have, those their domains stand for, and their arrays' items. */
async function findTypes(connection: Connection, oid: string): Promise<Map<string, TypeRow>> {
  const rows = await connection.query(
    `with recursive used as (
      select atttypid as oid from pg_catalog.pg_attribute where attrelid = ${literal(oid)}::oid and attnum > 0
      union
      select next from used join pg_catalog.pg_type t using (oid)
      cross join lateral (values (t.typbasetype), (t.typelem)) as behind(next) where next <> 0
    )
    select t.oid, case when n.nspname = 'pg_catalog' then t.typname else '' end, t.typtype, t.typbasetype, t.typtypmod,
      t.typnotnull, case when item.typarray = t.oid then t.typelem else 0 end
    from used join pg_catalog.pg_type t using (oid) join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    left join pg_catalog.pg_type item on item.oid = t.typelem`,
  );
  return new Map(
    rows.map(([typeOid, name, kind, base, typmod, notNull, item]) => [
      String(typeOid),
      {
        name: String(name),
        kind: String(kind),
        base: String(base),
        typmod: Number(typmod),
        isRequired: notNull === 't',
        item: String(item),
      },
    ]),
  );
}

function resolve(
  types: ReadonlyMap<string, TypeRow>,
  oid: string,
  typmod: number,
): { readonly type: CatalogType; readonly isRequired: boolean } {
  const row = types.get(oid);
  if (!row) return { type: { name: '', isComposite: false, typmod, item: null }, isRequired: false };
  if (row.kind === 'd') {
    const { type, isRequired } = resolve(types, row.base, row.typmod);
    return { type, isRequired: isRequired || row.isRequired };
  }
  const item = row.item === '0' ? null : resolve(types, row.item, typmod).type;
  return { type: { name: row.name, isComposite: row.kind === 'c', typmod, item }, isRequired: false };
}

/** What a plan stands on: differs when the relation's columns, or the relation itself, are others. */
export function signatureOf({ database, oid, kind, attributes }: Relation): string {
  const columns = attributes.map(({ name, typeOid, typmod, isRequired }) => [name, typeOid, typmod, isRequired]);
  return JSON.stringify({ database, oid, kind, columns });
}

/** Kinds of relation the server can lock in a way that no other change gets in between. */
export function isLockable(signature: string): boolean {
  const { kind } = JSON.parse(signature) as { readonly kind: string };
  return 'rpv'.includes(kind);
}
