import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readEnvironment } from '../../src/base/config.ts';
import { openLog } from '../../src/base/log.ts';
import { type RunningServer, startServer } from '../../src/daemon/server.ts';
import type { Config } from '../../src/job/config.ts';
import { readConfig } from '../../src/request/config.ts';
import { dialects } from '../../src/request/dialects.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import { makeTables, type Tables, writeTables } from './rows.ts';

/** `rest` holds LIVEAPP and DEVAPP, `other` OTHERAPP; `basic` is below the plan, `native` speaks something else. */
export const KEYS = {
  rest: 'rest_key',
  other: 'other_key',
  basic: 'basic_key',
  native: 'native_key',
  reader: 'reader_key',
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface Asked {
  readonly key?: string | null;
  /** Text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GroundOptions {
  readonly config?: Partial<Config>;
  /** Settings of the dialect. */
  readonly batch?: object;
  readonly dispatches?: boolean;
}

/** A whole server in this process that speaks Batch over rows of its own. */
export class BatchGround implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'drayage-batch-'));
  /** Taken when the rows were made. */
  readonly now = new Date().toISOString();
  readonly tables: Tables = makeTables(this.now);
  #server: RunningServer | null = null;

  static async open(options: GroundOptions = {}): Promise<BatchGround> {
    const ground = new BatchGround();
    const files = writeTables(ground.tables, ground.folder);
    ground.#server = await startServer({
      config: readConfig({ ...configOf(files, options), ...options.config }, dialects),
      folder: ground.folder,
      environment: {
        ...readEnvironment(),
        dataFolder: ground.dataFolder,
        host: '127.0.0.1',
        port: 0,
        databaseUrl: null,
      },
      log: openLog('silent'),
      prepare: putKeys,
      dispatches: options.dispatches ?? true,
    });
    return ground;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  /** The app's routes; the answers' own URLs name another host, whose place this server takes. */
  async call(method: string, path: string, { key = KEYS.rest, body, headers = {} }: Asked = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path.replace(PUBLIC_URL, '')}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { 'x-authorization': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }

  /** Creates an export and gives its request id. */
  async create(path: string, body: unknown, asked: Asked & { app?: string } = {}): Promise<string> {
    const { app = 'LIVEAPP', ...rest } = asked;
    const answer = await this.call('POST', `${exportOf(app)}${path}`, { ...rest, body });
    assert.equal(answer.status, 202, answer.text);
    return answer.json.requestId;
  }

  /** Asks until the request is over; fails after 30 s. */
  async settled(id: string, { app = 'LIVEAPP', key = KEYS.rest } = {}): Promise<Answer> {
    for (let at = 0; at < 1500; at++) {
      const answer = await this.call('GET', `${exportOf(app)}/request/${id}`, { key });
      if (answer.json.status !== 'CREATED' && answer.json.status !== 'PENDING') return answer;
      await wait(20);
    }
    throw new Error(`${id} did not settle.`);
  }

  /** From create to the bytes, the way a client goes. */
  async download(path: string, body: unknown, asked: { app?: string; key?: string } = {}): Promise<string> {
    const id = await this.create(path, body, asked);
    const { json } = await this.settled(id, asked);
    assert.equal(json.status, 'SUCCESS', JSON.stringify(json));
    return this.fileOf(json.file_url, asked.key);
  }

  /** Where a result leads to, followed without the key. */
  async fileOf(fileUrl: string, key: string = KEYS.rest): Promise<string> {
    const redirect = await this.call('GET', fileUrl, { key });
    assert.equal(redirect.status, 302, redirect.text);
    const file = await this.call('GET', redirect.headers.get('location') ?? '', { key: null });
    assert.equal(file.status, 200, file.text);
    return file.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Where answers say the server is. */
const PUBLIC_URL = 'https://exports.example.com';

export function exportOf(app: string): string {
  return `/batch/1.0/${app}/export`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function configOf(files: Readonly<Record<string, string>>, { batch = {} }: GroundOptions): Config {
  const dataset = (file: string) => ({
    source: { type: 'duckdb', files: file } as const,
    columns: [{ name: 'app', type: 'text' }],
    tenancy: { column: 'app' },
  });
  return {
    datasets: Object.fromEntries(Object.entries(files).map(([name, file]) => [`batch.${name}`, dataset(file)])),
    tiers: { enterprise: { concurrentRuns: 4, queuedRuns: 20 }, basic: { dialects: ['native'] } },
    dialects: { batch },
    hosts: { 'batch.localhost': 'batch' },
    publicUrl: PUBLIC_URL,
  };
}

async function putKeys(tenants: Tenants): Promise<void> {
  for (const app of ['LIVEAPP', 'DEVAPP', 'OTHERAPP']) await tenants.putTenant(app, 'enterprise');
  await tenants.putTenant('BASICAPP', 'basic');
  const all = { rights: RIGHTS, dialects: ['batch'] };
  await tenants.putKey({ ...all, name: 'rest', key: KEYS.rest, tenants: ['LIVEAPP', 'DEVAPP'] });
  await tenants.putKey({ ...all, name: 'other', key: KEYS.other, tenants: ['OTHERAPP'] });
  await tenants.putKey({ ...all, name: 'basic', key: KEYS.basic, tenants: ['BASICAPP'] });
  await tenants.putKey({ ...all, name: 'native', key: KEYS.native, tenants: ['LIVEAPP'], dialects: ['native'] });
  await tenants.putKey({ ...all, name: 'reader', key: KEYS.reader, tenants: ['LIVEAPP'], rights: ['read'] });
}
