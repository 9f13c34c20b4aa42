import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Environment, readEnvironment } from '../src/base/config.ts';
import { openLog } from '../src/base/log.ts';
import { type RunningServer, startServer } from '../src/daemon/server.ts';
import { Db } from '../src/db/db.ts';
import type { Config } from '../src/job/config.ts';
import { readConfig } from '../src/request/config.ts';
import { dialects } from '../src/request/dialects.ts';
import { RIGHTS } from '../src/tenant/principal.ts';
import { Tenants } from '../src/tenant/queries.ts';

/** Keys of the ground's tenants. `both` acts for acme and globex. */
export const KEYS = { acme: 'dk_test_acme', globex: 'dk_test_globex', tiny: 'dk_test_tiny', both: 'dk_test_both' };

export interface GroundOptions {
  /** Rows of `events`, a tenth of them tiny's, three tenths globex's, the rest acme's. */
  readonly rows?: number;
  /** Beside or instead of what the ground declares. */
  readonly config?: Partial<Config>;
  readonly dispatches?: boolean;
  readonly databaseUrl?: string | null;
}

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
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A whole server in this process on a free port of loopback, over a data folder of its own. Datasets:
 * `events` (tenants by a column, time `at`, key `id`, hidden column `secret`) and `shared`.
 */
export class ServerGround implements AsyncDisposable {
  readonly folder: string;
  readonly #options: GroundOptions;
  #server: RunningServer | null = null;

  private constructor(folder: string, options: GroundOptions) {
    this.folder = folder;
    this.#options = options;
  }

  static async open(options: GroundOptions = {}): Promise<ServerGround> {
    const folder = mkdtempSync(join(tmpdir(), 'drayage-server-'));
    await writeEvents(join(folder, 'events.parquet'), options.rows ?? 1000);
    const ground = new ServerGround(folder, options);
    await ground.start();
    return ground;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  async start(): Promise<void> {
    const environment: Environment = {
      ...readEnvironment(),
      dataFolder: this.dataFolder,
      host: '127.0.0.1',
      port: 0,
      databaseUrl: this.#options.databaseUrl ?? null,
      threads: 2,
    };
    this.#server = await startServer({
      config: readConfig({ ...groundConfig(), ...this.#options.config }, dialects),
      folder: this.folder,
      environment,
      log: openLog('silent'),
      prepare: putKeys,
      dispatches: this.#options.dispatches ?? true,
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  /** Moves a tenant to another tier, as the command line does beside a running server. */
  async moveTenant(tenant: string, tier: string): Promise<void> {
    await using db = await Db.open({ dataFolder: this.dataFolder, url: this.#options.databaseUrl ?? null });
    await new Tenants(db).putTenant(tenant, tier);
  }

  /** Asks as acme unless another key, or null for none, is given. A path may be a whole URL. */
  async call(method: string, path: string, { key = KEYS.acme, body, headers = {} }: Asked = {}): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : `${this.url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }

  /** Polls a run until it is final; fails after 30 s. */
  async settled(runId: string, key: string = KEYS.acme): Promise<Answer['json']> {
    for (let at = 0; at < 600; at++) {
      const { json } = await this.call('GET', `/v1/runs/${runId}`, { key });
      if (['succeeded', 'failed', 'cancelled'].includes(json.state)) return json;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${runId} did not settle.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
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

function groundConfig(): Config {
  const source = { type: 'duckdb', files: 'events.parquet' } as const;
  return {
    datasets: {
      events: {
        source,
        columns: [
          { name: 'id' },
          { name: 'tenant' },
          { name: 'at', type: 'instant' },
          { name: 'kind' },
          { name: 'amount' },
          { name: 'big' },
          { name: 'data', type: 'json' },
          { name: 'note' },
          { name: 'secret', hidden: true },
        ],
        key: ['id'],
        time: 'at',
        tenancy: { column: 'tenant' },
      },
      shared: { source, columns: [{ name: 'id' }, { name: 'kind' }], key: ['id'], tenancy: 'shared' },
    },
    tiers: {
      enterprise: { concurrentRuns: 2, queuedRuns: 1000 },
      free: { formats: ['csv', 'jsonl'], maxWindow: '7d', concurrentRuns: 1, queuedRuns: 5 },
    },
    native: { requestsPerSecond: 100_000 },
  };
}

async function putKeys(tenants: Tenants): Promise<void> {
  const all = { rights: RIGHTS, dialects: ['native'] };
  for (const [tenant, tier] of [
    ['acme', 'enterprise'],
    ['globex', 'enterprise'],
    ['tiny', 'free'],
  ] as const)
    await tenants.putTenant(tenant, tier);
  await tenants.putKey({ ...all, name: 'acme', key: KEYS.acme, tenants: ['acme'] });
  await tenants.putKey({ ...all, name: 'globex', key: KEYS.globex, tenants: ['globex'] });
  await tenants.putKey({ ...all, name: 'tiny', key: KEYS.tiny, tenants: ['tiny'] });
  await tenants.putKey({ ...all, name: 'both', key: KEYS.both, tenants: ['acme', 'globex'] });
}

async function writeEvents(path: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  await connection.run(`copy (
    select i as id, ['acme','acme','acme','acme','acme','acme','globex','globex','globex','tiny'][1 + i % 10] as tenant,
      make_timestamp(1767225600000000 + i * 60000000)::timestamptz as at, ['a','b','c'][1 + i % 3] as kind,
      (i % 1000)::decimal(18,2) / 10 as amount, 9007199254740993 + i as big, '{"n": 1.10}'::json as data,
      case when i % 3 = 0 then null when i % 3 = 1 then '' else 'a "note", ' || i end as note, 'secret ' || i as secret
    from range(${rows}) numbers(i)) to '${path.replaceAll("'", "''")}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}
