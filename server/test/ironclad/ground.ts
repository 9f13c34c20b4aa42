import assert from 'node:assert/strict';
import type { Config } from '../../src/job/config.ts';
import { RIGHTS } from '../../src/tenant/principal.ts';
import type { Tenants } from '../../src/tenant/queries.ts';
import { DialectGround, PUBLIC_URL } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
import { type Activity, makeActivities, writeTables } from './rows.ts';

/** `first` and `second` hold site 1, `other` site 2; `none` has no permission on its site, `basic` no plan. */
export const KEYS = {
  first: 'ironclad_test_1',
  second: 'ironclad_test_2',
  other: 'ironclad_test_3',
  none: 'ironclad_test_4',
  basic: 'ironclad_test_5',
  reader: 'ironclad_test_6',
  native: 'dk_test_native',
  both: 'ironclad_test_7',
};

export const EVIDENCE = '/ironclad/v1.1/extract/evidence';
export const ACTIVITY = '/ironclad/v1.1/activity';
export const TASKS = '/ironclad/v1.1/tasks/export';

const NOW = new Date().toISOString();

export interface GroundOptions {
  readonly config?: Partial<Config>;
  /** What the operator sets of the dialect. */
  readonly ironclad?: object;
  readonly dispatches?: boolean;
  /** Rows of each site in the autumn of 2022. */
  readonly autumnRows?: number;
  /** Those that have rows; left out, 1 and 2. */
  readonly sites?: readonly number[];
  /** Datasets that are not configured. */
  readonly without?: readonly string[];
}

/** A whole server in this process that speaks Ironclad over rows of its own. */
export class IroncladGround extends DialectGround {
  readonly rows: readonly Activity[];

  private constructor(rows: readonly Activity[]) {
    super({ key: KEYS.first, headersOf: (key) => ({ authorization: `Bearer ${key}` }) });
    this.rows = rows;
  }

  static async open(options: GroundOptions = {}): Promise<IroncladGround> {
    const ground = new IroncladGround(makeActivities(NOW, options.autumnRows ?? 120, options.sites));
    await writeTables(ground.rows, ground.folder);
    const { dispatches } = options;
    await ground.start({ config: { ...configOf(options), ...options.config }, prepare: putKeys, dispatches });
    return ground;
  }

  /** When the rows were made. */
  get now(): string {
    return NOW;
  }

  /** Rows of a site. */
  of(site: number): readonly Activity[] {
    return this.rows.filter((row) => row.site === site);
  }

  get(path: string, key?: string): Promise<Answer> {
    return this.call('GET', path, key === undefined ? {} : { key });
  }

  /** Creates an export that is accepted, and gives its id. */
  async create(body: object, key: string = KEYS.first): Promise<string> {
    const answer = await this.call('POST', EVIDENCE, { key, body });
    assert.equal(answer.status, 201, answer.text);
    return answer.json.id;
  }

  /** Asks until the export is over; fails after 30 s. */
  settled(id: string, key: string = KEYS.first): Promise<Answer> {
    return this.until(`${EVIDENCE}/${id}`, ({ json }) => json.active === false, { key });
  }

  /** The files of an export by type, got the way a client does. */
  async files(id: string, key: string = KEYS.first): Promise<Record<string, string[]>> {
    const { json } = await this.settled(id, key);
    assert.equal(json.status, 'success', JSON.stringify(json));
    const urls = await this.get(`${EVIDENCE}/${id}/urls`, key);
    assert.equal(urls.status, 200, urls.text);
    const { presignedUrls: _, ...byType } = urls.json as Record<string, string[]>;
    const entries = Object.entries(byType).map(async ([type, each]) => {
      const texts = await Promise.all(each.map(async (url) => (await this.call('GET', url, { key: null })).text));
      return [type, texts] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /** From create to the text of the only CSV. */
  async csv(body: object, key: string = KEYS.first): Promise<string> {
    const { clickwrap_activities: texts = [] } = await this.files(await this.create(body, key), key);
    assert.equal(texts.length, 1);
    return texts[0] ?? '';
  }
}

function configOf({ ironclad = {}, without = [] }: GroundOptions): Config {
  const names = ['activities', 'contract_versions', 'sites'].filter((name) => !without.includes(name));
  const dataset = (name: string) => ({
    source: { type: 'duckdb', files: `${name}.parquet` } as const,
    // The site is printed, and a column of tenancy never is: so it is there twice.
    columns: [{ name: 'tenant', from: 'site' }],
    tenancy: { column: 'tenant' },
  });
  return {
    datasets: Object.fromEntries(names.map((name) => [`ironclad.${name}`, dataset(name)])),
    tiers: { enterprise: { concurrentRuns: 4, queuedRuns: 40 }, basic: { dialects: ['native'] } },
    // Tests ask more often than a client may.
    dialects: { ironclad: { unknownPerMinute: 100_000, ...ironclad } },
    hosts: { 'ironclad.localhost': 'ironclad' },
    publicUrl: PUBLIC_URL,
  };
}

async function putKeys(tenants: Tenants): Promise<void> {
  for (const site of ['1', '2']) await tenants.putTenant(site, 'enterprise');
  await tenants.putTenant('3', 'basic');
  const all = { rights: RIGHTS, dialects: ['ironclad'] };
  const first = { ...all, tenants: ['1'] };
  await tenants.putKey({ ...first, id: 31, name: 'first', key: KEYS.first });
  await tenants.putKey({ ...first, id: 32, name: 'second', key: KEYS.second });
  await tenants.putKey({ ...all, id: 33, name: 'other', key: KEYS.other, tenants: ['2'] });
  await tenants.putKey({ ...first, id: 34, name: 'none', key: KEYS.none, rights: [] });
  await tenants.putKey({ ...all, id: 35, name: 'basic', key: KEYS.basic, tenants: ['3'] });
  await tenants.putKey({ ...first, id: 36, name: 'reader', key: KEYS.reader, rights: ['read'] });
  await tenants.putKey({ ...first, id: 37, name: 'native', key: KEYS.native, dialects: ['native'] });
  await tenants.putKey({ ...all, id: 38, name: 'both', key: KEYS.both, tenants: ['1', '2'] });
}
