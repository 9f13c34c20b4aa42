import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Config } from '../../src/job/config.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import { DialectGround, PUBLIC_URL } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
import { EVENTS, ORGANIZATIONS, TIMELINE } from './rows.ts';

/** Two keys of one account, one below the plan floor, one of another account, one of no Shoal client. */
export const KEYS = {
  first: 'shoal_test_17',
  second: 'shoal_test_18',
  growth: 'shoal_test_19',
  other: 'shoal_test_20',
  native: 'dk_test_native',
  reader: 'shoal_test_22',
};

export interface ShoalGroundOptions {
  readonly config?: Partial<Config>;
  /** What the operator sets of the dialect. */
  readonly shoal?: object;
  readonly dispatches?: boolean;
}

/** The body of the page the dialect is made after. */
export const SAMPLE = {
  scope: 'replay.global',
  format: 'jsonl',
  since: '2026-04-01T00:00:00Z',
  until: '2026-04-10T00:00:00Z',
  includeEvidence: true,
  note: 'Internal warehouse backfill for April incident review',
};

export const JOBS = '/shoal/v1/export/jobs';

/** A whole server in this process, on a free port, that speaks Shoal over the rows of `rows.ts`. */
export class ShoalGround extends DialectGround {
  static async open({ config, shoal, dispatches }: ShoalGroundOptions = {}): Promise<ShoalGround> {
    const ground = new ShoalGround({ key: KEYS.first, headersOf: (key) => ({ authorization: `Bearer ${key}` }) });
    await writeRows(ground.folder);
    await ground.start({ config: { ...groundConfig(shoal), ...config }, prepare: putKeys, dispatches });
    return ground;
  }

  /** Creates a job that is accepted. */
  async created(body: object = SAMPLE, key: string = KEYS.first): Promise<Answer['json']> {
    const { status, json, text } = await this.call('POST', JOBS, { key, body });
    if (status !== 201) throw new Error(text);
    return json.data;
  }

  /** Polls a job as a client would until there is a file; fails after 30 s. */
  async fulfilled(body: object, key: string = KEYS.first): Promise<Answer['json']> {
    const { id } = await this.created(body, key);
    const isOver = ({ json }: Answer) => json.data.downloadUrl !== null || json.data.error !== null;
    const { data } = (await this.until(`${JOBS}/${id}`, isOver, { key })).json;
    if (data.error !== null) throw new Error(data.error);
    return data;
  }
}

function groundConfig(shoal: object = {}): Config {
  const dataset = (file: string) => ({
    source: { type: 'duckdb' as const, files: `${file}.parquet` },
    tenancy: 'shared' as const,
  });
  return {
    publicUrl: PUBLIC_URL,
    hosts: { 'shoal.localhost': 'shoal' },
    datasets: {
      'shoal.events': dataset('events'),
      'shoal.timeline': dataset('timeline'),
      'shoal.organizations': dataset('organizations'),
    },
    tiers: { enterprise: { queuedRuns: 1000 }, growth: { dialects: ['native'] } },
    // Most tests ask more often than a client may.
    dialects: { shoal: { requestsPerMinute: 100_000, ...shoal } },
  };
}

async function putKeys(tenants: Tenants): Promise<void> {
  const all = { rights: RIGHTS, dialects: ['shoal'] };
  await tenants.putTenant('app_user_demo', 'enterprise');
  await tenants.putTenant('app_user_growth', 'growth');
  await tenants.putTenant('app_user_other', 'enterprise');
  const mine = { ...all, tenants: ['app_user_demo'] };
  await tenants.putKey({ ...mine, id: 17, name: 'first', key: KEYS.first });
  await tenants.putKey({ ...mine, id: 18, name: 'second', key: KEYS.second });
  await tenants.putKey({ ...all, id: 19, name: 'growth', key: KEYS.growth, tenants: ['app_user_growth'] });
  await tenants.putKey({ ...all, id: 20, name: 'other', key: KEYS.other, tenants: ['app_user_other'] });
  await tenants.putKey({ ...mine, id: 21, name: 'native', key: KEYS.native, dialects: ['native'] });
  await tenants.putKey({ ...mine, id: 22, name: 'reader', key: KEYS.reader, rights: ['read'] });
}

const EVENT_COLUMNS =
  "id: 'BIGINT', surface: 'VARCHAR', title: 'VARCHAR', eventCategory: 'VARCHAR', eventSubcategory: 'VARCHAR', summary: 'VARCHAR', bullets: 'JSON', owners: 'JSON', participants: 'JSON', latestEvidenceTimestamp: 'TIMESTAMPTZ', significance: 'DOUBLE', evidence: 'JSON'";

async function writeRows(folder: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  for (const [name, rows, columns] of [
    ['events', EVENTS, EVENT_COLUMNS],
    ['timeline', TIMELINE, `${EVENT_COLUMNS}, organizationId: 'BIGINT'`],
    ['organizations', ORGANIZATIONS, "id: 'BIGINT', label: 'VARCHAR', type: 'VARCHAR', aliases: 'JSON'"],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(`${path}.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await connection.run(`copy (select * from read_json('${path}.jsonl', format = 'newline_delimited',
      columns = {${columns}})) to '${path}.parquet' (format parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
}
