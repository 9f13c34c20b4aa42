import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PostgresReader, whyNoPostgres } from '../../../test/readers/postgres.ts';
import { SourceGround } from '../../../test/source-ground.ts';
import type { LiveTarget } from '../source.ts';

const EVERY = { where: null, piece: null };

type PassOn = (database: AsyncIterable<Buffer>, client: Socket) => Promise<void>;

/** Passes connections on to a server, its answers in the way that is told. */
async function between(socketPath: string, passOn: PassOn): Promise<Server> {
  const server = createServer({ noDelay: true }, (client) => {
    const database = connect(socketPath);
    client.on('error', () => database.destroy()).pipe(database);
    database.on('error', () => client.destroy());
    void passOn(database.iterator({ destroyOnReturn: false }), client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The direct address by way of such a server. */
function addressBy(proxy: Server, direct: string): string {
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address);
  return direct.replace(/localhost(.*)\?.*$/, `127.0.0.1:${address.port}$1`);
}

/** Answers arrive in parts of a few bytes each. */
async function chop(database: AsyncIterable<Buffer>, client: Socket): Promise<void> {
  let size = 1;
  for await (const bytes of database) {
    for (let at = 0; at < bytes.length && !client.destroyed; at += size) {
      size = (size % 23) + 1;
      client.write(bytes.subarray(at, at + size));
      await nextTurn();
    }
  }
  client.end();
}

/** `H`: the first byte of a COPY's answer; and how it ends within a transaction. */
const COPY_OUT = 0x48;
const READY = Buffer.from('Z\0\0\0\u0005T');

interface Cut {
  /** Bytes at the end of a COPY's answer that come by themselves. */
  bytes: number;
  /** Called when all before them has been read. */
  reached(): void;
}

/** Answers to COPY arrive in two parts. */
function cutBy(cut: Cut): PassOn {
  return async (database, client) => {
    let answer: Buffer = Buffer.alloc(0);
    for await (const bytes of database) {
      answer = Buffer.concat([answer, bytes]);
      if (answer[0] === COPY_OUT && !answer.subarray(-READY.length).equals(READY)) continue;
      if (answer[0] === COPY_OUT) await writeCut(answer, cut, client);
      else client.write(answer);
      answer = Buffer.alloc(0);
    }
    client.end();
  };
}

async function writeCut(answer: Buffer, cut: Cut, client: Socket): Promise<void> {
  client.write(answer.subarray(0, -cut.bytes));
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  cut.reached();
  client.write(answer.subarray(-cut.bytes));
}

/** All threads that files are written by are busy for a while. */
function busyThreads(): Promise<unknown> {
  const job = () => new Promise((resolve) => pbkdf2('busy', 'salt', 60_000, 64, 'sha512', resolve));
  return Promise.all(Array.from({ length: 8 }, job));
}

describe('a COPY from PostgreSQL', { skip: whyNoPostgres() }, () => {
  let server: PostgresReader;
  let ground: SourceGround;
  let proxy: Server;
  let direct: string;
  let path: string;
  let url: string;

  before(async () => {
    server = await PostgresReader.start();
    direct = await server.createDatabase();
    ground = await SourceGround.open(direct);
    await ground.run(
      `create function public.told(i int) returns text language plpgsql as $$ begin
        if i % 10 = 0 then raise notice 'row %', i; end if;
        if i = 301 then raise exception 'secret %', i using errcode = '57014'; end if;
        return 'q"uo,te ' || i; end $$`,
      'create view told as select i as id, public.told(i) as note from generate_series(1, 300) i',
      'create view cut as select i as id, public.told(i) as note from generate_series(1, 400) i',
      "create view many as select i as id, timestamp '2026-01-31' as at from generate_series(1, 300000) i",
      "create view cells as select * from (values (1, null, ''), (2, 'NULL', 'a;b'), (3, 'null', E'x\\ny')) as v(id, a, b)",
    );
    path = `${new URL(direct).searchParams.get('host')}/.s.PGSQL.5432`;
    proxy = await between(path, chop);
    url = addressBy(proxy, direct);
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
    const csv = { as: 'csv', text: 'plain', delimiter: ';', nullText: 'NULL' } as const;
    const members = ['{"b":', ',"a":'].map((head) => ({ head, is: 'string' }) as const);
    const json = { as: 'json', members, after: ',' } as const;
    const written = async (rows: LiveTarget['rows']) => {
      const { path } = ground.target('plain');
      await reader.lanes[0]?.copy({ columns: ['b', 'a'], where: 'id < 3', piece: null }, { path, rows });
      return readFileSync(path, 'utf8');
    };
    assert.equal(await written(csv), ';NULL\n"a;b";"NULL"\n');
    assert.equal(await written(json), '{"b":"","a":null},\n{"b":"a;b","a":"NULL"},\n');
    assert.equal(await written(csv), ';NULL\n"a;b";"NULL"\n');
  });

  it('ends well wherever its end is cut, and not before all has come', async () => {
    const tail = ['d....', '..', '....a;b', '....2222', 'd....', '..', 'c....', 'C....', 'COPY 1\0', READY].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    const pending = { is: true };
    const cut: Cut = { bytes: 0, reached: () => assert.ok(pending.is, `given back ${cut.bytes} bytes too early`) };
    const cutting = await between(path, cutBy(cut));
    const shape = await ground.describe('cells');
    await using reader = await ground.open(shape, { more: { url: addressBy(cutting, direct) } });
    for (cut.bytes = 1; cut.bytes <= tail; cut.bytes++) {
      pending.is = true;
      const target = ground.target('plain');
      const copied = reader.lanes[0]?.copy({ columns: ['b', 'id'], where: 'id = 2', piece: null }, target);
      assert.equal(
        await copied?.finally(() => {
          pending.is = false;
        }),
        1,
      );
      assert.equal(readFileSync(target.path, 'utf8'), 'a;b,2\n');
    }
    assert.equal(await reader.count({ columns: [], ...EVERY }), 3);
    cutting.close();
  });

  const unlike: [what: string, change: (answer: Buffer) => Uint8Array][] = [
    ['another number of rows', (answer) => answer.with(answer.indexOf('COPY 1') + 5, 50)],
    ['another number of cells', (answer) => answer.with(answer.indexOf('a;b') - 5, 3)],
    ['a value that does not end', (answer) => answer.with(answer.indexOf('a;b') - 1, 30)],
  ];
  for (const [what, change] of unlike) {
    it(`refuses rows of ${what}`, async (context) => {
      const changing = await between(path, async (database, client) => {
        for await (const bytes of database) client.write(bytes.includes('a;b') ? change(bytes) : bytes);
        client.end();
      });
      context.after(() => changing.close());
      const shape = await ground.describe('cells');
      await using reader = await ground.open(shape, { more: { url: addressBy(changing, direct) } });
      const members = ['{"b":', ',"id":'].map((head) => ({ head, is: 'string' }) as const);
      const target = { path: ground.target('plain').path, rows: { as: 'json', members, after: '' } } as const;
      const copied = reader.lanes[0]?.copy({ columns: ['b', 'id'], where: 'id = 2', piece: null }, target);
      await assert.rejects(copied ?? Promise.resolve(), { code: 'source.refused', message: /than PostgreSQL does/ });
    });
  }

  it('waits for a file that has no room', async () => {
    const shape = await ground.describe('many');
    await using reader = await ground.open(shape);
    const target = ground.target('plain');
    const copied = reader.lanes[0]?.copy({ columns: ['id', 'at'], ...EVERY }, target);
    while (!existsSync(target.path)) await nextTurn();
    await busyThreads();
    assert.equal(await copied, 300_000);
    const expected = Array.from({ length: 300_000 }, (_, at) => `${at + 1},2026-01-31T00:00:00.000000\n`).join('');
    assert.ok(readFileSync(target.path, 'utf8') === expected);
  });
});
