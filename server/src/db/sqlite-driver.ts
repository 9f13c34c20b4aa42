import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { ticks } from '../base/clock.ts';
import { Mutex } from './mutex.ts';
import { SqliteConnection } from './sqlite-connection.ts';

/** How long a transaction waits for another process that writes, such as the command line; and between tries. */
const BUSY_MS = 5000;
const BUSY_RETRY_MS = 10;
const SQLITE_BUSY = 5;

const PRAGMAS = 'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on';

/** Transactions that reach the disk together. */
interface Group {
  readonly settled: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * One connection that writes and one that reads. Those who write at the same time are savepoints of
 * one transaction and share its sync to the disk, which costs more than all else in them; each
 * resolves once that is done. Readers see what is committed and nothing else.
 */
export class SqliteDriver implements Driver {
  readonly #path: string;
  readonly #writing = new Mutex();
  readonly #reading = new Mutex();
  #writer: SqliteConnection | null = null;
  #reader: SqliteConnection | null = null;
  #group: Group | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async init(): Promise<void> {
    const writer = new DatabaseSync(this.#path, { timeout: BUSY_MS });
    writer.exec(PRAGMAS);
    // SQLite's own waiting would hold up the event loop.
    writer.exec('pragma busy_timeout = 0');
    this.#writer = new SqliteConnection(writer);
    this.#reader = new SqliteConnection(new DatabaseSync(this.#path, { timeout: BUSY_MS, readOnly: true }));
  }

  async acquireConnection(): Promise<Lease> {
    return new Lease((query) => this.#alone(query));
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(lease: Lease, { accessMode }: TransactionSettings): Promise<void> {
    if (accessMode === 'read only') {
      const release = await this.#reading.take();
      await this.#open(lease, this.#reader, release, ['begin']);
      return;
    }
    const release = await this.#writing.take();
    // What will write takes the lock at once: taken later, another writer's change in between would refuse it.
    await this.#open(lease, this.#writer, release, [...(this.#group ? [] : ['begin immediate']), 'savepoint member']);
    this.#group ??= this.#newGroup();
  }

  async commitTransaction(lease: Lease): Promise<void> {
    const group = this.#group;
    const isReader = lease.held.connection === this.#reader;
    run(lease.held.connection, isReader ? 'commit' : 'release member');
    lease.close();
    if (!isReader) await group?.settled;
  }

  async rollbackTransaction(lease: Lease): Promise<void> {
    // A commit that failed for its whole group has been undone already.
    if (!lease.isOpen) return;
    const { connection } = lease.held;
    try {
      if (connection === this.#reader) run(connection, 'rollback');
      else if (connection.isInTransaction) run(connection, 'rollback to member', 'release member');
      // A full disk may end the whole transaction: then every member failed, not this one alone.
      else this.#flush();
    } finally {
      lease.close();
    }
  }

  async destroy(): Promise<void> {
    const release = await this.#writing.take();
    this.#flush();
    this.#writer?.close();
    this.#reader?.close();
    this.#writer = null;
    this.#reader = null;
    release();
  }

  async #open(lease: Lease, connection: SqliteConnection | null, release: () => void, words: string[]): Promise<void> {
    try {
      if (!connection) throw new Error('The database is closed.');
      for (const sql of words) await retryBusy(() => run(connection, sql));
      lease.open(connection, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whoever begins before the event loop has gone round, or waits for its turn by then, joins. */
  #newGroup(): Group {
    let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}];
    const settled = new Promise<void>((onResolve, onReject) => {
      [resolve, reject] = [onResolve, onReject];
    });
    // A group whose members all rolled back has nobody who listens.
    settled.catch(() => {});
    setImmediate(async () => {
      const release = await this.#writing.take();
      this.#flush();
      release();
    });
    return { settled, resolve, reject };
  }

  /** Commits the group, or fails all its members. */
  #flush(): void {
    const group = this.#group;
    this.#group = null;
    if (!group || !this.#writer) return;
    try {
      run(this.#writer, 'commit');
      group.resolve();
    } catch (error) {
      if (this.#writer.isInTransaction) run(this.#writer, 'rollback');
      group.reject(error);
    }
  }

  /** A statement outside of any transaction; only migrations have such. */
  async #alone<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const release = await this.#writing.take();
    try {
      this.#flush();
      if (!this.#writer) throw new Error('The database is closed.');
      const writer = this.#writer;
      return await retryBusy(() => writer.execute<Row>(query));
    } finally {
      release();
    }
  }
}

/** What Kysely holds as a connection: in a transaction, one of the two. */
class Lease implements DatabaseConnection {
  readonly #alone: <Row>(query: CompiledQuery) => Promise<QueryResult<Row>>;
  #held: { connection: SqliteConnection; release: () => void } | null = null;

  constructor(alone: <Row>(query: CompiledQuery) => Promise<QueryResult<Row>>) {
    this.#alone = alone;
  }

  open(connection: SqliteConnection, release: () => void): void {
    this.#held = { connection, release };
  }

  get isOpen(): boolean {
    return this.#held !== null;
  }

  get held(): { connection: SqliteConnection } {
    if (!this.#held) throw new Error('There is no transaction.');
    return this.#held;
  }

  /** Lets the next one in. */
  close(): void {
    const held = this.#held;
    this.#held = null;
    held?.release();
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#held ? this.#held.connection.executeQuery<Row>(query) : this.#alone<Row>(query);
  }

  // biome-ignore lint/correctness/useYield: nothing here streams
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Lists are read by pages.');
  }
}

/** Tries again while another process holds the lock, for a while. */
async function retryBusy<T>(act: () => T): Promise<T> {
  for (const end = ticks() + BUSY_MS; ; await wait(BUSY_RETRY_MS)) {
    try {
      return act();
    } catch (error) {
      const isBusy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
      if (!isBusy || ticks() > end) throw error;
    }
  }
}

function run(connection: SqliteConnection, ...words: string[]): void {
  for (const sql of words) connection.execute(CompiledQuery.raw(sql));
}
