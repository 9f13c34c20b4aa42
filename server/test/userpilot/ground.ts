import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Environment, readEnvironment } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import { type RunningServer, startServer } from '../../src/daemon/server.ts';
import type { Config } from '../../src/job/config.ts';
import { readConfig } from '../../src/request/config.ts';
import { dialects } from '../../src/request/dialects.ts';
import { EVENTS, LISTED, PAGED } from '../../src/request/userpilot/shapes.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import type { Answer, Asked } from '../server-ground.ts';
import { APPS, type EventRow, makeEvents, writeFiles } from './rows.ts';

/** `second` belongs to the same app as `first`. */
export const KEYS = {
  first: 'userpilot_first',
  second: 'userpilot_second',
  other: 'userpilot_other',
  starter: 'userpilot_starter',
  reader: 'userpilot_reader',
  both: 'userpilot_both',
  native: 'userpilot_native',
};

/** What the dialect is told customers reach it at; answers carry it. */
export const BASE = 'https://appex.example.com';

/** Options of a command line that says what it sends. */
export const JSON_TYPE = ['-H', 'Content-Type: application/json'];

export const EXPORTS = '/api/v1/analytics/exports';

interface GroundOptions {
  readonly config?: Partial<Config>;
  /** Settings of the dialect. */
  readonly userpilot?: object;
  readonly dispatches?: boolean;
  /** Events of each app. */
  readonly perApp?: number;
}

/** A whole server in this process with the dialect's datasets for two apps. */
export class UserpilotGround implements AsyncDisposable {
  readonly folder: string;
  readonly events: readonly EventRow[];
  readonly #server: RunningServer;

  private constructor(folder: string, events: readonly EventRow[], server: RunningServer) {
    this.folder = folder;
    this.events = events;
    this.#server = server;
  }

  static async open(options: GroundOptions = {}): Promise<UserpilotGround> {
    const folder = mkdtempSync(join(tmpdir(), 'drayage-userpilot-'));
    const events = makeEvents(new Date(), options.perApp ?? 280);
    await writeFiles(folder, events);
    const environment: Environment = {
      ...readEnvironment(),
      dataFolder: join(folder, 'data'),
      host: '127.0.0.1',
      port: 0,
      databaseUrl: null,
      threads: 2,
    };
    const server = await startServer({
      config: readConfig(configOf(options), dialects),
      folder,
      environment,
      log: openLog('silent'),
      prepare: putKeys,
      dispatches: options.dispatches ?? true,
    });
    return new UserpilotGround(folder, events, server);
  }

  get databasePath(): string {
    return join(this.folder, 'data', 'drayage.db');
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Asks as `first` unless another key, or null for none, is given; `path` begins behind the dialect's prefix. */
  async call(method: string, path: string, { key = KEYS.first, body, headers = {} }: Asked = {}): Promise<Answer> {
    const response = await fetch(`${this.origin}/userpilot${path.replace(BASE, '')}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Token ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }

  /** The vendor's own command line of a create, with host and key changed. */
  async curl(key: string, ...options: readonly string[]): Promise<Pick<Answer, 'status' | 'json'> & { head: string }> {
    const asked = [
      '-sS',
      '-i',
      '-X',
      'POST',
      `${this.origin}/userpilot${EXPORTS}`,
      '-H',
      `Authorization: Token ${key}`,
    ];
    const { stdout } = await promisify(execFile)('curl', [...asked, ...options]);
    const [head = '', body = ''] = stdout.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), head, json: JSON.parse(body) };
  }

  create(body?: unknown, key: string = KEYS.first): Promise<Answer> {
    return this.call('POST', EXPORTS, { key, ...(body === undefined ? {} : { body }) });
  }

  /** Looks at a job until it has ended; fails after 30 s. */
  async settled(id: string, key: string = KEYS.first): Promise<Answer['json']> {
    for (let at = 0; at < 600; at++) {
      const { json } = await this.call('GET', `${EXPORTS}/jobs/${id}`, { key });
      if (['completed', 'failed'].includes(json.status)) return json;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${id} did not settle.`);
  }

  /** Creates a job and waits until its files are there. */
  async exported(body?: unknown, key: string = KEYS.first): Promise<Answer['json']> {
    const { status, text, json } = await this.create(body, key);
    if (status !== 201) throw new Error(text);
    const job = await this.settled(json.job_id, key);
    if (job.status !== 'completed') throw new Error(JSON.stringify(job));
    return job;
  }

  /** A file by its URL, without a key. */
  async download(url: string): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
    const response = await fetch(`${this.origin}/userpilot${url.replace(BASE, '')}`);
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function configOf({ config, userpilot }: GroundOptions): Config {
  const source = (name: string) => ({ type: 'duckdb', files: `${name}.parquet` }) as const;
  const tenancy = { column: 'tenant' };
  const lookups = [...LISTED, ...PAGED].map(({ name }) => [
    name,
    { source: source(name), columns: [{ name: 'tenant' }], tenancy },
  ]);
  return {
    datasets: {
      [EVENTS.name]: { source: source(EVENTS.name), columns: [{ name: 'tenant', from: 'app_token' }], tenancy },
      ...Object.fromEntries(lookups),
    },
    tiers: { enterprise: {}, starter: { dialects: ['native'] }, short: { formats: ['csv'], maxWindow: '30d' } },
    hosts: { 'userpilot.test': 'userpilot' },
    dialects: { userpilot: { url: BASE, ...userpilot } },
    ...config,
  };
}

async function putKeys(tenants: Tenants): Promise<void> {
  for (const [tenant, tier] of [
    [APPS[0], 'enterprise'],
    [APPS[1], 'enterprise'],
    ['NX-STARTER', 'starter'],
  ] as const)
    await tenants.putTenant(tenant, tier);
  const put = (key: string, apps: readonly string[], others: object = {}) =>
    tenants.putKey({ name: key, key, tenants: apps, rights: RIGHTS, dialects: ['userpilot'], ...others });
  await put(KEYS.first, [APPS[0]]);
  await put(KEYS.second, [APPS[0]]);
  await put(KEYS.other, [APPS[1]]);
  await put(KEYS.starter, ['NX-STARTER']);
  await put(KEYS.reader, [APPS[0]], { rights: ['read'] });
  await put(KEYS.both, [...APPS]);
  await put(KEYS.native, [APPS[0]], { dialects: ['native'] });
}
