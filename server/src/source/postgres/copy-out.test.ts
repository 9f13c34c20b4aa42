import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PostgresReader, whyNoPostgres } from '../../../test/readers/postgres.ts';
import { SourceGround } from '../../../test/source-ground.ts';

const EVERY = { where: null, piece: null };

/** Passes a connection on to a server whose answers arrive in parts of a few bytes each. */
async function chopping(socketPath: string): Promise<Server> {
  const server = createServer({ noDelay: true }, (client) => {
    const database = connect(socketPath);
    client.on('error', () => database.destroy()).pipe(database);
    database.on('error', () => client.destroy());
    void chop(database, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function chop(database: Socket, client: Socket): Promise<void> {
  let size = 1;
  for await (const bytes of database.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let at = 0; at < bytes.length && !client.destroyed; at += size) {
      size = (size % 23) + 1;
      client.write(bytes.subarray(at, at + size));
      await nextTurn();
    }
  }
  client.end();
}

describe('a COPY from PostgreSQL', { skip: whyNoPostgres() }, () => {
  let server: PostgresReader;
  let ground: SourceGround;
  let proxy: Server;
  let url: string;

  before(async () => {
    server = await PostgresReader.start();
    const direct = await server.createDatabase();
    ground = await SourceGround.open(direct);
    await ground.run(
      `create function public.told(i int) returns text language plpgsql as $$ begin
        if i % 10 = 0 then raise notice 'row %', i; end if;
        if i = 301 then raise exception 'secret %', i using errcode = '57014'; end if;
        return 'q"uo,te ' || i; end $$`,
      'create view told as select i as id, public.told(i) as note from generate_series(1, 300) i',
      'create view cut as select i as id, public.told(i) as note from generate_series(1, 400) i',
      "create view cells as select * from (values (1, null, ''), (2, 'NULL', 'a;b'), (3, 'null', E'x\\ny')) as v(id, a, b)",
    );
    const { searchParams } = new URL(direct);
    proxy = await chopping(`${searchParams.get('host')}/.s.PGSQL.5432`);
    const address = proxy.address();
    assert.ok(typeof address === 'object' && address);
    url = direct.replace(/localhost(.*)\?.*$/, `127.0.0.1:${address.port}$1`);
  });
  after(async () => {
    proxy?.close();
    await ground?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('is the same wherever the bytes part, with notices between the rows', async () => {
    const shape = await ground.describe('told');
    await using reader = await ground.open(shape, { more: { url } });
    const expected = Array.from({ length: 300 }, (_, at) => `${at + 1},"q""uo,te ${at + 1}"\n`).join('');
    for (const lane of reader.lanes) {
      const target = ground.target('plain');
      assert.equal(await lane.copy({ columns: ['id', 'note'], ...EVERY }, target), 300);
      assert.equal(readFileSync(target.path, 'utf8'), expected);
    }
    assert.equal(await reader.count({ columns: [], ...EVERY }), 300);
  });

  it('tells an error behind rows, and goes on telling it', async () => {
    const shape = await ground.describe('cut');
    await using reader = await ground.open(shape, { more: { url } });
    const busy = { code: 'source.busy', message: /^(?!.*secret)/ };
    const copy = () => reader.lanes[0]?.copy({ columns: ['id', 'note'], ...EVERY }, ground.target('plain'));
    await assert.rejects(copy() ?? Promise.resolve(), busy);
    await assert.rejects(copy() ?? Promise.resolve(), busy);
  });

  it('writes cells the way it is asked to', async () => {
    const shape = await ground.describe('cells');
    await using reader = await ground.open(shape);
    const target = { ...ground.target('plain'), delimiter: ';', nullText: 'NULL' };
    await reader.lanes[0]?.copy({ columns: ['b', 'a'], where: 'id < 3', piece: null }, target);
    assert.equal(readFileSync(target.path, 'utf8'), ';NULL\n"a;b";"NULL"\n');
  });
});
