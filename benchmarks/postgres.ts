import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, rmSync } from 'node:fs';
import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { findProgram } from './programs.ts';

const run = promisify(execFile);

const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** A server as it would be set up for a table of some GB; durability plays no part in reading. */
const SETTINGS = [
  'listen_addresses=',
  'shared_buffers=1GB',
  'max_wal_size=8GB',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'maintenance_work_mem=256MB',
];

const COLUMNS = `event_id uuid, tenant text, user_id int8, company_id int8, event_type text,
  occurred_at timestamptz, properties json, amount numeric(18,4), flag bool, note text`;

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  readonly psql: string;
}

/** Of the newest version there is. Debian's own folders come first: its psql on PATH is a wrapper, slow to start. */
function findPrograms(): Programs | null {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const folders = versions
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin'));
  const [initdb, postgres, psql] = ['initdb', 'postgres', 'psql'].map((name) => findProgram(name, folders));
  return initdb && postgres && psql ? { initdb, postgres, psql } : null;
}

/** What to install, or null. */
export function missingPostgres(): string | null {
  return findPrograms() ? null : 'apt-get install postgresql';
}

/** Path of psql. */
export function findPsql(): string {
  return findPrograms()?.psql ?? 'psql';
}

/** A server of the benchmark's own, on a Unix socket in a temporary folder. */
export class BenchPostgres {
  readonly url: string;
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly #psql: string;

  private constructor(folder: string, server: ChildProcess, psql: string) {
    this.#psql = psql;
    this.#folder = folder;
    this.#server = server;
    this.url = `postgresql://bench@localhost/postgres?host=${encodeURIComponent(folder)}`;
  }

  static async start(): Promise<BenchPostgres> {
    const programs = findPrograms();
    if (!programs) throw new Error('There is no PostgreSQL.');
    // PostgreSQL refuses to be root.
    const owner = process.getuid?.() === 0 ? userPostgres() : null;
    // The path of a Unix socket may have about 100 bytes, so the folder's name is short.
    const folder = await mkdtemp(join(tmpdir(), 'pgbench-'));
    try {
      if (owner) await chown(folder, owner.uid, owner.gid);
      const data = join(folder, 'data');
      const initdb = ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
      await run(programs.initdb, initdb, { cwd: folder, ...owner });
      const args = ['-D', data, '-k', folder, ...SETTINGS.flatMap((setting) => ['-c', setting])];
      const server = spawn(programs.postgres, args, {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
        ...owner,
      });
      await isReady(server);
      return new BenchPostgres(folder, server, programs.psql);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Makes a table of events from a CSV that DuckDB wrote, header included. */
  async load(table: string, csv: string): Promise<void> {
    await this.query(`create table ${table} (${COLUMNS})`);
    const copy = spawn(this.#psql, ['-X', '-q', this.url, '-c', `copy ${table} from stdin (format csv, header)`], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ended = once(copy, 'exit');
    await pipeline(createReadStream(csv), copy.stdin);
    const [code] = await ended;
    if (code !== 0) throw new Error(`${table} was not loaded.`);
    await this.query(`vacuum (freeze, analyze) ${table}`);
    await this.query('checkpoint');
  }

  async query(sql: string): Promise<string> {
    const { stdout } = await run(this.#psql, ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', this.url, '-c', sql]);
    return stdout.trim();
  }

  /** Ends the server and removes its files. */
  async stop(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const ended = once(this.#server, 'exit');
      this.#server.kill('SIGQUIT');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function isReady(server: ChildProcess): Promise<void> {
  let words = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${words}`)));
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4000);
      if (words.includes('ready to accept connections')) resolve();
    });
  });
}

function userPostgres(): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || Number.NaN);
  const [uid, gid] = [id('-u'), id('-g')];
  if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  throw new Error('PostgreSQL refuses to run as root, and there is no user postgres to run it as.');
}
