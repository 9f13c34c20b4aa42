import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { later, now } from '../src/base/clock.ts';
import { newId } from '../src/base/ids.ts';
import { openLog } from '../src/base/log.ts';
import { History } from '../src/run/history-queries.ts';
import { Runs } from '../src/run/queries.ts';
import { sweepOnce } from '../src/run/sweep.ts';
import { type GroundOf, type StoreGround, TENANTS, TIERS } from './store-ground.ts';

const ALL = Object.keys(TENANTS);

/** What is forgotten once it is over for long, and what never is. */
export function testHistory(ground: GroundOf): void {
  suite('the history', () => {
    test('loses runs with all they had, and their jobs', () => testForgets(ground()));
    test('keeps what is not over, is young, or has files', () => testKeeps(ground()));
    test('keeps the newest run of a job until it is the only one', () => testNewest(ground()));
    test('is forgotten however much there is', () => testMany(ground()));
    test('of a job that is run again at the same time stays whole', () => testAgain(ground()));
    test('loses notices that were sent or given up, and no others', () => testNotices(ground()));
    test('is swept, for ever kept unless it is told otherwise', () => testSwept(ground()));
  });
}

/** What is made from here on is over when the test says so. */
const soon = () => later(now(), 60_000);

async function counts(ground: StoreGround): Promise<Record<string, number>> {
  const tables = ['jobs', 'runs', 'attempts', 'outputs', 'files', 'recipes', 'idempotency_keys', 'notices'] as const;
  const found = tables.map(async (table) => {
    const rows = await ground.db.read((tx) =>
      tx
        .selectFrom(table)
        .select(({ lit }) => lit(1).as('one'))
        .execute(),
    );
    return [table, rows.length];
  });
  return Object.fromEntries(await Promise.all(found));
}

const NOTHING = { jobs: 0, runs: 0, attempts: 0, outputs: 0, files: 0, recipes: 0, idempotency_keys: 0, notices: 0 };

async function testForgets(ground: StoreGround): Promise<void> {
  const { run } = await ground.succeeded();
  await ground.sweep.markRemoved(run);
  await ground.submit('acme', { idempotency: { key: 'one', bodyHash: 'body' }, notify: ['a@example.com'] });
  const failed = await ground.claim();
  await ground.work().settle(failed, { is: 'failed', fault: { code: 'source.refused', message: 'No.' } }, null);
  const deleted = await ground.submit('globex');
  await ground.runs.deleteJob(deleted.job.id, ['globex'], ground.asker);
  assert.equal(await ground.history.forgetRuns(soon()), 3);
  assert.deepEqual(await counts(ground), NOTHING);
  const trail = await ground.db.read((tx) => tx.selectFrom('audit').select('action').execute());
  assert.ok(trail.length >= 4);
  assert.equal(await ground.runs.run(run, ALL), null);
}

async function testKeeps(ground: StoreGround): Promise<void> {
  await ground.succeeded();
  await ground.submit();
  await ground.claim();
  await ground.committed('globex');
  await ground.submit('tiny');
  const before = await counts(ground);
  assert.equal(await ground.history.forgetRuns(soon()), 0);
  const { run } = await ground.submit('globex');
  await ground.runs.cancel(run.id, ALL, ground.asker);
  assert.equal(await ground.history.forgetRuns(later(run.createdAt, -1)), 0);
  await ground.setRun(run.id, { finished_at: later(now(), 120_000) });
  assert.equal(await ground.history.forgetRuns(soon()), 0, 'it ended later');
  assert.deepEqual({ ...(await counts(ground)), jobs: before.jobs, runs: before.runs }, before);
}

async function testNewest(ground: StoreGround): Promise<void> {
  const kept = await ground.succeeded();
  const { jobId } = await ground.run(kept.run);
  const again = { ...ground.asker, tier: TIERS[TENANTS.acme] ?? assert.fail(), idempotency: null };
  for (let at = 0; at < 2; at++) {
    const run = await ground.runs.again(jobId, ['acme'], again);
    await ground.runs.cancel(run?.id ?? '', ['acme'], ground.asker);
  }
  assert.equal(await ground.history.forgetRuns(soon()), 1);
  const left = await ground.runs.runsOf(jobId, ['acme'], { limit: 10 });
  assert.deepEqual([left?.length, left?.[0]?.state, left?.[1]?.id], [2, 'cancelled', kept.run]);
  assert.equal((await ground.runs.job(jobId, ['acme']))?.run.id, left?.[0]?.id);
  await ground.sweep.markRemoved(kept.run);
  assert.equal(await ground.history.forgetRuns(soon()), 2);
  assert.deepEqual(await counts(ground), NOTHING);
}

async function testMany(ground: StoreGround): Promise<void> {
  for (let at = 0; at < 130; at++) {
    const { run } = await ground.submit(at % 2 ? 'acme' : 'globex');
    // Those that stay stand before those that go.
    if (at >= 5) await ground.runs.cancel(run.id, ALL, ground.asker);
  }
  assert.equal(await ground.history.forgetRuns(soon()), 125);
  const left = await counts(ground);
  assert.deepEqual([left.jobs, left.runs], [5, 5]);
}

async function testAgain(ground: StoreGround): Promise<void> {
  const runs = new Runs(await ground.rival());
  const history = new History(await ground.rival());
  const again = { ...ground.asker, tier: TIERS[TENANTS.acme] ?? assert.fail(), idempotency: null };
  for (let at = 0; at < 20; at++) {
    const { job, run } = await ground.submit();
    await ground.runs.cancel(run.id, ['acme'], ground.asker);
    const [made] = await Promise.all([runs.again(job.id, ['acme'], again), history.forgetRuns(soon())]);
    const found = await ground.runs.job(job.id, ['acme']);
    assert.equal(found?.run.id, made?.id);
    if (made) await ground.runs.cancel(made.id, ['acme'], ground.asker);
  }
}

async function testNotices(ground: StoreGround): Promise<void> {
  const { run } = await ground.succeeded();
  const at = now();
  const states = ['pending', ...Array.from({ length: 130 }, (_, each) => (each % 2 ? 'sent' : 'failed'))];
  const notices = states.map((state) => ({
    ...{ id: newId('notice', at), run_id: run, tenant_id: 'acme', address: 'a@example.com' },
    ...{ state, attempts: 1, due_at: at },
  }));
  await ground.db.write((tx) => tx.insertInto('notices').values(notices).execute());
  assert.equal(await ground.history.forgetNotices(later(at, -1)), 0);
  assert.equal(await ground.history.forgetNotices(later(at, 1)), 130);
  const left = await ground.db.read((tx) => tx.selectFrom('notices').select('state').execute());
  assert.deepEqual(left, [{ state: 'pending' }]);
}

async function testSwept(ground: StoreGround): Promise<void> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'drayage-history-'));
  try {
    const { run } = await ground.submit();
    await ground.runs.cancel(run.id, ['acme'], ground.asker);
    const { sweep, history } = ground;
    const base = { work: ground.work(), dataFolder, log: openLog('silent'), sweep, history, worker: 'worker' };
    await sweepOnce({ ...base, historyMs: undefined }, true);
    await sweepOnce({ ...base, historyMs: 60_000 }, true);
    // Of an hour from now.
    await sweepOnce({ ...base, historyMs: -3_600_000 }, false);
    assert.ok(await ground.runs.run(run.id, ['acme']));
    await sweepOnce({ ...base, historyMs: -3_600_000 }, true);
    assert.equal(await ground.runs.run(run.id, ['acme']), null);
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}
