import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { later, now } from '../src/base/clock.ts';
import type { Plan } from '../src/run/plan.ts';
import type { ClaimedRun } from '../src/run/work-queries.ts';
import { tierSchema } from '../src/tenant/tier.ts';
import { commitOf, type GroundOf, type TenantOfGround, TIERS } from './store-ground.ts';

const PROGRESS = { rows: 1, bytes: 2, fraction: 0.5 };
const PLAN = { version: 1, dataset: 'events' } as unknown as Plan;

/** What workers do: claim, renew, plan, commit, finish, settle. */
export function testClaims(ground: GroundOf): void {
  suite('claims', () => testOrder(ground));
  suite('slots', () => testSlots(ground));
  suite('attempts', () => testAttempts(ground));
  suite('settling', () => testSettling(ground));
}

function testOrder(ground: GroundOf): void {
  const claimAll = async () => {
    const claims: ClaimedRun[] = [];
    for (;;) {
      const claim = await ground().work().claim(TIERS);
      if (!claim) return claims;
      claims.push(claim);
    }
  };

  test('give all a worker needs, and count', async () => {
    const window = { start: '2026-01-01T00:00:00.000Z', end: null };
    const { job, run } = await ground().submit('acme', { window });
    const claim = await ground().claim('somebody');
    assert.deepEqual(
      { ...claim },
      {
        run: run.id,
        attempt: 1,
        tenant: 'acme',
        job: job.id,
        tier: 'large',
        ask: JSON.parse(JSON.stringify(job.ask)),
        window,
        createdAt: run.createdAt,
        plan: null,
      },
    );
    assert.deepEqual(await ground().use('acme'), { queued: 0, active: 1, bytes: 0 });
    const row = await ground().row(run.id);
    assert.deepEqual([row.state, row.worker], ['running', 'somebody']);
    assert.equal((row.lease_until ?? '') > now(), true);
    assert.deepEqual(
      (await ground().runs.log(run.id, ['acme']))?.map(({ event }) => event),
      ['claimed'],
    );
  });

  test('take the run that is due first', async () => {
    const all = [await ground().submit(), await ground().submit()];
    const [early, late] = all.map(({ run }) => run.id);
    await ground().setRun(late ?? '', { due_at: '2020-01-01T00:00:00.000Z' });
    assert.deepEqual(
      (await claimAll()).map(({ run }) => run),
      [late, early],
    );
  });

  test('leave what is not due yet', async () => {
    const { run } = await ground().submit();
    await ground().setRun(run.id, { due_at: later(now(), 60_000) });
    assert.deepEqual(await claimAll(), []);
    await ground().setRun(run.id, { due_at: now() });
    assert.equal((await claimAll()).length, 1);
  });

  test('a tenant whose runs are not due does not stand before one whose are', async () => {
    const { run } = await ground().submit('acme');
    await ground().setRun(run.id, { due_at: later(now(), 60_000) });
    await ground().submit('globex');
    assert.deepEqual(
      (await claimAll()).map(({ tenant }) => tenant),
      ['globex'],
    );
  });

  test('go first to the tenant with the fewest at work', async () => {
    for (let at = 0; at < 3; at++) await ground().submit('acme');
    await ground().claim();
    await ground().submit('globex');
    await ground().submit('tiny');
    await served('globex', -1000);
    await served('tiny', -2000);
    await served('acme', -100_000);
    assert.deepEqual(
      (await claimAll()).map(({ tenant }) => tenant),
      ['tiny', 'globex', 'acme'],
    );
  });

  test('then to the one served longest ago, whoever came first', async () => {
    for (const tenant of ['acme', 'globex', 'tiny'] as const) await ground().submit(tenant);
    await served('acme', -1000);
    await served('globex', -3000);
    await served('tiny', -2000);
    assert.deepEqual(
      (await claimAll()).map(({ tenant }) => tenant),
      ['globex', 'tiny', 'acme'],
    );
  });

  function served(tenant: TenantOfGround, ms: number): Promise<unknown> {
    return ground().db.write((tx) =>
      tx
        .updateTable('tenant_uses')
        .set({ served_at: later(now(), ms) })
        .where('tenant_id', '=', tenant)
        .execute(),
    );
  }
}

function testSlots(ground: GroundOf): void {
  test('are never exceeded, and free again after an end of any kind', async () => {
    for (let at = 0; at < 6; at++) await ground().submit('acme');
    const [first, second] = [await ground().claim(), await ground().claim()];
    assert.equal(await ground().work().claim(TIERS), null);
    await ground().work().commit(first, commitOf(first));
    assert.equal(await ground().work().claim(TIERS), null, 'committing holds its slot');
    await ground().work().finish(first);
    const third = await ground().claim();
    assert.equal(await ground().work().claim(TIERS), null);
    await ground().runs.cancel(second.run, ['acme'], ground().asker);
    await ground().claim();
    assert.equal(await ground().work().claim(TIERS), null);
    await ground().work().settle(third, { is: 'released' }, null);
    await ground().claim();
    assert.equal(await ground().work().claim(TIERS), null);
  });

  test('of a tier nobody declared are none', async () => {
    await ground().submit('acme');
    await ground().tenants.putTenant('acme', 'forgotten');
    assert.equal(await ground().work().claim(TIERS), null);
    assert.equal(await ground().work().claim({}), null, 'no tiers at all');
    await ground().tenants.putTenant('acme', 'large');
    await ground().claim();
  });

  test('follow the configuration, whatever a tier is called', async () => {
    for (let at = 0; at < 4; at++) await ground().submit('acme');
    const tiers = { "o'clock": tierSchema.parse({ concurrentRuns: 3 }), other: tierSchema.parse({}) };
    await ground().tenants.putTenant('acme', "o'clock");
    for (let at = 0; at < 3; at++) assert.ok(await ground().work().claim(tiers));
    assert.equal(await ground().work().claim(tiers), null);
  });
}

function testAttempts(ground: GroundOf): void {
  /** Says what every write of an attempt answers. */
  async function answers(claim: ClaimedRun): Promise<boolean[]> {
    const work = ground().work();
    return [
      await work.renew(claim, PROGRESS),
      await work.storePlan(claim, PLAN, []),
      await work.commit(claim, commitOf(claim)),
      await work.finish(claim),
      await work.settle(claim, { is: 'died' }, []),
      await ground().sweep.bury(claim),
      await ground().sweep.adopt(claim, 'other'),
      await work.isLive(claim),
    ];
  }

  const everything = (run: string) =>
    ground().db.read(async (tx) => [
      await tx.selectFrom('runs').selectAll().where('id', '=', run).execute(),
      await tx.selectFrom('attempts').selectAll().where('run_id', '=', run).orderBy('attempt').execute(),
      await tx.selectFrom('outputs').selectAll().where('run_id', '=', run).execute(),
      await tx.selectFrom('files').selectAll().where('run_id', '=', run).execute(),
      await tx.selectFrom('deliveries').selectAll().where('run_id', '=', run).execute(),
      await tx.selectFrom('tenant_uses').selectAll().orderBy('tenant_id').execute(),
    ]);

  test('that are over change nothing while the next one runs, commits and is done', async () => {
    await ground().submit();
    const old = await ground().claim('old');
    await ground().work().settle(old, { is: 'released' }, null);
    const current = await ground().claim('current');
    assert.deepEqual([current.run, current.attempt], [old.run, 2]);
    const steps = [
      () => ground().silence(current.run),
      () => ground().work().commit(current, commitOf(current)),
      () => ground().silence(current.run),
      () => ground().work().finish(current),
    ];
    for (const step of steps) {
      await step();
      const before = await everything(old.run);
      assert.deepEqual(new Set(await answers(old)), new Set([false]));
      assert.deepEqual(await everything(old.run), before);
    }
  });

  test('of a waiting and of a cancelled run change nothing', async () => {
    await ground().submit();
    const claim = await ground().claim();
    await ground().work().settle(claim, { is: 'released' }, null);
    const waiting = await everything(claim.run);
    assert.deepEqual(new Set(await answers(claim)), new Set([false]));
    assert.deepEqual(await everything(claim.run), waiting);
    await ground().runs.cancel(claim.run, ['acme'], ground().asker);
    const cancelled = await everything(claim.run);
    assert.deepEqual(new Set(await answers(claim)), new Set([false]));
    assert.deepEqual(await everything(claim.run), cancelled);
  });

  test('keep the plan of the first that made one', async () => {
    await ground().submit();
    const first = await ground().claim();
    const log = [{ at: now(), attempt: 1, event: 'planned', text: 'Planned.' }];
    assert.equal(await ground().work().storePlan(first, PLAN, log), true);
    await ground().work().settle(first, { is: 'died' }, null);
    assert.deepEqual((await ground().claim()).plan, PLAN);
    assert.deepEqual(
      (await ground().runs.log(first.run, ['acme']))?.map(({ attempt, event }) => `${attempt} ${event}`),
      ['1 planned', '2 claimed'],
    );
  });

  test('that commit write outputs, files, deliveries and bytes, shown from the end on', async () => {
    const claim = await ground().committed('acme', 123);
    assert.deepEqual(await ground().use('acme'), { queued: 0, active: 1, bytes: 123 });
    assert.deepEqual((await ground().run(claim.run)).files, []);
    assert.equal(await ground().runs.manifest(claim.run, ['acme']), null);
    const [, , outputs, files, deliveries] = await everything(claim.run);
    assert.deepEqual([outputs?.length, files?.length, deliveries?.length], [1, 1, 1]);
    const { id } = (files?.[0] ?? {}) as { id: string };
    assert.equal(await ground().runs.file(id), null);
    assert.equal(await ground().work().commit(claim, commitOf(claim)), false, 'once only');
    assert.equal(await ground().work().finish(claim), true);
    assert.equal(await ground().work().finish(claim), false);
    const run = await ground().run(claim.run);
    assert.deepEqual([run.state, run.rowsPlanned, run.rowsWritten, run.files.length], ['succeeded', 7, 7, 1]);
    assert.equal((await ground().runs.file(id))?.tenant, 'acme');
    assert.equal(await ground().runs.manifest(claim.run, ['acme']), `{"run":"${claim.run}"}`);
    assert.deepEqual(await ground().use('acme'), { queued: 0, active: 0, bytes: 123 });
    const state = await ground().db.read((tx) => tx.selectFrom('deliveries').select('state').execute());
    assert.deepEqual(state, [{ state: 'delivered' }]);
  });
}

function testSettling(ground: GroundOf): void {
  const fault = { code: 'source.unreachable', message: 'Gone.', detail: 'ECONNREFUSED' } as const;

  const dueNow = (run: string) => ground().setRun(run, { due_at: now() });

  async function attemptOf({ run, attempt }: ClaimedRun) {
    return ground().db.read((tx) =>
      tx
        .selectFrom('attempts')
        .selectAll()
        .where('run_id', '=', run)
        .where('attempt', '=', attempt)
        .executeTakeFirstOrThrow(),
    );
  }

  test('a fault that may pass waits in the queue, longer each time, and fails at last', async () => {
    await ground().submit();
    const waits: number[] = [];
    for (let count = 1; count <= 5; count++) {
      const claim = await ground().claim();
      const before = now();
      assert.equal(await ground().work().settle(claim, { is: 'failed', fault }, []), true);
      const row = await ground().row(claim.run);
      assert.deepEqual([row.state, row.failures], [count < 5 ? 'queued' : 'failed', count]);
      assert.deepEqual((await ground().run(claim.run)).error, { code: fault.code, message: fault.message });
      const { ending, fault_detail } = await attemptOf(claim);
      assert.deepEqual([ending, fault_detail], ['failed', 'ECONNREFUSED']);
      if (count === 5) continue;
      waits.push(Date.parse(row.due_at) - Date.parse(before));
      assert.deepEqual(await ground().use('acme'), { queued: 1, active: 0, bytes: 0 });
      assert.equal(await ground().work().claim(TIERS), null, 'not due yet');
      await dueNow(claim.run);
    }
    assert.deepEqual(
      [...waits].sort((left, right) => left - right),
      waits,
    );
    assert.deepEqual(await ground().use('acme'), { queued: 0, active: 0, bytes: 0 });
  });

  test('a fault that stays fails at once', async () => {
    await ground().submit();
    const claim = await ground().claim();
    const refused = { code: 'source.refused', message: 'No.' } as const;
    await ground().work().settle(claim, { is: 'failed', fault: refused }, null);
    const run = await ground().run(claim.run);
    assert.deepEqual([run.state, run.error?.code, run.finishedAt !== null], ['failed', 'source.refused', true]);
  });

  test('texts with characters PostgreSQL has no place for are told all the same', async () => {
    await ground().submit();
    const claim = await ground().claim();
    const odd = { code: 'value.refused', message: 'The value "a\0b\ud800" is refused.', detail: 'a\0b' } as const;
    const log = [{ at: now(), attempt: 1, event: 'failed', text: odd.message }];
    assert.equal(await ground().work().settle(claim, { is: 'failed', fault: odd }, log), true);
    assert.match((await ground().run(claim.run)).error?.message ?? '', /^The value "a.+b.+" is refused\.$/u);
    assert.equal((await ground().runs.log(claim.run, ['acme']))?.[0]?.text, odd.message);
  });

  test('deaths count apart and end after ten', async () => {
    await ground().submit();
    for (let count = 1; count <= 10; count++) {
      const claim = await ground().claim();
      assert.equal(claim.attempt, count);
      await ground().work().settle(claim, { is: 'died' }, null);
      const row = await ground().row(claim.run);
      assert.deepEqual([row.state, row.deaths, row.failures], [count < 10 ? 'queued' : 'failed', count, 0]);
      await dueNow(claim.run);
    }
  });

  test('what was released waits at once and counts nothing', async () => {
    await ground().submit();
    const claim = await ground().claim();
    await ground().work().settle(claim, { is: 'released' }, null);
    const row = await ground().row(claim.run);
    assert.deepEqual([row.state, row.deaths, row.failures, row.worker], ['queued', 0, 0, null]);
    assert.equal((await ground().claim()).attempt, 2);
  });

  test('an earlier fault is forgotten when the run succeeds', async () => {
    await ground().submit();
    const first = await ground().claim();
    await ground().work().settle(first, { is: 'failed', fault }, null);
    await dueNow(first.run);
    const second = await ground().claim();
    assert.equal((await ground().run(first.run)).error?.code, fault.code);
    await ground().work().commit(second, commitOf(second));
    await ground().work().finish(second);
    assert.equal((await ground().run(first.run)).error, null);
  });
}
