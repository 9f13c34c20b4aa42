import { Fault, refuse } from '../../base/errors.ts';
import { identifier, literal } from '../../column/sql.ts';
import { OTHERS } from '../landed-text.ts';
import type { PostgresOptions } from '../options.ts';
import { POSITION } from '../relation.ts';
import type { DescribeAsk, LiveAsk, LiveReader, Source, SourceShape } from '../source.ts';
import { clientConfig } from './address.ts';
import { findRelation, type Relation, signatureOf } from './catalog.ts';
import { type ReadColumn, readColumn } from './columns.ts';
import { Connection, STALL_MS } from './connection.ts';
import { piecesOf } from './pieces.ts';
import { LOCK_TIMEOUT_MS, openReader } from './reader.ts';
import { begin } from './session.ts';

/** A table, view, materialized view, partitioned or foreign table of a PostgreSQL database. */
export const postgres: Source = {
  async describe(ask: DescribeAsk): Promise<SourceShape> {
    const options = ownOptions(ask.options);
    const config = await clientConfig(options);
    const { signal } = new AbortController();
    await using connection = await Connection.open({ config, signal, stallMs: DESCRIBE_MS });
    const relation = await openRelation(connection, options.table);
    const columns = columnsOf(relation, ask);
    const live = {
      relation: relation.sql,
      columns: columns.map((each) => each.live),
      signature: signatureOf(relation),
    };
    return {
      type: 'postgres',
      kind: 'live',
      inputs: [],
      columns: columns.map(({ column }) => column),
      scan: '',
      position: 'row_number() over ()',
      rowNumber: null,
      pieces: await piecesOf(connection, relation),
      countable: true,
      live,
    };
  },

  async open(ask: LiveAsk): Promise<LiveReader> {
    return openPostgres(ask, { stallMs: STALL_MS, lockTimeoutMs: LOCK_TIMEOUT_MS });
  },
};

/** Waits that a test makes short. */
interface Patience {
  readonly stallMs: number;
  readonly lockTimeoutMs: number;
}

/** What `open` does, with other patience. */
export async function openPostgres(ask: LiveAsk, patience: Patience): Promise<LiveReader> {
  const options = ownOptions(ask.options);
  const { live } = ask.shape;
  if (!live) throw new Error('The shape is of no live relation.');
  const lanes = Math.max(1, Math.min(ask.lanes, options.connections));
  return openReader({ config: await clientConfig(options), signal: ask.signal, lanes, live, ...patience });
}

/** Catalogs answer in milliseconds; a minute is for a server with other worries. */
const DESCRIBE_MS = 60_000;

/** Kinds of relation that hold rows: tables, partitioned ones, materialized views, views, foreign tables. */
const WITH_ROWS = 'rpmvf';

function ownOptions(options: DescribeAsk['options']): PostgresOptions {
  if (options.type !== 'postgres') throw new Error(`These options are of ${options.type}.`);
  return options;
}

async function openRelation(connection: Connection, table: string): Promise<Relation> {
  const parts = partsOf(table);
  // The user's own search path finds a table that is named without its schema.
  const [row] = await connection.query(
    `select n.nspname, c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = pg_catalog.to_regclass(${literal(parts.map(identifier).join('.'))})`,
  );
  const [schema = '', name = ''] = (row ?? []).map(String);
  // The server cuts names at 63 bytes and would find another table.
  if (!row || name !== parts.at(-1))
    throw refuse('/table', 'The database has no such table, or this user cannot see it.');
  await begin(connection, { snapshot: null, lockTimeoutMs: LOCK_TIMEOUT_MS, lock: null });
  const relation = await findRelation(connection, [schema, name].map(identifier).join('.'));
  if (!relation || !WITH_ROWS.includes(relation.kind)) throw refuse('/table', 'This is no table and no view.');
  if (!relation.isPartlyReadable) throw new Fault('source.refused', 'The database user may not read the table.');
  if (relation.attributes.length === 0) throw new Fault('source.refused', 'The table has no columns.');
  return relation;
}

/** `schema.name` or `name`; dots within double quotes are part of a name. */
function partsOf(table: string): string[] {
  const [, schema, name = table] = /^((?:"(?:[^"]|"")*"|[^".])(?:[^".]|"(?:[^"]|"")*")*)\.(.+)$/s.exec(table) ?? [];
  const parts = (schema === undefined ? [name] : [schema, name]).map(unquoted);
  if (parts.some((part) => part === '' || part.includes('\0') || !part.isWellFormed()))
    throw refuse('/table', 'Write schema.name or name, with double quotes around a part that has a dot in it.');
  return parts;
}

function unquoted(part: string): string {
  return /^".*"$/s.test(part) ? part.slice(1, -1).replaceAll('""', '"') : part;
}

function columnsOf(relation: Relation, { types }: DescribeAsk): ReadColumn[] {
  const names = relation.attributes.map(({ name }) => name);
  // The engine does not tell cases of letters apart.
  for (const taken of [POSITION, OTHERS])
    if (names.some((name) => name.toLowerCase() === taken))
      throw refuse('/table', `A column may not be called ${taken}.`);
  const missing = Object.keys(types).find((name) => !names.includes(name));
  if (missing !== undefined) {
    const known = names.slice(0, 40).join(', ');
    throw refuse(`/types/${missing}`, `The source has no column "${missing}"; it has ${known}.`);
  }
  return relation.attributes.map((attribute) => {
    const declared = Object.hasOwn(types, attribute.name) ? types[attribute.name] : undefined;
    return readColumn(attribute, relation, declared);
  });
}
