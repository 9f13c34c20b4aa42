import assert from 'node:assert/strict';
import type { Config } from '../../src/job/config.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import { DialectGround, PUBLIC_URL } from '../dialect-ground.ts';
import type { Answer, Asked } from '../server-ground.ts';
import { makeTables, type Tables, writeTables } from './rows.ts';

/** `rest` holds LIVEAPP and DEVAPP, `other` OTHERAPP; `basic` is below the plan, `native` speaks something else. */
export const KEYS = {
  rest: 'rest_key',
  other: 'other_key',
  basic: 'basic_key',
  native: 'native_key',
  reader: 'reader_key',
};

export interface GroundOptions {
  readonly config?: Partial<Config>;
  /** Settings of the dialect. */
  readonly batch?: object;
  readonly dispatches?: boolean;
}

/** A whole server in this process that speaks Batch over rows of its own. */
export class BatchGround extends DialectGround {
  /** Taken when the rows were made. */
  readonly now = new Date().toISOString();
  readonly tables: Tables = makeTables(this.now);

  static async open(options: GroundOptions = {}): Promise<BatchGround> {
    const ground = new BatchGround({ key: KEYS.rest, headersOf: (key) => ({ 'x-authorization': key }) });
    const files = writeTables(ground.tables, ground.folder);
    const config = { ...configOf(files, options), ...options.config };
    await ground.start({ config, prepare: putKeys, dispatches: options.dispatches });
    return ground;
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
    const isOver = ({ json }: Answer) => json.status !== 'CREATED' && json.status !== 'PENDING';
    return this.until(`${exportOf(app)}/request/${id}`, isOver, { key });
  }

  /** From create to the bytes, the way a client goes. */
  async exported(path: string, body: unknown, asked: { app?: string; key?: string } = {}): Promise<string> {
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
}

export function exportOf(app: string): string {
  return `/batch/1.0/${app}/export`;
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
