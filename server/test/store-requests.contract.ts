import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { later, now } from '../src/base/clock.ts';
import { Runs, type Submission } from '../src/run/queries.ts';
import type { RunState } from '../src/run/run.ts';
import { type GroundOf, TENANTS, type TenantOfGround, TIERS } from './store-ground.ts';

const ALL = Object.keys(TENANTS);

/** What requests do: create, again, cancel, delete, lists, the trail. */
export function testRequests(ground: GroundOf): void {
  suite('creates', () => testCreates(ground));
  suite('idempotency', () => testIdempotency(ground));
  suite('again', () => testAgain(ground));
  suite('cancel and delete', () => testCancel(ground));
  suite('lists', () => testLists(ground));
  suite('audit', () => testAudit(ground));
}

function keyed(key: string, bodyHash = 'body'): Pick<Submission, 'idempotency'> {
  return { idempotency: { key, bodyHash } };
}

function tierOf(tenant: string) {
  const tier = TIERS[TENANTS[tenant as TenantOfGround]];
  assert.ok(tier);
  return tier;
}

function testCreates(ground: GroundOf): void {
  test('count and can be read by their tenant alone', async () => {
    const window = { start: '2026-01-01T00:00:00.000Z', end: null };
    const { job, run } = await ground().submit('acme', { window });
    assert.deepEqual(await ground().use('acme'), { queued: 1, active: 0, bytes: 0 });
    assert.deepEqual(await ground().runs.job(job.id, ['acme']), { job, run });
    assert.deepEqual(await ground().runs.run(run.id, ['acme']), run);
    for (const tenants of [['globex'], []]) {
      assert.equal(await ground().runs.job(job.id, tenants), null);
      assert.equal(await ground().runs.run(run.id, tenants), null);
      assert.equal(await ground().runs.log(run.id, tenants), null);
      assert.equal(await ground().runs.runsOf(job.id, tenants, { limit: 1 }), null);
      assert.equal(await ground().runs.manifest(run.id, tenants), undefined);
      assert.equal(await ground().runs.cancel(run.id, tenants, ground().asker), null);
      assert.equal(await ground().runs.deleteJob(job.id, tenants, ground().asker), false);
    }
    assert.equal(await ground().runs.manifest(run.id, ['acme']), null);
    assert.deepEqual(await ground().runs.run(run.id, ['acme'], ['shoal', 'native']), run);
    for (const dialects of [['shoal'], []]) assert.equal(await ground().runs.run(run.id, ['acme'], dialects), null);
  });

  test('beyond the queue are refused, however many come at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => ground().submit('tiny')));
    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['tier.queue']));
    assert.equal(refused.length, 17);
    assert.equal(refused[0].retryAfterMs > 0, true);
    assert.equal((await ground().use('tiny')).queued, 3);
    await ground().submit('acme');
  });

  test('beyond a quota are refused, however many come at once', async () => {
    const from = later(now(), -60_000);
    const quota = { jobs: 3, from, to: later(from, 120_000), message: 'No more.' };
    const other = new Runs(await ground().rival());
    const asked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        ground().submit('acme', { dialect: 'shoal', quota }, at % 2 ? other : undefined),
      ),
    );
    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.equal(refused.length, 17);
    for (const { code, message, retryAfterMs } of refused) {
      assert.deepEqual([code, message], ['rate.limited', 'No more.']);
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 60_000, String(retryAfterMs));
    }
    await ground().submit('acme', { quota });
    await ground().submit('globex', { dialect: 'shoal', quota });
    await ground().submit('acme', { dialect: 'shoal', quota: { ...quota, from: later(now(), 1000) } });
  });

  test('are refused while too many bytes are kept', async () => {
    const { run } = await ground().succeeded('tiny', 1000);
    await assert.rejects(ground().submit('tiny'), { code: 'tier.bytes' });
    await ground().sweep.markRemoved(run);
    await ground().submit('tiny');
  });
}

function testIdempotency(ground: GroundOf): void {
  test('the same key and body gives what it gave before', async () => {
    const first = await ground().submit('acme', keyed('one'));
    assert.deepEqual(await ground().submit('acme', keyed('one')), first);
    await ground().claim();
    assert.deepEqual(await ground().submit('acme', keyed('one')), first, 'as it was when it was accepted');
    assert.notEqual((await ground().submit('acme', keyed('two'))).job.id, first.job.id);
    assert.notEqual((await ground().submit('globex', keyed('one'))).job.id, first.job.id);
  });

  test('the same key with another body is refused', async () => {
    await ground().submit('acme', keyed('one'));
    await assert.rejects(ground().submit('acme', keyed('one', 'other')), { code: 'idempotency.mismatch' });
    assert.equal((await ground().use('acme')).queued, 1);
  });

  test('a repeat takes no place, so a full queue and too many bytes do not refuse it', async () => {
    const first = await ground().submit('tiny', keyed('one'));
    await ground().submit('tiny');
    await ground().submit('tiny');
    assert.deepEqual(await ground().submit('tiny', keyed('one')), first);
    const claim = await ground().claim();
    await ground().db.write((tx) => tx.updateTable('tenant_uses').set({ stored_bytes: 5000 }).execute());
    assert.deepEqual(await ground().submit('tiny', keyed('one')), first);
    await ground().db.write((tx) => tx.updateTable('tenant_uses').set({ stored_bytes: 0 }).execute());
    assert.equal(claim.run, first.run.id);
  });

  test('twenty creates at once with one key make one job', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => ground().submit('acme', keyed('one'))));
    assert.equal(new Set(all.map(({ job }) => job.id)).size, 1);
    assert.equal(new Set(all.map(({ run }) => run.id)).size, 1);
    assert.equal((await ground().runs.jobs({ tenants: ALL, limit: 100 })).length, 1);
  });

  test('a key is forgotten after a day', async () => {
    const first = await ground().submit('acme', keyed('one'));
    const age = (ms: number) =>
      ground().db.write((tx) =>
        tx
          .updateTable('idempotency_keys')
          .set({ created_at: later(now(), -ms) })
          .execute(),
      );
    await age(86_400_000 - 60_000);
    assert.deepEqual(await ground().submit('acme', keyed('one', 'body')), first);
    await age(86_400_000 + 1);
    const second = await ground().submit('acme', keyed('one', 'other'));
    assert.notEqual(second.job.id, first.job.id);
    assert.deepEqual(await ground().submit('acme', keyed('one', 'other')), second);
  });

  test('the sweeper forgets old keys and no others', async () => {
    await ground().submit('acme', keyed('old'));
    await ground().db.write((tx) =>
      tx
        .updateTable('idempotency_keys')
        .set({ created_at: later(now(), -86_400_001) })
        .execute(),
    );
    await ground().submit('acme', keyed('new'));
    await ground().sweep.forgetIdempotency();
    const kept = await ground().db.read((tx) => tx.selectFrom('idempotency_keys').select('key').execute());
    assert.deepEqual(kept, [{ key: 'new' }]);
  });

  test('a repeat of a deleted job is refused', async () => {
    const { job } = await ground().submit('acme', keyed('one'));
    await ground().runs.deleteJob(job.id, ['acme'], ground().asker);
    await assert.rejects(ground().submit('acme', keyed('one')), { code: 'job.unknown' });
  });
}

function testAgain(ground: GroundOf): void {
  test('makes another run over the same window', async () => {
    const window = { start: '2026-01-01T00:00:00.000Z', end: '2026-02-01T00:00:00.000Z' };
    const { job, run } = await ground().submit('acme', { window });
    await ground().runs.cancel(run.id, ['acme'], ground().asker);
    const second = await ground().runs.again(job.id, ['acme'], {
      ...ground().asker,
      tier: tierOf('acme'),
      idempotency: null,
    });
    assert.ok(second);
    const row = await ground().row(second.id);
    assert.deepEqual({ start: row.window_start, end: row.window_end }, window);
    assert.equal(
      await ground().runs.again(job.id, ['globex'], { ...ground().asker, tier: tierOf('acme'), idempotency: null }),
      null,
    );
    assert.equal((await ground().runs.job(job.id, ['acme']))?.run.id, second.id);
  });

  test('is bound to the queue as creates are', async () => {
    const { job } = await ground().submit('tiny');
    const again = () =>
      ground().runs.again(job.id, ['tiny'], { ...ground().asker, tier: tierOf('tiny'), idempotency: null });
    await again();
    await again();
    await assert.rejects(again(), { code: 'tier.queue' });
  });

  test('at once with a delete leaves no run of a deleted job behind', async () => {
    for (let round = 0; round < 10; round++) {
      const { job } = await ground().submit('acme');
      const asks = [0, 1, 2].map(() =>
        ground().runs.again(job.id, ['acme'], { ...ground().asker, tier: tierOf('acme'), idempotency: null }),
      );
      await Promise.all([...asks, ground().runs.deleteJob(job.id, ['acme'], ground().asker)]);
    }
    const waiting = await ground().db.read((tx) =>
      tx.selectFrom('runs').select('id').where('state', '=', 'queued').execute(),
    );
    assert.deepEqual(waiting, []);
  });
}

function testCancel(ground: GroundOf): void {
  const cancel = (run: string) => ground().runs.cancel(run, ALL, ground().asker);

  test('stops a waiting run', async () => {
    const { run } = await ground().submit();
    assert.equal((await cancel(run.id))?.state, 'cancelled');
    assert.equal(await ground().work().claim(TIERS), null);
  });

  test('stops a running one, whose attempt is void from then on', async () => {
    await ground().submit();
    const claim = await ground().claim();
    const run = await cancel(claim.run);
    assert.deepEqual([run?.state, run?.finishedAt !== null], ['cancelled', true]);
    assert.equal(await ground().work().settle(claim, { is: 'released' }, null), false);
    assert.equal(await ground().work().isLive(claim), false);
  });

  test('is refused from the commit on', async () => {
    const claim = await ground().committed();
    await assert.rejects(cancel(claim.run), { code: 'run.final', message: /committing/ });
    await ground().work().finish(claim);
    await assert.rejects(cancel(claim.run), { code: 'run.final', message: /succeeded/ });
    const { run } = await ground().submit();
    await cancel(run.id);
    await assert.rejects(cancel(run.id), { code: 'run.final', message: /cancelled/ });
    assert.equal(await cancel('run_nobody'), null);
  });

  test('a failed run is final too', async () => {
    await ground().submit();
    const claim = await ground().claim();
    const fault = { code: 'source.refused', message: 'No.' } as const;
    await ground().work().settle(claim, { is: 'failed', fault }, null);
    await assert.rejects(cancel(claim.run), { code: 'run.final', message: /failed/ });
  });

  test('deleting a job cancels what is not final and hides the job', async () => {
    const done = await ground().succeeded('acme', 10);
    const { job, run: waiting } = await ground().submit();
    const claim = await ground().claim();
    assert.equal(claim.run, waiting.id);
    const second = await ground().runs.again(job.id, ALL, {
      ...ground().asker,
      tier: tierOf('acme'),
      idempotency: null,
    });
    assert.equal(await ground().runs.deleteJob(job.id, ALL, ground().asker), true);
    assert.equal(await ground().runs.deleteJob(job.id, ALL, ground().asker), false);
    const states = await Promise.all([waiting.id, second?.id ?? ''].map(async (id) => (await ground().row(id)).state));
    assert.deepEqual(states, ['cancelled', 'cancelled']);
    assert.equal(await ground().runs.job(job.id, ALL), null);
    assert.equal(await ground().runs.deleteJob(done.job, ALL, ground().asker), true);
    assert.equal((await ground().run(done.run)).state, 'succeeded');
    assert.deepEqual(await ground().runs.jobs({ tenants: ALL, limit: 9 }), []);
  });
}

function testLists(ground: GroundOf): void {
  async function pages(limit: number): Promise<string[]> {
    const seen: string[] = [];
    for (;;) {
      const after = seen.at(-1);
      const page = await ground().runs.jobs({ tenants: ALL, limit, ...(after === undefined ? {} : { after }) });
      seen.push(...page.map(({ job }) => job.id));
      if (page.length < limit) return seen;
    }
  }

  test('of jobs come newest first, page by page', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 7; at++) ids.push((await ground().submit('acme')).job.id);
    const newestFirst = ids.sort().reverse();
    for (const limit of [1, 2, 3, 7, 8]) assert.deepEqual(await pages(limit), newestFirst);
    assert.deepEqual(await ground().runs.jobs({ tenants: [], limit: 9 }), []);
  });

  test('show every job beside the newest of its own runs', async () => {
    const expected = new Map<string, string>();
    for (let at = 0; at < 3; at++) {
      const { job, run } = await ground().submit('acme');
      const ids = [run.id];
      for (let again = 0; again < at; again++)
        ids.push(
          (await ground().runs.again(job.id, ALL, { ...ground().asker, tier: tierOf('acme'), idempotency: null }))
            ?.id ?? '',
        );
      expected.set(job.id, ids.sort().at(-1) ?? '');
    }
    const found = await ground().runs.jobs({ tenants: ALL, limit: 9 });
    assert.deepEqual(new Map(found.map(({ job, run }) => [job.id, run.id])), expected);
  });

  test('of jobs can be narrowed', async () => {
    const one = await ground().submit('acme', { dataset: 'one' });
    // Ids and filters tell milliseconds apart, nothing finer.
    await wait(2);
    const two = await ground().submit('globex', { dataset: 'two' });
    await ground().runs.cancel(two.run.id, ALL, ground().asker);
    const [early, late] = [one.job.createdAt, two.job.createdAt];
    const idsOf = async (filter: object) =>
      (await ground().runs.jobs({ tenants: ALL, limit: 9, ...filter })).map(({ job }) => job.id);
    assert.deepEqual(await idsOf({ dataset: 'one' }), [one.job.id]);
    assert.deepEqual(await idsOf({ tenants: ['globex'] }), [two.job.id]);
    assert.deepEqual(await idsOf({ state: 'queued' as RunState }), [one.job.id]);
    assert.deepEqual(await idsOf({ state: 'cancelled' as RunState }), [two.job.id]);
    assert.deepEqual(await idsOf({ createdFrom: late }), [two.job.id]);
    assert.deepEqual(await idsOf({ createdFrom: early }), [two.job.id, one.job.id]);
    assert.deepEqual(await idsOf({ createdFrom: early, createdTo: late }), [one.job.id]);
    assert.deepEqual(await idsOf({ createdTo: early }), []);
    assert.deepEqual(await idsOf({ dataset: 'one', state: 'cancelled' as RunState }), []);
    assert.deepEqual(await idsOf({ dataset: 'nul \0 in it' }), []);
  });

  test('filter by the state of the newest run', async () => {
    const { job, run } = await ground().submit();
    await ground().runs.cancel(run.id, ALL, ground().asker);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const second = await ground().runs.again(job.id, ALL, {
      ...ground().asker,
      tier: tierOf('acme'),
      idempotency: null,
    });
    const found = await ground().runs.jobs({ tenants: ALL, state: 'queued', limit: 9 });
    assert.deepEqual(
      found.map((each) => each.run.id),
      [second?.id],
    );
    assert.deepEqual(await ground().runs.jobs({ tenants: ALL, state: 'cancelled', limit: 9 }), []);
    const history = await ground().runs.runsOf(job.id, ALL, { limit: 9 });
    assert.deepEqual(
      history?.map(({ id }) => id),
      [second?.id, run.id],
    );
    const rest = await ground().runs.runsOf(job.id, ALL, { limit: 9, after: second?.id ?? '' });
    assert.deepEqual(
      rest?.map(({ id }) => id),
      [run.id],
    );
  });
}

function testAudit(ground: GroundOf): void {
  test('has a row for everything done, and none for what was refused or repeated', async () => {
    const { job, run } = await ground().submit('acme', keyed('one'));
    await ground().submit('acme', keyed('one'));
    const second = await ground().runs.again(job.id, ALL, {
      ...ground().asker,
      tier: tierOf('acme'),
      idempotency: null,
    });
    await ground().runs.cancel(run.id, ALL, ground().asker);
    await assert.rejects(ground().runs.cancel(run.id, ALL, ground().asker));
    await ground().runs.cancel(second?.id ?? '', ALL, ground().asker);
    const done = await ground().succeeded('acme', 5);
    const file = await ground().runs.file((await ground().run(done.run)).files[0]?.id ?? '');
    assert.ok(file);
    await ground().runs.noteDownload(file, ground().asker);
    await ground().runs.deleteJob(job.id, ALL, ground().asker);
    const rows = await ground().db.read((tx) => tx.selectFrom('audit').selectAll().execute());
    const told = rows.map(({ action, subject }) => `${action} ${subject}`).sort();
    assert.deepEqual(
      told,
      [
        `job.create ${job.id}`,
        `run.create ${second?.id}`,
        `run.cancel ${run.id}`,
        `run.cancel ${second?.id}`,
        `job.create ${done.job}`,
        `file.download ${file.id}`,
        `job.delete ${job.id}`,
      ].sort(),
    );
    assert.deepEqual(new Set(rows.map(({ request_id }) => request_id)), new Set(['req_test']));
    assert.deepEqual(new Set(rows.map(({ principal_id }) => principal_id)), new Set([ground().asker.principal]));
  });
}
