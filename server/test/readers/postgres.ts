import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, delimiter as pathDelimiter } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PostgreSQL's text cannot hold NUL. Before it reads, each becomes this character, which no test data holds. */
const NUL_STANDIN = '\u{f8ff}';

const DEBIAN_FOLDER = '/usr/lib/postgresql';

interface Tools {
  readonly initdb: string;
  readonly postgres: string;
  readonly psql: string;
}

/** Who runs the server: PostgreSQL refuses to be root. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** How the CSV is to be read. `nullText` stands unquoted for NULL. */
interface CsvDialect {
  readonly columns: number;
  readonly delimiter: string;
  readonly nullText: string;
}

/** Why there is no PostgreSQL to read with, or false. */
export function whyNoPostgres(): string | false {
  return findTools() ? false : 'PostgreSQL server not found: apt-get install postgresql';
}

/** A PostgreSQL server of the test's own. It tells an empty cell from "", and refuses what is no proper CSV. */
export class PostgresReader implements AsyncDisposable {
  readonly #psql: string;
  readonly #folder: string;
  readonly #owner: Owner | null;
  readonly #server: ChildProcess;
  readonly #kill: () => void;
  #files = 0;
  #databases = 0;

  private constructor(place: { psql: string; folder: string; owner: Owner | null }, server: ChildProcess) {
    this.#psql = place.psql;
    this.#folder = place.folder;
    this.#owner = place.owner;
    this.#server = server;
    this.#kill = () => server.kill('SIGQUIT');
    process.once('exit', this.#kill);
  }

  static async start(): Promise<PostgresReader> {
    const tools = findTools();
    if (!tools) throw new Error('There is no PostgreSQL.');
    const owner = process.getuid?.() === 0 ? unprivileged() : null;
    // The path of a Unix socket may have about 100 bytes, so the folder's name is short.
    const folder = await mkdtemp(join(tmpdir(), 'pg-'));
    try {
      if (owner) await chown(folder, owner.uid, owner.gid);
      const data = join(folder, 'data');
      const initdb = ['-D', data, '-U', 'reader', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
      await run(tools.initdb, initdb, { cwd: folder, ...owner });
      const server = await startServer(tools.postgres, folder, owner);
      return new PostgresReader({ psql: tools.psql, folder, owner }, server);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The rows of a CSV, its header as the first of them: text, or null where a cell is NULL. */
  async readCsv(bytes: Uint8Array, dialect: CsvDialect): Promise<(string | null)[][]> {
    const path = join(this.#folder, `${this.#files++}.csv`);
    await writeFile(path, withoutNul(Buffer.from(bytes)));
    if (this.#owner) await chown(path, this.#owner.uid, this.#owner.gid);
    const names = Array.from({ length: dialect.columns }, (_, at) => `c${at}`).join(', ');
    const options = `format csv, header false, delimiter ${quote(dialect.delimiter)}, null ${quote(dialect.nullText)}, encoding 'UTF8'`;
    const output = await this.#query([
      `create temp table input (place bigserial, ${names.replaceAll(/c\d+/g, '$& text')})`,
      `copy input (${names}) from ${quote(path)} (${options})`,
      `copy (select ${names} from input order by place) to stdout`,
    ]);
    await rm(path);
    return output.split('\n').slice(0, -1).map(readRow);
  }

  /** A new empty database; gives its connection string. */
  async createDatabase(encoding: 'UTF8' | 'SQL_ASCII' | 'LATIN1' = 'UTF8'): Promise<string> {
    const name = `database_${this.#databases++}`;
    await this.#query([`create database ${name} template template0 encoding '${encoding}' locale 'C'`]);
    return `postgresql://reader@localhost/${name}?host=${encodeURIComponent(this.#folder)}`;
  }

  async #query(statements: readonly string[]): Promise<string> {
    const psql = run(
      this.#psql,
      ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', this.#folder, '-U', 'reader', 'postgres'],
      {
        maxBuffer: 2 ** 30,
        env: { ...process.env, PGCLIENTENCODING: 'UTF8' },
      },
    );
    psql.child.stdin?.end(`${statements.join(';\n')};\n`);
    return (await psql).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#kill);
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGQUIT');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function startServer(postgres: string, folder: string, owner: Owner | null): Promise<ChildProcess> {
  const settings = [
    'listen_addresses=',
    'shared_buffers=16MB',
    'max_connections=100',
    'fsync=off',
    'log_statement=none',
  ];
  const args = ['-D', join(folder, 'data'), '-k', folder, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(postgres, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...owner });
  let words = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${words}`)));
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4000);
      if (words.includes('ready to accept connections')) resolve();
    });
  });
  return server;
}

function findTools(): Tools | null {
  // Debian's psql on the PATH is a script that looks for this one, which takes longer than most of what is read.
  const folders = [...debianFolders(), ...(process.env.PATH ?? '').split(pathDelimiter)];
  const find = (name: string) => folders.map((folder) => join(folder, name)).find(isExecutable);
  const [initdb, postgres, psql] = [find('initdb'), find('postgres'), find('psql')];
  return initdb && postgres && psql ? { initdb, postgres, psql } : null;
}

function debianFolders(): string[] {
  if (!existsSync(DEBIAN_FOLDER)) return [];
  const versions = readdirSync(DEBIAN_FOLDER).sort((left, right) => Number(right) - Number(left));
  return versions.map((version) => join(DEBIAN_FOLDER, version, 'bin'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function unprivileged(): Owner {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout || Number.NaN),
    );
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.');
}

function withoutNul(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll('\0', Buffer.from(NUL_STANDIN).toString('latin1')), 'latin1');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A line of COPY's text format. */
function readRow(line: string): (string | null)[] {
  return line.split('\t').map((cell) => {
    if (cell === '\\N') return null;
    return cell.replaceAll(/\\(.)/g, (_, char: string) => ESCAPED[char] ?? char).replaceAll(NUL_STANDIN, '\0');
  });
}
