import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sql } from 'kysely';
import { Db, type Tx } from '../src/db/db.ts';
import { migrations } from '../src/db/migrations.ts';
import { Runs } from '../src/run/queries.ts';
import { Sweep } from '../src/run/sweep-queries.ts';
import { type ClaimedRun, Work } from '../src/run/work-queries.ts';
import { draws } from './draws.ts';
import { KEYS, ServerGround } from './server-ground.ts';
import { commitOf, type GroundOf, type StoreGround, TENANTS, type TenantOfGround, TIERS } from './store-ground.ts';

/** How often each kind of work is done at least, to one tenant from 16 loops at once. */
const STRESS_ROUNDS = draws({ few: 24, many: 2000 });

/** Runs of each large tenant that eight claim. */
const CLAIMED = draws({ few: 16, many: 100 });

/** What only a database with many writers at a time can get wrong. */
export function testManyConnections(ground: GroundOf): void {
  suite('many connections', () => {
    test('migrate at once, each step by one of them', () => testThreeMigrate(ground()));
    test('claim at once, never the same run and never beyond the slots', () => testEightClaim(ground()));
    test('do all there is to do to one tenant without a deadlock', () => testStress(ground()));
    test('of two whole servers share the runs and carry out each once', () => testTwoServers(ground()));
    test('that are cut end no process, and the next transaction works', () => testCutConnections(ground()));
    test('that are cut while they are used fail what used them, and nothing else', () => testCutAtWork(ground()));
  });
}

async function testThreeMigrate(ground: StoreGround): Promise<void> {
  const place = await ground.empty();
  await using first = await Db.open(place);
  await using second = await Db.open(place);
  await using third = await Db.open(place);
  const ran = await Promise.all([first.migrate(), second.migrate(), third.migrate()]);
  assert.deepEqual(ran.flat(), Object.keys(migrations).sort());
  assert.deepEqual(await third.pendingMigrations(), []);
}

async function testEightClaim(ground: StoreGround): Promise<void> {
  const counts = { acme: CLAIMED, globex: CLAIMED, tiny: 3 } as const;
  for (const [tenant, count] of Object.entries(counts))
    for (let at = 0; at < count; at++) await ground.submit(tenant as TenantOfGround);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const claimed: string[] = [];
  const worker = async (db: Db, name: string) => {
    const work = new Work(db, name);
    while (claimed.length < all) {
      const claim = await work.claim(TIERS);
      if (!claim) continue;
      claimed.push(claim.run);
      assert.equal(await work.commit(claim, commitOf(claim)), true);
      assert.equal(await work.finish(claim), true);
    }
  };
  const stop = new AbortController();
  const sampled = sampleSlots(await ground.another(), stop.signal);
  const workers: Promise<void>[] = [];
  for (let at = 0; at < 8; at++) workers.push(worker(await ground.another(), `worker ${at}`));
  await Promise.all(workers);
  stop.abort();
  assert.equal(await sampled, true);
  assert.equal(new Set(claimed).size, all);
  assert.equal(claimed.length, all);
}

/** Counts runs at work until told to stop; says whether it saw any. Fails where there are more than slots. */
async function sampleSlots(db: Db, signal: AbortSignal): Promise<boolean> {
  let hasSeen = false;
  while (!signal.aborted) {
    const rows = await db.read((tx) =>
      tx
        .selectFrom('runs')
        .select(['tenant_id', ({ fn }) => fn.countAll<number>().as('count')])
        .where('state', 'in', ['running', 'committing'])
        .groupBy('tenant_id')
        .execute(),
    );
    for (const { tenant_id, count } of rows) {
      hasSeen = true;
      const slots = TIERS[TENANTS[tenant_id as TenantOfGround]]?.concurrentRuns ?? 0;
      assert.equal(count <= slots, true, `${tenant_id} has ${count} runs at work`);
    }
  }
  return hasSeen;
}

async function testStress(ground: StoreGround): Promise<void> {
  const counts = { create: 0, stop: 0, work: 0, sweep: 0 };
  const isOver = () => Object.values(counts).every((count) => count >= STRESS_ROUNDS);
  const act = async (name: keyof typeof counts, step: () => Promise<unknown>) => {
    while (!isOver()) {
      await step();
      counts[name]++;
    }
  };
  const jobs: string[] = [];
  const runs: string[] = [];
  const loops: Promise<void>[] = [];
  for (let at = 0; at < 4; at++) {
    const db = await ground.another();
    const requests = new Runs(db);
    loops.push(act('create', () => createOne(ground, requests, { jobs, runs })));
    loops.push(act('stop', () => stopOne(ground, requests, { jobs, runs })));
    loops.push(act('work', () => workOne(new Work(db, `worker ${at}`))));
    loops.push(act('sweep', () => sweepOne(ground, new Sweep(db))));
  }
  await Promise.all(loops);
}

interface Made {
  readonly jobs: string[];
  readonly runs: string[];
}

async function createOne(ground: StoreGround, requests: Runs, { jobs, runs }: Made): Promise<void> {
  const key = `key ${Math.floor(Math.random() * 1000)}`;
  const idempotency = Math.random() < 0.5 ? { key, bodyHash: 'body' } : null;
  try {
    const { job, run } = await ground.submit('acme', { idempotency }, requests);
    jobs.push(job.id);
    runs.push(run.id);
  } catch (error) {
    expectFault(error, ['tier.queue', 'job.unknown']);
  }
}

async function stopOne(ground: StoreGround, requests: Runs, { jobs, runs }: Made): Promise<void> {
  try {
    if (Math.random() < 0.3) await requests.deleteJob(jobs.at(-1) ?? '', ['acme'], ground.asker);
    else await requests.cancel(runs.at(-1 - Math.floor(Math.random() * 5)) ?? '', ['acme'], ground.asker);
  } catch (error) {
    expectFault(error, ['run.final']);
  }
}

async function workOne(work: Work): Promise<void> {
  const claim = await work.claim(TIERS);
  if (!claim) return;
  await work.renew(claim, { rows: 1, bytes: 1, fraction: null });
  await endOne(work, claim);
}

async function endOne(work: Work, claim: ClaimedRun): Promise<void> {
  const dice = Math.random();
  const fault = { code: 'source.refused', message: 'No.' } as const;
  if (dice < 0.2) await work.settle(claim, { is: 'released' }, []);
  else if (dice < 0.4) await work.settle(claim, { is: 'failed', fault }, []);
  else if (await work.commit(claim, commitOf(claim))) await work.finish(claim);
}

async function sweepOne(ground: StoreGround, sweep: Sweep): Promise<void> {
  const rows = await ground.db.read((tx) =>
    tx.selectFrom('files').select('run_id').where('removed_at', 'is', null).limit(2).execute(),
  );
  for (const { run_id } of rows) await sweep.markRemoved(run_id);
  await sweep.endLeases((worker) => worker === 'worker 0');
  for (const { isCommitting, ...claim } of await sweep.silent())
    if (!isCommitting) await sweep.bury(claim);
    else if (await sweep.adopt(claim, 'adopter')) await new Work(ground.db, 'adopter').finish(claim);
}

function expectFault(error: unknown, codes: readonly string[]): void {
  if (!codes.includes((error as { code?: string }).code ?? '')) throw error;
}

async function testCutConnections(ground: StoreGround): Promise<void> {
  const other = await ground.another();
  await Promise.all([0, 1, 2].map(() => other.read((tx) => tx.selectFrom('tenants').select('id').execute())));
  await ground.db.read((tx) =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.execute(tx),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await other.read((tx) => tx.selectFrom('tenants').select('id').execute())).length, 3);
}

/** Between two statements of a transaction, and in the middle of one. */
async function testCutAtWork(ground: StoreGround): Promise<void> {
  const other = await ground.another();
  const cut = (pid: unknown) => ground.db.read((tx) => sql`select pg_terminate_backend(${pid})`.execute(tx));
  const pidOf = async (tx: Tx) => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)).rows[0]?.pid;
  const between = other.write(async (tx) => {
    await cut(await pidOf(tx));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await tx.selectFrom('tenants').select('id').execute();
  });
  await assert.rejects(between);
  const amid = other.write(async (tx) => {
    const pid = await pidOf(tx);
    setTimeout(() => void cut(pid), 100);
    await sql`select pg_sleep(10)`.execute(tx);
  });
  await assert.rejects(amid);
  assert.equal((await other.read((tx) => tx.selectFrom('tenants').select('id').execute())).length, 3);
}

/** Each has a data folder of its own here, so it is only looked at who carried out what. */
async function testTwoServers(ground: StoreGround): Promise<void> {
  const { url: databaseUrl } = await ground.empty();
  const options = { rows: 100, databaseUrl, config: { runs: { atOnce: 1 } } };
  await using one = await ServerGround.open(options);
  await using two = await ServerGround.open(options);
  const create = async (server: ServerGround, key: string) => {
    const { json } = await server.call('POST', '/v1/jobs', { key, body: { dataset: 'events', format: 'csv' } });
    return { id: json.run.id as string, key };
  };
  const asked = Array.from({ length: 8 }, (_, at) => create(at % 4 < 2 ? one : two, at % 2 ? KEYS.acme : KEYS.globex));
  for (const { id, key } of await Promise.all(asked)) assert.equal((await one.settled(id, key)).state, 'succeeded');
  await using db = await Db.open({ dataFolder: one.folder, url: databaseUrl });
  const attempts = await db.read((tx) => tx.selectFrom('attempts').select(['worker', 'attempt']).execute());
  assert.equal(attempts.length, asked.length);
  assert.equal(new Set(attempts.map(({ worker }) => worker)).size, 2);
  const uses = await db.read((tx) => tx.selectFrom('tenant_uses').select(['queued_runs', 'active_runs']).execute());
  for (const use of uses) assert.deepEqual(use, { queued_runs: 0, active_runs: 0 });
}
