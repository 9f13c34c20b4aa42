import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { later, now } from '../src/base/clock.ts';
import { Sweep } from '../src/run/sweep-queries.ts';
import { type GroundOf, TENANTS, TIERS } from './store-ground.ts';

/** What the sweeper does: the silent, the expired, what is still needed. */
export function testSweep(ground: GroundOf): void {
  suite('silent workers', () => testSilent(ground));
  suite('expired files', () => testExpired(ground));
  suite('what is still needed', () => testNeeded(ground));
}

function testSilent(ground: GroundOf): void {
  test('are found when their lease is over, not before', async () => {
    await ground().submit();
    const running = await ground().claim();
    const committing = await ground().committed();
    assert.deepEqual(await ground().sweep.silent(), []);
    for (const { run } of [running, committing]) await ground().silence(run);
    const found = (await ground().sweep.silent()).sort((left, right) => (left.run < right.run ? -1 : 1));
    const expected = [running, committing].map(({ run, attempt, tenant }, at) => ({
      run,
      attempt,
      tenant,
      isCommitting: at === 1,
    }));
    assert.deepEqual(
      found,
      expected.sort((left, right) => (left.run < right.run ? -1 : 1)),
    );
  });

  test('are buried once, and the run waits again', async () => {
    await ground().submit();
    const claim = await ground().claim();
    await ground().silence(claim.run);
    const sweeps = [ground().sweep, new Sweep(await ground().rival())];
    const buried = await Promise.all(sweeps.map((sweep) => sweep.bury(claim)));
    assert.deepEqual(buried.sort(), [false, true]);
    assert.deepEqual([(await ground().row(claim.run)).state, (await ground().row(claim.run)).deaths], ['queued', 1]);
    assert.equal(await ground().work().renew(claim, { rows: 1, bytes: 1, fraction: 0 }), false);
  });

  test('that came back in between are not buried', async () => {
    await ground().submit();
    const claim = await ground().claim();
    await ground().silence(claim.run);
    const [silent] = await ground().sweep.silent();
    assert.ok(silent);
    await ground().work().renew(claim, { rows: 1, bytes: 1, fraction: 0 });
    assert.equal(await ground().sweep.bury(silent), false);
    assert.equal((await ground().row(claim.run)).state, 'running');
  });

  test('lose a committing run to one of two who adopt it', async () => {
    const claim = await ground().committed();
    assert.equal(await ground().sweep.adopt(claim, 'early'), false);
    await ground().silence(claim.run);
    const other = new Sweep(await ground().rival());
    const adopted = await Promise.all([ground().sweep.adopt(claim, 'one'), other.adopt(claim, 'two')]);
    assert.deepEqual(adopted.sort(), [false, true]);
    assert.equal(await ground().sweep.bury(claim), false, 'a committing run only rolls forward');
    assert.equal(await ground().work().finish(claim), true);
  });

  test('whose process is known to be gone lose their leases at once', async () => {
    await ground().submit();
    await ground().submit();
    const gone = await ground().claim('gone');
    const there = await ground().claim('there');
    assert.equal(await ground().sweep.endLeases((worker) => worker === 'gone'), 1);
    assert.deepEqual(
      (await ground().sweep.silent()).map(({ run }) => run),
      [gone.run],
    );
    assert.equal(await ground().work().isLive(there), true);
    assert.equal(await ground().sweep.endLeases(() => false), 0);
  });
}

function testExpired(ground: GroundOf): void {
  const expire = (run: string, ms: number) =>
    ground().db.write((tx) =>
      tx
        .updateTable('files')
        .set({ expires_at: later(now(), ms) })
        .where('run_id', '=', run)
        .execute(),
    );

  test('are found once their life is over, and give their bytes back once', async () => {
    const [old, young] = [await ground().succeeded('acme', 10), await ground().succeeded('acme', 200)];
    assert.deepEqual(await ground().sweep.expired(), []);
    await expire(old.run, -1);
    assert.deepEqual(await ground().sweep.expired(), [old.run]);
    const sweeps = [ground().sweep, new Sweep(await ground().rival())];
    await Promise.all(sweeps.map((sweep) => sweep.markRemoved(old.run)));
    assert.deepEqual(await ground().sweep.expired(), []);
    assert.equal((await ground().use('acme')).bytes, 200);
    assert.equal((await ground().run(old.run)).files[0]?.isRemoved, true);
    assert.equal((await ground().run(young.run)).files[0]?.isRemoved, false);
  });

  test('live to a whole second, as their links do', async () => {
    for (let at = 0; at < 3; at++) {
      const { run } = await ground().succeeded('globex');
      assert.match((await ground().run(run)).files[0]?.expiresAt ?? '', /\.000Z$/);
    }
  });

  test('of a run that is still committing are left', async () => {
    const claim = await ground().committed();
    await expire(claim.run, -1);
    assert.deepEqual(await ground().sweep.expired(), []);
  });
}

function testNeeded(ground: GroundOf): void {
  test('every stage of a run that may still come to something is: the next attempt uses what an earlier one left', async () => {
    const { runs, sweep } = ground();
    await ground().submit('globex');
    const released = await ground().claim();
    await ground().work().settle(released, { is: 'released' }, null);
    const again = await ground().claim();
    assert.deepEqual([again.run, again.attempt], [released.run, 2]);
    const committing = await ground().committed('globex');
    await ground().submit('acme');
    const died = await ground().claim();
    await ground().work().settle(died, { is: 'died' }, null);
    const waiting = await ground().submit('tiny');
    const stages = [released, again, committing, died, { run: waiting.run.id, attempt: 1 }];
    const named = new Set(stages.map(({ run, attempt }) => `${run}-${attempt}`));
    assert.deepEqual(await sweep.liveStages(stages), named);
    assert.deepEqual(await sweep.liveStages([]), new Set());
    for (const { run } of [again, died]) await runs.cancel(run, Object.keys(TENANTS), ground().asker);
    const left = [committing, { run: waiting.run.id, attempt: 1 }];
    assert.deepEqual(await sweep.liveStages(stages), new Set(left.map(({ run, attempt }) => `${run}-${attempt}`)));
  });

  test('no stage of a run that is final is, nor of one that nobody knows', async () => {
    const succeeded = await ground().succeeded();
    await ground().submit('acme');
    const failed = await ground().claim();
    const fault = { code: 'source.refused', message: 'No.' } as const;
    await ground().work().settle(failed, { is: 'failed', fault }, null);
    assert.equal((await ground().row(failed.run)).state, 'failed');
    const cancelled = await ground().submit('acme');
    await ground().runs.cancel(cancelled.run.id, ['acme'], ground().asker);
    const stages = [succeeded, failed, { run: cancelled.run.id, attempt: 0 }, { run: 'run_nobody', attempt: 1 }];
    assert.deepEqual(await ground().sweep.liveStages(stages), new Set());
  });

  test('folders of runs with kept files are, others are not', async () => {
    const [kept, removed] = [await ground().succeeded(), await ground().succeeded()];
    await ground().sweep.markRemoved(removed.run);
    const found = await ground().sweep.keptRuns([kept.run, removed.run, 'run_nobody']);
    assert.deepEqual(found, new Set([kept.run]));
    assert.deepEqual(await ground().sweep.keptRuns([]), new Set());
  });

  test('however many folders there are', async () => {
    const kept = await ground().succeeded();
    await ground().submit();
    const live = await ground().work().claim(TIERS);
    assert.ok(live);
    const names = Array.from({ length: 70_000 }, (_, at) => `run_${at}`);
    assert.deepEqual(await ground().sweep.keptRuns([...names, kept.run]), new Set([kept.run]));
    const stages = [...names.map((run) => ({ run, attempt: 1 })), { run: live.run, attempt: live.attempt }];
    assert.deepEqual(await ground().sweep.liveStages(stages), new Set([`${live.run}-${live.attempt}`]));
  });
}
