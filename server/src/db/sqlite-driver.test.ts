import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { Db } from './db.ts';

describe('transactions on SQLite', () => {
  let folder: string;
  let db: Db;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-sqlite-'));
    db = await Db.open({ dataFolder: folder, url: null });
    await db.migrate();
  });

  after(async () => {
    await db[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const put = (id: string) =>
    db.write((tx) => tx.insertInto('tenants').values({ id, tier: 'gold', created_at: 'now' }).execute());

  const names = (prefix: string) =>
    db.read(async (tx) => {
      const rows = await tx
        .selectFrom('tenants')
        .select('id')
        .where('id', 'like', `${prefix}%`)
        .orderBy('id')
        .execute();
      return rows.map(({ id }) => id);
    });

  it('that write at once share a commit, and one that fails takes none along', async () => {
    const before = walFrames();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, at) => (at % 10 === 3 ? put('same-3') : put(`same-${at}`))),
    );
    const refused = results.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []));
    assert.deepEqual(refused, [13, 23, 33, 43]);
    assert.equal((await names('same-')).length, 46);
    assert.ok(walFrames() - before < 20, 'fewer pages than commits would write');
  });

  it('show nothing before they are answered', async () => {
    const seen: number[] = [];
    await db.write(async (tx) => {
      await tx.insertInto('tenants').values({ id: 'late', tier: 'gold', created_at: 'now' }).execute();
      seen.push((await names('late')).length);
    });
    seen.push((await names('late')).length);
    assert.deepEqual(seen, [0, 1]);
  });

  it('are on the disk when they are answered, for any other process', async () => {
    await put('durable');
    const other = new DatabaseSync(join(folder, 'drayage.db'), { readOnly: true });
    assert.equal(other.prepare("select count(*) as n from tenants where id = 'durable'").get()?.n, 1);
    other.close();
  });

  it('fail together when their commit fails', async () => {
    const [one, two] = [put('doomed-1'), put('doomed-2')];
    const failing = db.write(async (tx) => {
      // Deferred until the commit, which all of them share.
      await tx.executeQuery({
        sql: 'pragma defer_foreign_keys = on',
        parameters: [],
        query: { kind: 'RawNode' },
      } as never);
      await tx.insertInto('principal_tenants').values({ principal_id: 99, tenant_id: 'nobody' }).execute();
    });
    const results = await Promise.allSettled([one, two, failing]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.deepEqual(await names('doomed'), []);
    await put('alive');
    assert.deepEqual(await names('alive'), ['alive']);
  });

  function walFrames(): number {
    const database = new DatabaseSync(join(folder, 'drayage.db'), { readOnly: true });
    const { log } = database.prepare('pragma wal_checkpoint(noop)').get() as { log: number };
    database.close();
    return log;
  }
});
