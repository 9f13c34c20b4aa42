import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type duckdb from '@duckdb/node-bindings';
import { literal } from '../column/sql.ts';
import { type Bindings, Connection, loadBindings } from './connection.ts';
import { engineFault } from './engine-errors.ts';
import { type Rows, readRows } from './read-rows.ts';
import { type Scanned, Scanner, type Take } from './scan.ts';
import { type Copy, prepareCopy, prepareOther } from './statement.ts';

export interface EngineOptions {
  readonly memoryBytes: number;
  readonly threads: number;
  /** The only folder the engine may write to; its spill files go into `spill` inside. Null: it writes nowhere. */
  readonly stageFolder: string | null;
  /** The only files it may read beside that folder. Absolute. */
  readonly files: readonly string[];
  /** A database file to attach read-only as `source` before the doors are locked. */
  readonly database?: string;
  /** Whether it keeps what it has read of files while there is room; it does unless said. */
  readonly keepsFiles?: boolean;
  /** How many sessions there may be at a time; 4 unless said. */
  readonly sessions?: number;
}

/** One statement at a time; open one per concurrent piece of work. Dispose lets another have it. */
export interface Session extends Disposable {
  /** Writes a select's rows into a file of the stage and gives their number as the engine tells it. */
  copy(copy: Copy): Promise<number>;
  /** Hands the rows of one select on, in the engine's own memory, and gives their number. */
  scan(scanned: Scanned, take: Take): Promise<number>;
  /** Runs one statement of another kind: what the lock-down lets it. */
  run(sql: string): Promise<void>;
  /** All rows of a small result of one SELECT; nothing else is let through. */
  read(sql: string): Promise<Rows>;
  /** Share of the running statement that is done, 0 to 1, or null when the engine cannot tell. */
  fraction(): number | null;
  interrupt(): void;
}

/**
 * An embedded DuckDB that can reach the given files and folder and nothing else: paths first, then
 * external access off, then configuration locked. That does not make sources read-only, so every
 * statement is looked at too (`statement.ts`). Errors leave it as faults.
 */
export class Engine implements AsyncDisposable {
  readonly #bindings: Bindings;
  readonly #database: duckdb.Database;
  readonly #stageFolder: string | null;
  readonly #connections: Connection[] = [];
  /** Connections that no session has. */
  readonly #ready: Hand[] = [];

  private constructor(bindings: Bindings, database: duckdb.Database, stageFolder: string | null) {
    this.#bindings = bindings;
    this.#database = database;
    this.#stageFolder = stageFolder;
  }

  static async open(options: EngineOptions): Promise<Engine> {
    const bindings = await loadBindings();
    const config = bindings.create_config();
    bindings.set_config(config, 'threads', String(options.threads));
    bindings.set_config(config, 'memory_limit', `${Math.floor(options.memoryBytes / 1024)}KiB`);
    const engine = new Engine(bindings, await bindings.open(':memory:', config), options.stageFolder);
    try {
      await engine.#prepare(lockDown(options), options.sessions ?? SESSIONS);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    return engine;
  }

  async #prepare(lockDown: readonly string[], sessions: number): Promise<void> {
    for (let at = 0; at < sessions; at++) {
      const connection = new Connection(this.#bindings, await this.#bindings.connect(this.#database));
      this.#connections.push(connection);
      await translated(() => connection.query(OF_A_CONNECTION.join('; ')));
      this.#ready.push({ connection, scanner: new Scanner(connection, `drayage_take_${at}`) });
    }
    await translated(async () => this.#ready[0]?.connection.query(lockDown.join('; ')));
  }

  async session(): Promise<Session> {
    const hand = this.#ready.pop();
    if (!hand) throw new Error('More sessions than the engine was opened for.');
    const { connection, scanner } = hand;
    return {
      run: (sql) => translated(() => runOther(connection, sql)),
      copy: (copy) => translated(() => runCopy(connection, copy, this.#stageFolder)),
      scan: (scanned, take) => scanner.scan(scanned, take, translated),
      read: (sql) => translated(() => readRows(connection, sql)),
      fraction: () => connection.fraction(),
      interrupt: () => connection.interrupt(),
      [Symbol.dispose]: () => void this.#ready.push(hand),
    };
  }

  /** Stops every running statement; each fails with `run.cancelled`. */
  interrupt(): void {
    for (const connection of this.#connections) connection.interrupt();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection[Symbol.dispose]();
    this.#bindings.close_sync(this.#database);
  }
}

const SESSIONS = 4;

/** What a session works with. */
interface Hand {
  readonly connection: Connection;
  readonly scanner: Scanner;
}

/** Holds for one connection alone, so it has to be said to each before the lock. */
const OF_A_CONNECTION = [
  // Joins, which long lists of an IN become, would hold chunks of less than 64 rows back to the end: rows out of order.
  'set enable_caching_operators = false',
  'set enable_progress_bar = true',
  'set enable_progress_bar_print = false',
];

/** Order matters: a path list after the lock, or a lock before external access is off, would be void. */
function lockDown({ stageFolder, files, database, keepsFiles = true }: EngineOptions): string[] {
  const spill = stageFolder === null ? null : join(stageFolder, 'spill');
  if (spill !== null) mkdirSync(spill, { recursive: true });
  return [
    // What is freed goes back to the system: Parquet to Parquet peaked at 496 instead of 517 MB (20 M rows).
    "set global allocator_flush_threshold = '16MB'",
    // Without it that waits for the next statement: 138 MB of a COPY from JSON lines stayed while documents were made.
    'set global allocator_background_threads = true',
    // Without `global` it would hold for one connection, and the others take the machine's zone.
    "set global TimeZone = 'UTC'",
    "set global default_collation = 'binary'",
    'set global preserve_insertion_order = true',
    ...(database === undefined ? [] : [`attach ${literal(database)} as source (read_only)`]),
    ...(spill === null ? ["set temp_directory = ''"] : [`set temp_directory = ${literal(spill)}`]),
    `set allowed_paths = [${files.map(literal).join(', ')}]`,
    `set allowed_directories = [${stageFolder === null ? '' : literal(`${stageFolder}/`)}]`,
    ...(keepsFiles ? [] : ['set global enable_external_file_cache = false']),
    'set autoinstall_known_extensions = false',
    'set autoload_known_extensions = false',
    'set allow_community_extensions = false',
    'set allow_persistent_secrets = false',
    'set enable_external_access = false',
    'set lock_configuration = true',
  ];
}

async function runOther(connection: Connection, sql: string): Promise<void> {
  using prepared = await prepareOther(connection, sql);
  await prepared.run();
}

async function runCopy(connection: Connection, copy: Copy, stageFolder: string | null): Promise<number> {
  using prepared = await prepareCopy(connection, copy, stageFolder);
  return connection.bindings.rows_changed(await prepared.run());
}

async function translated<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    throw engineFault(error);
  }
}
