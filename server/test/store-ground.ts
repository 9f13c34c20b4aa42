import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Updateable } from 'kysely';
import { later, now } from '../src/base/clock.ts';
import { Db, type Tx } from '../src/db/db.ts';
import type { Tables } from '../src/db/tables.ts';
import type { Ask } from '../src/job/ask.ts';
import { History } from '../src/run/history-queries.ts';
import { type Accepted, Runs, type Submission } from '../src/run/queries.ts';
import type { Run } from '../src/run/run.ts';
import type { Claim } from '../src/run/settle-queries.ts';
import { Sweep } from '../src/run/sweep-queries.ts';
import { type ClaimedRun, type Commit, Work } from '../src/run/work-queries.ts';
import { RIGHTS } from '../src/tenant/principal.ts';
import { Tenants } from '../src/tenant/queries.ts';
import { type Tiers, tierSchema } from '../src/tenant/tier.ts';
import { PostgresReader } from './readers/postgres.ts';

export type StoreKind = 'sqlite' | 'postgres';

/** acme and globex are `large`, tiny is `small`. */
export const TIERS: Tiers = {
  large: tierSchema.parse({ concurrentRuns: 2, queuedRuns: 100 }),
  small: tierSchema.parse({ concurrentRuns: 1, queuedRuns: 3, storedBytes: 1000 }),
};

export const TENANTS = { acme: 'large', globex: 'large', tiny: 'small' } as const;

export type TenantOfGround = keyof typeof TENANTS;

/** Children before parents. */
const TABLES = [
  'audit',
  'idempotency_keys',
  'deliveries',
  'notices',
  'files',
  'outputs',
  'recipes',
  'attempts',
  'runs',
  'jobs',
  'principal_tenants',
  'principals',
  'tenant_uses',
  'tenants',
] as const;

type SubmitAsk = Partial<Pick<Submission, 'idempotency' | 'window' | 'quota'>> &
  Partial<Pick<Submission['job'], 'dialect' | 'reference'>> &
  Pick<Ask, 'notify' | 'exclusive'> & { dataset?: string };

/** Our tables in a database of the test's own. Every test begins with three tenants and the key `key acme` of acme. */
export class StoreGround implements AsyncDisposable {
  readonly kind: StoreKind;
  readonly db: Db;
  readonly runs: Runs;
  readonly sweep: Sweep;
  readonly history: History;
  readonly tenants: Tenants;
  readonly #folder: string;
  readonly #postgres: PostgresReader | null;
  readonly #url: string | null;
  readonly #others: Db[] = [];
  #principal = 0;

  private constructor(place: { db: Db; folder: string; postgres: PostgresReader | null; url: string | null }) {
    this.kind = place.db.kind;
    this.db = place.db;
    this.runs = new Runs(place.db);
    this.sweep = new Sweep(place.db);
    this.history = new History(place.db);
    this.tenants = new Tenants(place.db);
    this.#folder = place.folder;
    this.#postgres = place.postgres;
    this.#url = place.url;
  }

  static async open(kind: StoreKind): Promise<StoreGround> {
    const folder = mkdtempSync(join(tmpdir(), 'drayage-store-'));
    const postgres = kind === 'postgres' ? await PostgresReader.start() : null;
    const url = postgres ? await postgres.createDatabase() : null;
    const db = await Db.open({ dataFolder: folder, url });
    await db.migrate();
    return new StoreGround({ db, folder, postgres, url });
  }

  get asker() {
    return { principal: this.#principal, requestId: 'req_test' };
  }

  /** The same tables through another connection, closed after the test. */
  async another(): Promise<Db> {
    const db = await Db.open({ dataFolder: this.#folder, url: this.#url });
    this.#others.push(db);
    return db;
  }

  /** What others may write through at the same time. On SQLite that is the one connection: two would wait for each other. */
  rival(): Db | Promise<Db> {
    return this.kind === 'sqlite' ? this.db : this.another();
  }

  /** Where a new and empty database is. */
  async empty(): Promise<{ dataFolder: string; url: string | null }> {
    const dataFolder = mkdtempSync(join(this.#folder, 'empty-'));
    return { dataFolder, url: this.#postgres ? await this.#postgres.createDatabase() : null };
  }

  work(worker = 'worker', db = this.db): Work {
    return new Work(db, worker);
  }

  async reset(): Promise<void> {
    await this.db.write(async (tx) => {
      for (const table of TABLES) await tx.deleteFrom(table).execute();
    });
    for (const [tenant, tier] of Object.entries(TENANTS)) await this.tenants.putTenant(tenant, tier);
    const key = { name: 'acme', key: 'key acme', tenants: ['acme'], rights: RIGHTS, dialects: ['native'] };
    this.#principal = await this.tenants.putKey(key);
  }

  async closeOthers(): Promise<void> {
    for (const db of this.#others.splice(0)) await db[Symbol.asyncDispose]();
  }

  async submit(tenant: TenantOfGround = 'acme', ask: SubmitAsk = {}, runs = this.runs): Promise<Accepted> {
    const { dataset = 'events', window = { start: null, end: null }, idempotency = null, notify, exclusive } = ask;
    const { dialect = 'native', reference = null, quota } = ask;
    const asked = { ...askOf(dataset), ...(notify && { notify }), ...(exclusive && { exclusive }) };
    const request = { dataset };
    const job = { tenant, principal: this.#principal, dialect, ask: asked, request, reference };
    const tier = TIERS[TENANTS[tenant]];
    assert.ok(tier);
    return runs.submit({ ...this.asker, job, window, tier, idempotency, quota });
  }

  async claim(worker?: string): Promise<ClaimedRun> {
    const claim = await this.work(worker).claim(TIERS);
    assert.ok(claim, 'there was nothing to claim');
    return claim;
  }

  /** Submits, claims and commits; every file has so many bytes. */
  async committed(tenant: TenantOfGround = 'acme', bytes = 100): Promise<ClaimedRun> {
    await this.submit(tenant);
    const claim = await this.claim();
    assert.equal(await this.work().commit(claim, commitOf(claim, bytes)), true);
    return claim;
  }

  async succeeded(tenant: TenantOfGround = 'acme', bytes = 100): Promise<ClaimedRun> {
    const claim = await this.committed(tenant, bytes);
    assert.equal(await this.work().finish(claim), true);
    return claim;
  }

  async run(id: string): Promise<Run> {
    const run = await this.runs.run(id, Object.keys(TENANTS));
    assert.ok(run);
    return run;
  }

  row(id: string) {
    return this.db.read((tx) => tx.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
  }

  setRun(id: string, values: Updateable<Tables['runs']>): Promise<unknown> {
    return this.db.write((tx) => tx.updateTable('runs').set(values).where('id', '=', id).execute());
  }

  async use(tenant: string) {
    const query = (tx: Tx) => tx.selectFrom('tenant_uses').selectAll().where('tenant_id', '=', tenant);
    const row = await this.db.read((tx) => query(tx).executeTakeFirstOrThrow());
    return { queued: row.queued_runs, active: row.active_runs, bytes: row.stored_bytes };
  }

  /** Lets the lease of a run end some time ago. */
  silence(run: string): Promise<unknown> {
    return this.setRun(run, { lease_until: later(now(), -1000) });
  }

  /** Fails where the counters say anything else than runs and files do. */
  async checkUses(): Promise<void> {
    const [uses, runs, files] = await this.db.read(async (tx) => [
      await tx.selectFrom('tenant_uses').selectAll().orderBy('tenant_id').execute(),
      await tx.selectFrom('runs').select(['tenant_id', 'state']).execute(),
      await tx.selectFrom('files').select(['tenant_id', 'bytes']).where('removed_at', 'is', null).execute(),
    ]);
    for (const use of uses) {
      const states = runs.filter(({ tenant_id }) => tenant_id === use.tenant_id).map(({ state }) => state);
      const kept = files.filter(({ tenant_id }) => tenant_id === use.tenant_id);
      assert.deepEqual(
        { tenant: use.tenant_id, queued: use.queued_runs, active: use.active_runs, bytes: use.stored_bytes },
        {
          tenant: use.tenant_id,
          queued: states.filter((state) => state === 'queued').length,
          active: states.filter((state) => state === 'running' || state === 'committing').length,
          bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
        },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeOthers();
    await this.db[Symbol.asyncDispose]();
    await this.#postgres?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function askOf(dataset: string): Ask {
  const format = { type: 'csv' } as Ask['outputs'][number]['format'];
  return {
    dataset,
    window: {},
    distinct: false,
    outputs: [{ format, compression: { type: 'none' } }],
    destinations: [{ type: 'download' }],
  } as Ask;
}

export function commitOf({ run, attempt }: Claim, bytes = 100): Commit {
  const result = {
    output: {
      format: { type: 'csv' },
      compression: { type: 'none' },
      path: `${run}.csv`,
    } as Commit['results'][number]['output'],
    rowsPlanned: 7,
    rowsRead: 7,
    rowsWritten: 7,
    files: [{ path: `${run}.csv`, rows: 7, bytes, sha256: 'ab' }],
    segments: { total: 1, reused: 0 },
  };
  const file = { position: 0, path: `${run}.csv`, mediaType: 'text/csv', rows: 7, bytes, sha256: 'ab' };
  const log = [{ at: now(), attempt, event: 'written', text: 'Written.' }];
  return { results: [result], files: [file], manifest: `{"run":"${run}"}`, fileLifeMs: 60_000, log };
}

/** What tests ask for their ground by: it is opened once for a suite and emptied before each test. */
export type GroundOf = () => StoreGround;
