import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../../src/job/config.ts';
import { EVENTS, LISTED, PAGED } from '../../src/request/userpilot/shapes.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import { DialectGround } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
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

/** A whole server in this process with the dialect's datasets for two apps; paths begin behind the dialect's prefix. */
export class UserpilotGround extends DialectGround {
  readonly events: readonly EventRow[];

  private constructor(events: readonly EventRow[]) {
    super({
      key: KEYS.first,
      headersOf: (key) => ({ authorization: `Token ${key}` }),
      prefix: '/userpilot',
      publicUrl: BASE,
    });
    this.events = events;
  }

  static async open(options: GroundOptions = {}): Promise<UserpilotGround> {
    const ground = new UserpilotGround(makeEvents(new Date(), options.perApp ?? 280));
    await writeFiles(ground.folder, ground.events);
    await ground.start({ config: configOf(options), prepare: putKeys, dispatches: options.dispatches });
    return ground;
  }

  /** The vendor's own command line of a create, with host and key changed. */
  async curl(key: string, ...options: readonly string[]): Promise<Pick<Answer, 'status' | 'json'> & { head: string }> {
    const asked = ['-sS', '-i', '-X', 'POST', `${this.url}/userpilot${EXPORTS}`, '-H', `Authorization: Token ${key}`];
    const { stdout } = await promisify(execFile)('curl', [...asked, ...options]);
    const [head = '', body = ''] = stdout.split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), head, json: JSON.parse(body) };
  }

  create(body?: unknown, key: string = KEYS.first): Promise<Answer> {
    return this.call('POST', EXPORTS, { key, ...(body === undefined ? {} : { body }) });
  }

  /** Looks at a job until it has ended; fails after 30 s. */
  async settled(id: string, key: string = KEYS.first): Promise<Answer['json']> {
    const isOver = ({ json }: Answer) => ['completed', 'failed'].includes(json.status);
    return (await this.until(`${EXPORTS}/jobs/${id}`, isOver, { key })).json;
  }

  /** Creates a job and waits until its files are there. */
  async exported(body?: unknown, key: string = KEYS.first): Promise<Answer['json']> {
    const { status, text, json } = await this.create(body, key);
    if (status !== 201) throw new Error(text);
    const job = await this.settled(json.job_id, key);
    if (job.status !== 'completed') throw new Error(JSON.stringify(job));
    return job;
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
