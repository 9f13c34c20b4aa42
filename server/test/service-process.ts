import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Db } from '../src/db/db.ts';
import type { Config } from '../src/job/config.ts';
import { RIGHTS } from '../src/tenant/principal.ts';
import { Tenants } from '../src/tenant/queries.ts';
import { descendants, isRunning } from './command-line.ts';

const DRAYAGE = fileURLToPath(new URL('../bin/drayage.js', import.meta.url));

/** Nothing a service does may take longer in a test. */
const LIMIT_MS = 60_000;

/** A line of a service's log. */
export interface LogLine {
  readonly event?: string;
  readonly run?: string;
  readonly tenant?: string;
  readonly attempt?: number;
  readonly phase?: string;
  readonly port?: number;
  readonly pid?: number;
  readonly ending?: string;
}

export interface ServiceEnding {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

/** One life of `drayage serve`, as a process of its own. */
export class ServiceProcess {
  readonly lines: LogLine[] = [];
  /** All it wrote, log and errors alike. */
  text = '';
  readonly ended: Promise<ServiceEnding>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(line: LogLine) => void>();
  #rest = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Calls `listen` with every line from now on, at the moment it is read; gives what ends that. */
  listen(listen: (line: LogLine) => void): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  /** The first line, said already or to come, that fits. Rejects when the process ends or time is up before. */
  async said(what: string, fits: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const isIt = (line: LogLine) => line.event === what && fits(line);
    const before = this.lines.find(isIt);
    if (before) return before;
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const timer = setTimeout(() => reject(new Error(`No line "${what}" came:\n${this.text}`)), LIMIT_MS);
    const stop = this.listen((line) => isIt(line) && resolve(line));
    void this.ended.then(() => reject(new Error(`It ended before "${what}":\n${this.text}`)));
    return promise.finally(() => {
      clearTimeout(timer);
      stop();
    });
  }

  /** Signals the server alone. */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  /** Signals its whole process group, as a terminal does; it must have been started as a group. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  children(): number[] {
    return descendants(this.pid);
  }

  #hear(text: string): void {
    this.text += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const read = readLine(line);
      if (read === null) continue;
      this.lines.push(read);
      for (const listen of this.#listeners) listen(read);
    }
  }
}

function readLine(text: string): LogLine | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export interface ServiceOptions {
  readonly config: Config;
  /** Tier of each tenant; a tenant's key is `dk_test_` and its name. */
  readonly tenants: Readonly<Record<string, string>>;
}

/** A folder with configuration and data in which services live one after the other. */
export class ServiceYard implements AsyncDisposable {
  readonly folder: string;
  readonly #started: ServiceProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open({ config, tenants }: ServiceOptions): Promise<ServiceYard> {
    const yard = new ServiceYard(realpathSync(mkdtempSync(join(tmpdir(), 'drayage-service-'))));
    yard.configure(config);
    await using db = await Db.open({ dataFolder: yard.dataFolder, url: null });
    await db.migrate();
    const store = new Tenants(db);
    for (const [name, tier] of Object.entries(tenants)) {
      await store.putTenant(name, tier);
      const key = keyOf(name);
      await store.putKey({ name, key, tenants: [name], rights: RIGHTS, dialects: ['native'] });
    }
    return yard;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** What the next life is configured as. */
  configure(config: Config): void {
    writeFileSync(join(this.folder, 'drayage.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  }

  /** A new life; it serves once it says so. `asGroup`: with a process group of its own. */
  start({ asGroup = false } = {}): ServiceProcess {
    const child = spawn(process.execPath, [DRAYAGE, 'serve', '--config', 'drayage.config.mjs'], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        PORT: '0',
        DRAYAGE_DATA: this.dataFolder,
        DRAYAGE_THREADS: '2',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: asGroup,
    });
    const service = new ServiceProcess(child);
    this.#started.push(service);
    return service;
  }

  async serving(options: { asGroup?: boolean } = {}): Promise<Service> {
    const service = this.start(options);
    const { port } = await service.said('serving');
    return { service, url: `http://127.0.0.1:${port}` };
  }

  /** Rows of the tables as they are on the disk. */
  rows(sql: string, ...values: SQLInputValue[]): Record<string, string & number>[] {
    const database = new DatabaseSync(join(this.dataFolder, 'drayage.db'), { timeout: 5000 });
    try {
      return database.prepare(sql).all(...values) as Record<string, string & number>[];
    } finally {
      database.close();
    }
  }

  /** Processes at work in this folder: servers and their children, whoever their parent is now. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => folderOf(pid) === this.folder && isRunning(pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#started) {
      if (service.isAlive) service.kill('SIGKILL');
      await service.ended;
    }
    for (let at = 0; at < 100 && this.processes().length > 0; at++) await wait(50);
    // A test that failed may leave a child that it had stopped.
    for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Service {
  readonly service: ServiceProcess;
  readonly url: string;
}

function folderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

function keyOf(tenant: string): string {
  return `dk_test_${tenant}`;
}

export interface ServiceAsk {
  readonly tenant: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
}

/** Asks a service on a connection of its own, so that none outlives a life. Rejects when the answer is lost. */
export async function ask(url: string, route: string, asked: ServiceAsk): Promise<ServiceAnswer> {
  const { tenant, body, idempotencyKey } = asked;
  const [method = '', path = ''] = route.split(' ');
  const response = await fetch(`${url}${path}`, {
    method,
    signal: AbortSignal.timeout(LIMIT_MS),
    headers: {
      connection: 'close',
      authorization: `Bearer ${keyOf(tenant)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}
