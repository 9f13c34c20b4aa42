import { Fault } from '../../base/errors.ts';
import { literal } from '../../column/sql.ts';
import type { CsvRows, LiveColumn, LiveLane, LiveRead, LiveReader, LiveShape, LiveTarget, Sent } from '../source.ts';
import { findRelation, isLockable, signatureOf } from './catalog.ts';
import { kindOf } from './cells.ts';
import { Connection, type ConnectionAsk, type Copying } from './connection.ts';
import { changed, codeOf } from './errors.ts';
import { NO_PAGE } from './pieces.ts';
import { begin } from './session.ts';

/** How long a run waits for somebody who is changing the table, before it tries again later. */
export const LOCK_TIMEOUT_MS = 10_000;

/** A further connection that does not come up within this is done without: a pooler may let it wait for minutes. */
const FURTHER_LANE_MS = 5000;

interface ReaderAsk extends ConnectionAsk {
  readonly lanes: number;
  readonly live: LiveShape;
  readonly lockTimeoutMs: number;
}

/** Opens the connections of a run. Only the first has to succeed. */
export async function openReader(ask: ReaderAsk): Promise<LiveReader> {
  const { connection, snapshot } = await openFirst(ask);
  const further = snapshot === null ? [] : await openFurther(ask, snapshot);
  return new Reader(ask.live, [connection, ...further]);
}

interface First {
  readonly connection: Connection;
  /** Null where it cannot be shared: on some standbys, or when one connection is all there is to be. */
  readonly snapshot: string | null;
}

async function openFirst(ask: ReaderAsk): Promise<First> {
  const plain = { lock: isLockable(ask.live.signature), isShared: ask.lanes > 1 };
  // Whoever may read single columns only may not lock the table; a standby may not export a snapshot.
  for (const way of [plain, { ...plain, lock: false }, { lock: false, isShared: false }]) {
    const connection = await Connection.open(ask);
    try {
      return { connection, snapshot: await beginFirst(connection, ask, way) };
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      if (!isWorthAnother(error, way)) throw error;
    }
  }
  throw new Error('The last way in did not end.');
}

interface Way {
  readonly lock: boolean;
  readonly isShared: boolean;
}

function isWorthAnother(error: unknown, { lock, isShared }: Way): boolean {
  if (!(error instanceof Fault)) return false;
  const state = codeOf(error.cause);
  return (lock && state === '42501') || (isShared && CANNOT_SHARE.has(state));
}

/** What servers say that export no snapshot: feature_not_supported, object_not_in_prerequisite_state, active_sql_transaction. */
const CANNOT_SHARE = new Set(['0A000', '55000', '25001']);

async function beginFirst(connection: Connection, ask: ReaderAsk, way: Way): Promise<string | null> {
  const { live, lockTimeoutMs } = ask;
  await begin(connection, { snapshot: null, lockTimeoutMs, lock: way.lock ? live.relation : null });
  const relation = await findRelation(connection, live.relation);
  if (!relation || signatureOf(relation) !== live.signature) throw changed();
  // Holds the relation as it is where it cannot be locked otherwise.
  if (!way.lock) await connection.query(touchSql(live));
  if (!way.isShared) return null;
  const [row] = await connection.query('select pg_catalog.pg_export_snapshot()');
  return row?.[0] ?? null;
}

/** Those that come up in time; the run goes on with fewer. */
async function openFurther(ask: ReaderAsk, snapshot: string): Promise<Connection[]> {
  const opened = await Promise.allSettled(
    Array.from({ length: ask.lanes - 1 }, async () => {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), FURTHER_LANE_MS);
      try {
        return await openLane({ ...ask, signal: AbortSignal.any([ask.signal, late.signal]) }, snapshot);
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

async function openLane(ask: ReaderAsk, snapshot: string): Promise<Connection> {
  const connection = await Connection.open(ask);
  try {
    await begin(connection, { snapshot, lockTimeoutMs: ask.lockTimeoutMs, lock: null });
    await connection.query(touchSql(ask.live));
    return connection;
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

class Reader implements LiveReader {
  readonly lanes: readonly LiveLane[];
  readonly #live: LiveShape;
  readonly #connections: readonly [Connection, ...Connection[]];

  constructor(live: LiveShape, connections: readonly [Connection, ...Connection[]]) {
    this.#live = live;
    this.#connections = connections;
    this.lanes = connections.map((connection) => ({
      copy: (read, target) => connection.copy(copyingOf(live, read, target)),
    }));
  }

  async count(read: LiveRead): Promise<number> {
    // Only here is more than one server process of use: what a count sends is one number.
    const [row] = await this.#connections[0].query(
      `set local max_parallel_workers_per_gather to default; select pg_catalog.count(*) from ${rowsSql(this.#live, read)}`,
    );
    await this.#connections[0].query('set local max_parallel_workers_per_gather to 0');
    const count = Number(row?.[0]);
    if (!Number.isSafeInteger(count)) throw new Error('The server did not tell a count.');
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection[Symbol.asyncDispose]()));
  }
}

function touchSql({ relation }: LiveShape): string {
  return `select from ${relation} limit 0`;
}

/** What the first column of a COPY is called. */
const FIRST = 'drayage_first';

function copyingOf(live: LiveShape, read: LiveRead, { path, rows }: LiveTarget): Copying {
  if (rows.as === 'csv' && rows.text === 'landed') return { path, ...landedCopy(live, read, rows) };
  const cells = read.columns.map((name) => plainOf(live, name));
  const items = cells.map(({ sql }) => sql);
  return {
    path,
    rows: { as: 'cells', kinds: cells.map(kindOf), made: rows },
    // Values cost the server far less than their texts do.
    sql: copySql(items, rowsSql(live, read), 'format binary'),
  };
}

function landedCopy(live: LiveShape, read: LiveRead, rows: CsvRows): Omit<Copying, 'path'> {
  const [first = '', ...others] = read.columns.map((name) => columnOf(live, name).landed);
  return {
    rows: { as: 'csv' },
    sql: copySql([`${first} as ${FIRST}`, ...others], rowsSql(live, read), csvOptions(rows)),
  };
}

function copySql(items: readonly string[], from: string, options: string): string {
  return `copy (select ${items.join(', ')} from ${from}) to stdout (${options})`;
}

function csvOptions({ delimiter, nullText }: CsvRows): string {
  // A reader of the file would take a byte order mark that a first cell begins with for the file's own.
  return `format csv, delimiter ${literal(delimiter)}, null ${literal(nullText)}, quote '"', escape '"', force_quote (${FIRST}), encoding 'UTF8'`;
}

function plainOf(live: LiveShape, name: string): Sent {
  const { plain } = columnOf(live, name);
  if (plain === null) throw new Error(`The relation has no plain text of column ${name}.`);
  return plain;
}

function columnOf({ columns }: LiveShape, name: string): LiveColumn {
  const column = columns.find((each) => each.name === name);
  if (!column) throw new Error(`The relation has no column ${name}.`);
  return column;
}

function rowsSql({ relation }: LiveShape, { where, piece }: LiveRead): string {
  const [start, end] = piece?.rows ?? [0, NO_PAGE];
  const conditions = [
    ...(where === null ? [] : [`(${where})`]),
    ...(start === 0 ? [] : [`ctid >= '(${start},0)'::pg_catalog.tid`]),
    ...(end === NO_PAGE ? [] : [`ctid < '(${end},0)'::pg_catalog.tid`]),
  ];
  return `${relation}${conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`}`;
}
