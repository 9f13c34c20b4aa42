import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { later, now } from '../src/base/clock.ts';
import { type GroundOf, TENANTS, type TenantOfGround, TIERS } from './store-ground.ts';

/** What dialects ask beside the native one: ids of their own, one run at a time, lists and counts of their own. */
export function testReferences(ground: GroundOf): void {
  suite('references', () => testFinding(ground));
  suite('one at a time', () => testExclusive(ground));
}

function testFinding(ground: GroundOf): void {
  test('find the job for its tenant and its dialect alone', async () => {
    const { job, run } = await ground().submit('acme', { dialect: 'shoal', reference: 'a-1' });
    assert.deepEqual(await ground().runs.referred('shoal', 'a-1', ['globex', 'acme']), { job, run });
    for (const [dialect, reference, tenants] of [
      ['shoal', 'a-1', ['globex']],
      ['shoal', 'a-1', []],
      ['batch', 'a-1', ['acme']],
      ['shoal', 'a-2', ['acme']],
      ['shoal', 'a-1\0', ['acme']],
    ] as const)
      assert.equal(await ground().runs.referred(dialect, reference, tenants), null);
    await ground().runs.deleteJob(job.id, ['acme'], ground().asker);
    assert.equal(await ground().runs.referred('shoal', 'a-1', ['acme']), null);
  });

  test('are no two jobs of a dialect, whoever makes them', async () => {
    await ground().submit('acme', { dialect: 'shoal', reference: 'a-1' });
    await ground().submit('acme', { dialect: 'batch', reference: 'a-1' });
    await assert.rejects(ground().submit('globex', { dialect: 'shoal', reference: 'a-1' }));
    assert.equal((await ground().use('globex')).queued, 0);
  });

  test('leave lists and counts to each dialect', async () => {
    const since = now();
    const { job: ours } = await ground().submit('acme');
    const { job: theirs } = await ground().submit('acme', { dialect: 'shoal', reference: 'a-1' });
    const list = async (dialect?: string) => {
      const found = await ground().runs.jobs({ tenants: ['acme'], limit: 9, ...(dialect && { dialects: [dialect] }) });
      return found.map(({ job }) => job.id).sort();
    };
    assert.deepEqual(await list(), [ours.id, theirs.id].sort());
    assert.deepEqual(await list('shoal'), [theirs.id]);
    assert.deepEqual(await ground().runs.jobs({ tenants: ['acme'], dialects: [], limit: 9 }), []);
    await ground().runs.deleteJob(theirs.id, ['acme'], ground().asker);
    assert.equal(await ground().runs.count('shoal', ['acme', 'globex'], since), 1);
    assert.equal(await ground().runs.count('shoal', ['globex'], since), 0);
    assert.equal(await ground().runs.count('shoal', [], since), 0);
    assert.equal(await ground().runs.count('shoal', ['acme'], later(now(), 1000)), 0);
  });
}

function testExclusive(ground: GroundOf): void {
  const claim = { dialect: 'shoal', exclusive: 'export' };

  test('holds among creates that come at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 12 }, () => ground().submit('acme', claim)));
    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['conflict.running']));
    assert.equal(refused.length, 11);
    assert.equal(refused[0].retryAfterMs > 0, true);
    assert.equal((await ground().use('acme')).queued, 1);
  });

  test('holds for one tenant, one dialect and one word', async () => {
    await ground().submit('acme', { ...claim, reference: 'a-1' });
    await ground().submit('globex', claim);
    await ground().submit('acme', { ...claim, dialect: 'batch' });
    await ground().submit('acme', { ...claim, exclusive: 'other' });
    await assert.rejects(ground().submit('acme', claim), { code: 'conflict.running', message: /a-1/ });
  });

  test('ends with the run, and holds for another run of the job', async () => {
    const { job, run } = await ground().submit('acme', claim);
    const again = () =>
      ground().runs.again(job.id, ['acme'], { ...ground().asker, tier: tierOf('acme'), idempotency: null });
    await assert.rejects(again(), { code: 'conflict.running' });
    await ground().runs.cancel(run.id, ['acme'], ground().asker);
    await again();
    await assert.rejects(ground().submit('acme', claim), { code: 'conflict.running' });
  });
}

function tierOf(tenant: TenantOfGround) {
  const tier = TIERS[TENANTS[tenant]];
  assert.ok(tier);
  return tier;
}
