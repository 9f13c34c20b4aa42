import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dialect, Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import { migrations } from './migrations.ts';
import { NodeSqliteDialect } from './sqlite.ts';
import { exactNumber } from './sqlite-connection.ts';
import type { Tables } from './tables.ts';

/** The only thing queries take: none can be asked beside the transaction it belongs to. */
export type Tx = Transaction<Tables>;

export interface DbOptions {
  /** Where the SQLite file stands. */
  readonly dataFolder: string;
  /** A PostgreSQL connection string, or null for SQLite. */
  readonly url: string | null;
}

/** A lease is 30 s long and renewed every other second. */
const MAX_SKEW_MS = 5000;

/** Our own tables, in SQLite or PostgreSQL. */
export class Db implements AsyncDisposable {
  readonly #kysely: Kysely<Tables>;
  readonly kind: 'sqlite' | 'postgres';

  private constructor(dialect: Dialect, kind: 'sqlite' | 'postgres') {
    this.#kysely = new Kysely<Tables>({ dialect });
    this.kind = kind;
  }

  /** Opens the database as it is. Throws `source.unreachable` when it cannot be reached. */
  static async open({ dataFolder, url }: DbOptions): Promise<Db> {
    if (url === null) await mkdir(dataFolder, { recursive: true });
    const db =
      url === null
        ? new Db(new NodeSqliteDialect(join(dataFolder, 'drayage.db')), 'sqlite')
        : new Db(await postgresDialect(url), 'postgres');
    try {
      await db.#checkClock();
      return db;
    } catch (cause) {
      await db[Symbol.asyncDispose]();
      if (cause instanceof Fault) throw cause;
      throw new Fault('source.unreachable', 'The database of this server cannot be opened.', { cause });
    }
  }

  /** Servers judge each other's leases by their own clocks. */
  async #checkClock(): Promise<void> {
    const { rows } = await this.read((tx) =>
      this.kind === 'sqlite'
        ? sql<{ ms: number }>`select 0 as ms`.execute(tx)
        : sql<{ ms: number }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(tx),
    );
    const skewMs = this.kind === 'sqlite' ? 0 : Math.abs(Date.parse(now()) - (rows[0]?.ms ?? 0));
    if (skewMs > MAX_SKEW_MS)
      throw new Fault(
        'internal',
        `The clocks of this machine and of its database are ${skewMs} ms apart; allowed are ${MAX_SKEW_MS}.`,
      );
  }

  /** One transaction that may write. It commits when `act` resolves; when it rejects nothing happened. */
  write<T>(act: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#kysely.transaction().execute(act);
  }

  /** One transaction that only reads, and sees one moment: what is found stays found until it ends. */
  read<T>(act: (tx: Tx) => Promise<T>): Promise<T> {
    const transaction = this.#kysely.transaction().setAccessMode('read only');
    return (this.kind === 'sqlite' ? transaction : transaction.setIsolationLevel('repeatable read')).execute(act);
  }

  /** Brings the tables to this version, and gives the names of the migrations that ran. */
  async migrate(): Promise<string[]> {
    const migrator = new Migrator({ db: this.#kysely, provider: { getMigrations: async () => migrations } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error) throw new Fault('internal', 'The database could not be brought to this version.', { cause: error });
    return results.map(({ migrationName }) => migrationName);
  }

  /** Names of the migrations that have not run yet. */
  async pendingMigrations(): Promise<string[]> {
    const migrator = new Migrator({ db: this.#kysely, provider: { getMigrations: async () => migrations } });
    return (await migrator.getMigrations()).filter(({ executedAt }) => !executedAt).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kysely.destroy();
  }
}

/** Bigints and sums come as text otherwise. */
const NUMBERS = new Set([20, 1700]);

/** A network that swallows packets must not hold up leases, requests or a stop. */
const TIMEOUTS = {
  connectionTimeoutMillis: 10_000,
  query_timeout: 30_000,
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
};

async function postgresDialect(url: string): Promise<Dialect> {
  const { default: pg } = await import('pg');
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      NUMBERS.has(oid) ? exactNumber : pg.types.getTypeParser(oid, format as 'text'),
  };
  const pool = new pg.Pool({ connectionString: url, types: types as typeof pg.types, keepAlive: true, ...TIMEOUTS });
  // A connection that is cut fails its query, or is replaced at the next; unheard, its error would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return new PostgresDialect({ pool });
}
