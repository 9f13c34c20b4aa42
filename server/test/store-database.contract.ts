import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { sql } from 'kysely';
import { Db } from '../src/db/db.ts';
import { migrations } from '../src/db/migrations.ts';
import type { GroundOf } from './store-ground.ts';

const NAMES = Object.keys(migrations).sort();

/** Opening, migrating, transactions, numbers, tenants and keys. */
export function testDatabase(ground: GroundOf): void {
  suite('migrations', () => testMigrations(ground));
  suite('transactions', () => testTransactions(ground));
  suite('numbers', () => testNumbers(ground));
  suite('keys', () => testKeys(ground));
}

function testMigrations(ground: GroundOf): void {
  test('run once', async () => {
    await using db = await Db.open(await ground().empty());
    assert.deepEqual(await db.pendingMigrations(), NAMES);
    assert.deepEqual(await db.migrate(), NAMES);
    assert.deepEqual(await db.migrate(), []);
    assert.deepEqual(await db.pendingMigrations(), []);
  });

  test('leave nothing when one fails', async () => {
    await using db = await Db.open(await ground().empty());
    await db.write((tx) => sql`create table audit (mine integer)`.execute(tx));
    await assert.rejects(db.migrate(), { code: 'internal' });
    assert.deepEqual(await db.pendingMigrations(), NAMES);
    await assert.rejects(db.read((tx) => tx.selectFrom('tenants').selectAll().execute()));
    await db.write((tx) => sql`drop table audit`.execute(tx));
    assert.deepEqual(await db.migrate(), NAMES);
  });

  test('a database that cannot be reached is a fault', async () => {
    const { dataFolder } = await ground().empty();
    writeFileSync(join(dataFolder, 'drayage.db'), 'This is no database. '.repeat(100));
    const url = ground().kind === 'postgres' ? 'postgresql://nobody@127.0.0.1:1/nothing' : null;
    await assert.rejects(Db.open({ dataFolder, url }), { code: 'source.unreachable' });
  });
}

function testTransactions(ground: GroundOf): void {
  const tierOf = async (db: Db) =>
    (await db.read((tx) => tx.selectFrom('tenants').select('tier').where('id', '=', 'acme').executeTakeFirst()))?.tier;

  test('commit when what they do resolves, and roll back when it rejects', async () => {
    const { db } = ground();
    await db.write((tx) => tx.updateTable('tenants').set({ tier: 'other' }).where('id', '=', 'acme').execute());
    assert.equal(await tierOf(db), 'other');
    const failing = db.write(async (tx) => {
      await tx.updateTable('tenants').set({ tier: 'lost' }).execute();
      throw new Error('on purpose');
    });
    await assert.rejects(failing, /on purpose/);
    assert.equal(await tierOf(db), 'other');
  });

  test('a statement that fails takes its whole transaction with it, and the next one works', async () => {
    const { db } = ground();
    const failing = db.write(async (tx) => {
      await tx.updateTable('tenants').set({ tier: 'lost' }).execute();
      await tx.updateTable('tenant_uses').set({ queued_runs: -1 }).execute();
    });
    await assert.rejects(failing, /check/i);
    assert.equal(await tierOf(db), 'large');
  });

  test('show nothing to other connections until they commit', async () => {
    const { db } = ground();
    const other = await ground().another();
    const gate = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const writing = db.write(async (tx) => {
      await tx.updateTable('tenants').set({ tier: 'other' }).where('id', '=', 'acme').execute();
      written.resolve();
      await gate.promise;
    });
    await written.promise;
    assert.equal(await tierOf(other), 'large');
    gate.resolve();
    await writing;
    assert.equal(await tierOf(other), 'other');
  });

  test('that only read cannot write', async () => {
    const { db } = ground();
    await assert.rejects(db.read((tx) => tx.updateTable('tenants').set({ tier: 'other' }).execute()));
    assert.equal(await tierOf(db), 'large');
  });
}

function testNumbers(ground: GroundOf): void {
  const setBytes = (bytes: bigint) =>
    ground().db.write((tx) => sql`update tenant_uses set stored_bytes = ${sql.raw(String(bytes))}`.execute(tx));

  test('are exact far beyond 2^31 and refused beyond 2^53', async () => {
    for (const bytes of [2n ** 31n, 2n ** 40n + 1n, 2n ** 53n - 1n]) {
      await setBytes(bytes);
      assert.equal((await ground().use('acme')).bytes, Number(bytes));
    }
    await setBytes(2n ** 53n + 1n);
    await assert.rejects(ground().use('acme'), /beyond 2\^53/);
    await setBytes(0n);
  });

  test('count far beyond 2^31', async () => {
    const claims = [await ground().committed('acme', 3_000_000_000), await ground().committed('acme', 5_000_000_001)];
    assert.equal((await ground().use('acme')).bytes, 8_000_000_001);
    for (const claim of claims) {
      assert.equal((await ground().row(claim.run)).progress_bytes > 2 ** 31, true);
      await ground().work().finish(claim);
      await ground().sweep.markRemoved(claim.run);
    }
    assert.equal((await ground().use('acme')).bytes, 0);
  });

  test('fractions stay what they are', async () => {
    await ground().submit();
    const claim = await ground().claim();
    for (const fraction of [0, 0.1, 1, null]) {
      assert.equal(
        await ground()
          .work()
          .renew(claim, { rows: 3, bytes: 2 ** 41, fraction }),
        true,
      );
      assert.deepEqual((await ground().run(claim.run)).progress, { rows: 3, bytes: 2 ** 41, fraction });
    }
  });
}

function testKeys(ground: GroundOf): void {
  const all = { rights: ['read', 'write'], dialects: ['native'] } as const;

  test('act for their tenants with their rights', async () => {
    const { tenants } = ground();
    const several = { ...all, name: 'both', key: 'key both', tenants: ['globex', 'acme'] };
    const id = await tenants.putKey({ ...several, rights: ['read'], dialects: ['native', 'other'] });
    assert.deepEqual(await tenants.principalOfKey('key both'), {
      id,
      name: 'both',
      tenants: [
        { id: 'acme', tier: 'large' },
        { id: 'globex', tier: 'large' },
      ],
      rights: ['read'],
      dialects: ['native', 'other'],
    });
    assert.equal(await tenants.principalOfKey('key'), null);
    assert.equal(await tenants.actsFor(id, 'globex'), true);
    assert.equal(await tenants.actsFor(id, 'tiny'), false);
    await assert.rejects(tenants.putKey({ ...all, name: 'x', key: 'x', tenants: ['acme', 'nobody'] }), {
      code: 'request.invalid',
    });
  });

  test('put twice stay one, as asked last', async () => {
    const { tenants } = ground();
    const first = await tenants.putKey({ ...all, name: 'one', key: 'same', tenants: ['acme', 'tiny'] });
    const second = await tenants.putKey({ ...all, name: 'two', key: 'same', tenants: ['globex'] });
    assert.equal(second, first);
    const found = (await tenants.listKeys()).filter(({ id }) => id === first);
    assert.deepEqual(
      found.map(({ name, tenants: names }) => [name, names]),
      [['two', ['globex']]],
    );
  });

  test('put at once, the same or others, all come through', async () => {
    const { tenants } = ground();
    const names = Array.from({ length: 20 }, (_, at) => `key ${at % 10}`);
    const ids = await Promise.all(names.map((key) => tenants.putKey({ ...all, name: key, key, tenants: ['acme'] })));
    assert.equal(new Set(ids).size, 10);
    assert.deepEqual(ids.slice(0, 10), ids.slice(10));
  });

  test('once revoked are unknown and act for nobody', async () => {
    const { tenants } = ground();
    const id = await tenants.putKey({ ...all, name: 'gone', key: 'gone', tenants: ['acme'] });
    assert.equal(await tenants.revokeKey(id), true);
    assert.equal(await tenants.revokeKey(id), false);
    assert.equal(await tenants.principalOfKey('gone'), null);
    assert.equal(await tenants.actsFor(id, 'acme'), false);
    assert.notEqual((await tenants.listKeys()).find((key) => key.id === id)?.revokedAt, null);
    await tenants.putKey({ ...all, name: 'gone', key: 'gone', tenants: ['acme'] });
    assert.equal(await tenants.principalOfKey('gone'), null, 'what is revoked stays revoked');
  });

  test('tenants move between tiers and keep what they use', async () => {
    await ground().submit('tiny');
    await ground().tenants.putTenant('tiny', 'large');
    const tiny = (await ground().tenants.listTenants()).find(({ id }) => id === 'tiny');
    assert.deepEqual([tiny?.tier, tiny?.queued_runs], ['large', 1]);
    assert.equal(await ground().tenants.isReachable(), true);
  });
}
