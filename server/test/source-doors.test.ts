import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SourceGround } from './source-ground.ts';
import { SourceServer, whyNo } from './source-server.ts';

const EVERY = { where: null, piece: null };

describe('ways to a PostgreSQL server', { skip: whyNo('initdb', 'postgres', 'openssl') }, () => {
  let server: SourceServer;
  let ground: SourceGround;

  before(async () => {
    server = await SourceServer.start();
    ground = await SourceGround.open(server.localUrl);
    await ground.run(
      'create table numbers (id int)',
      'insert into numbers select * from generate_series(1, 1000)',
      'create view endless as select count(*) as n from generate_series(1, 1000000) a cross join generate_series(1, 1000000) b',
      "create role guest login password 'right'",
      'grant select on numbers, endless to guest',
    );
  });
  after(async () => {
    await ground?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const rowsBy = async (more: { url: string; ca?: string }): Promise<number> => {
    const shape = await ground.describe('numbers', more);
    await using reader = await ground.open(shape, { more });
    const { rows } = await ground.copyAll(reader, shape, 'plain');
    return rows;
  };

  it('goes through TLS as far as the certificate is to be trusted', async () => {
    const url = server.url('guest:right');
    const [ca, other] = [server.pem('ca'), server.pem('other')];
    assert.equal(await rowsBy({ url: `${url}?sslmode=require` }), 1000);
    assert.equal(await rowsBy({ url: `${url}?sslmode=verify-full`, ca }), 1000);
    assert.equal(await rowsBy({ url: `${url}?sslmode=verify-full&sslrootcert=${server.folder}/ca.crt` }), 1000);
    const byAddress = server.url('guest:right', '127.0.0.1');
    assert.equal(await rowsBy({ url: `${byAddress}?sslmode=verify-ca`, ca }), 1000);
    const refused = { code: 'source.refused', message: /certificate/ };
    await assert.rejects(rowsBy({ url: `${byAddress}?sslmode=verify-full`, ca }), refused);
    for (const mode of ['require', 'verify-ca', 'verify-full'])
      await assert.rejects(rowsBy({ url: `${url}?sslmode=${mode}`, ca: other }), refused);
    await assert.rejects(rowsBy({ url: `${url}?sslmode=verify-full` }), refused);
    await assert.rejects(rowsBy({ url: `${url}?sslmode=verify-ca` }), { code: 'request.invalid' });
    await assert.rejects(rowsBy({ url, ca }), { code: 'request.invalid' });
  });

  it('lets nobody in without the password, nor without TLS', async () => {
    for (const login of ['guest:wrong', 'guest', 'nobody:x']) {
      const url = `${server.url(login)}?sslmode=require`;
      await assert.rejects(rowsBy({ url }), (error: Error) => {
        assert.equal('code' in error && error.code, 'source.refused');
        assert.doesNotMatch(error.message, /wrong|guest|localhost|nobody/);
        return true;
      });
    }
    await assert.rejects(rowsBy({ url: server.url('guest:right') }), { code: 'source.refused' });
  });

  it('cancels through TLS', async () => {
    const more = { url: `${server.url('guest:right')}?sslmode=require` };
    const cancel = new AbortController();
    const shape = await ground.describe('endless', more);
    await using reader = await ground.open(shape, { more, signal: cancel.signal });
    const count = assert.rejects(reader.count({ columns: [], ...EVERY }), { code: 'run.cancelled' });
    const active = "select count(*)::int from pg_stat_activity where usename = 'guest' and state = 'active'";
    while ((await ground.value(active)) !== 1) await ground.run('select pg_sleep(0.01)');
    cancel.abort();
    await count;
    while ((await ground.value(active)) !== 0) await ground.run('select pg_sleep(0.01)');
  });

  it('reads through a pooler that gives connections for one transaction', { skip: whyNo('pgbouncer') }, async () => {
    const url = await server.pooled();
    assert.equal(await rowsBy({ url }), 1000);
    const shape = await ground.describe('numbers', { url });
    await using reader = await ground.open(shape, { more: { url } });
    assert.equal(reader.lanes.length, 2);
    assert.equal(await reader.count({ columns: [], ...EVERY }), 1000);
  });
});
