import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { ColumnType } from '../src/column/type.ts';
import type { LiveReader, SourceShape } from '../src/source/source.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { SourceGround } from './source-ground.ts';

const EVERY = { where: null, piece: null };

/** Rows that fill a page each, so that few make many pages. */
const WIDE = "i as id, repeat('x', 5000) as filler";

describe('a table of PostgreSQL', { skip: whyNoPostgres() }, () => {
  let server: PostgresReader;
  let ground: SourceGround;

  before(async () => {
    server = await PostgresReader.start();
    ground = await SourceGround.open(await server.createDatabase());
    await ground.run(
      'create table pages (id int not null, filler text)',
      'alter table pages alter filler set storage plain',
      `insert into pages select ${WIDE} from generate_series(1, 5000) i`,
      'create view endless as select count(*) as n from generate_series(1, 1000000) a cross join generate_series(1, 1000000) b',
      'create view trickle as select i as id, pg_sleep(0.001)::text as slept from generate_series(1, 1000000) i',
    );
  });
  after(async () => {
    await ground?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  /** Ends when as many statements of this kind run as are wanted. */
  const untilRunning = async (pattern: string, wanted: number): Promise<void> => {
    const sql = `select count(*)::int from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query ilike '${pattern}'`;
    while ((await ground.value(sql)) !== wanted) await ground.run('select pg_sleep(0.01)');
  };
  const idsIn = (paths: readonly string[]) =>
    paths.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^"?(\d+)/gm)].map(([, id]) => Number(id)));
  const copyOne = (reader: LiveReader, shape: SourceShape, text: 'landed' | 'plain' = 'landed') =>
    reader.lanes[0]?.copy({ columns: shape.columns.map(({ name }) => name), ...EVERY }, ground.target(text));

  it('reads every row of one moment once, over two connections, while others write', async () => {
    const shape = await ground.describe('pages');
    assert.equal(shape.pieces.length, 3);
    await ground.run(`insert into pages select ${WIDE} from generate_series(5001, 6000) i`);
    await using reader = await ground.open(shape);
    assert.equal(reader.lanes.length, 2);
    await ground.run(
      `insert into pages select ${WIDE} from generate_series(6001, 6500) i`,
      'update pages set id = -id where id % 3 = 0',
      'delete from pages where id % 5 = 0',
    );
    const { rows, paths } = await ground.copyAll(reader, shape, 'landed');
    assert.equal(rows, 6000);
    assert.deepEqual(
      idsIn(paths).sort((left, right) => left - right),
      Array.from({ length: 6000 }, (_, at) => at + 1),
    );
    assert.equal(await reader.count({ columns: [], ...EVERY }), 6000);
    assert.equal(await reader.count({ columns: [], where: 'id <= 10', piece: null }), 10);
  });

  it('is gone from the server within a second of a cancel, whatever it was at', async () => {
    const [endless, trickle] = [await ground.describe('endless'), await ground.describe('trickle')];
    const cancel = new AbortController();
    await using counting = await ground.open(endless, { signal: cancel.signal });
    await using copying = await ground.open(trickle, { signal: cancel.signal });
    const waits = [
      counting.count({ columns: [], ...EVERY }),
      ...copying.lanes.map((lane) => lane.copy({ columns: ['id', 'slept'], ...EVERY }, ground.target('plain'))),
    ].map((each) => assert.rejects(each, { code: 'run.cancelled' }));
    await untilRunning('copy%trickle%', 2);
    await untilRunning('%count(*)%endless%', 1);
    cancel.abort();
    await Promise.all(waits);
    await untilRunning('%', 0);
    await assert.rejects(counting.count({ columns: [], ...EVERY }), { code: 'run.cancelled' });
  });

  it('gives up a statement that brings nothing', async () => {
    const shape = await ground.describe('endless');
    await using reader = await ground.open(shape, { stallMs: 300 });
    await assert.rejects(reader.count({ columns: [], ...EVERY }), { code: 'source.busy' });
    await untilRunning('%endless%', 0);
  });

  it('notices what became of the table', async () => {
    await ground.run('create table changing (id int)', 'create role guest login', 'grant select on changing to guest');
    const guest = { url: ground.url.replace('reader@', 'guest@') };
    const shape = await ground.describe('changing', guest);
    await (await ground.open(shape, { more: guest }))[Symbol.asyncDispose]();
    await ground.run('revoke select on changing from guest');
    await assert.rejects(ground.open(shape, { more: guest }), { code: 'source.refused' });
    await assert.rejects(ground.describe('changing', guest), { code: 'source.refused' });
    await ground.run('alter table changing alter id type bigint');
    await assert.rejects(ground.open(shape), { code: 'source.changed' });
    await ground.run('drop table changing');
    await assert.rejects(ground.open(shape), { code: 'source.changed' });
    await assert.rejects(ground.describe('changing'), { code: 'request.invalid', pointer: '/table' });
  });

  it('reads a table of which some columns are granted', async () => {
    await ground.run(
      'create table partial (id int, secret text)',
      "insert into partial values (1, 's')",
      'create role part login',
      'grant select (id) on partial to part',
    );
    const part = { url: ground.url.replace('reader@', 'part@') };
    const shape = await ground.describe('partial', part);
    await using reader = await ground.open(shape, { more: part });
    const [piece = null] = shape.pieces;
    assert.equal(await reader.lanes[0]?.copy({ columns: ['id'], where: null, piece }, ground.target('plain')), 1);
    await assert.rejects(copyOne(reader, shape) ?? Promise.resolve(), { code: 'source.refused' });
  });

  it('waits for a lock no longer than it may', async () => {
    const shape = await ground.describe('pages');
    await ground.run('begin', 'lock table pages in access exclusive mode');
    await assert.rejects(ground.open(shape, { lockTimeoutMs: 50 }), { code: 'source.busy' });
    await ground.run('rollback');
  });

  it('fails when the server does in the middle, and when it is ended', async () => {
    await ground.run('create view failing as select i as id, 1 / (100000 - i) as x from generate_series(1, 200000) i');
    const shape = await ground.describe('failing');
    await using reader = await ground.open(shape);
    await assert.rejects(copyOne(reader, shape) ?? Promise.resolve(), (error: Error) => {
      assert.equal('code' in error && error.code, 'source.refused');
      assert.doesNotMatch(error.message, /division|select/);
      return true;
    });
    const slow = await ground.describe('trickle');
    await using ended = await ground.open(slow);
    const copy = assert.rejects(copyOne(ended, slow) ?? Promise.resolve(), { code: 'source.unreachable' });
    await untilRunning('copy%trickle%', 1);
    await ground.run(
      "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%trickle%' and pid <> pg_backend_pid()",
    );
    await copy;
  });

  it('tells who cannot be reached and who is not let in', async () => {
    const at = (url: string) => ground.describe('pages', { url });
    await assert.rejects(at('postgresql://reader@localhost/x?host=%2Fnowhere'), { code: 'source.unreachable' });
    await assert.rejects(at('postgresql://reader@127.0.0.1:1/x'), { code: 'source.unreachable' });
    await assert.rejects(at(ground.url.replace(/\/database_\d+/, '/missing')), { code: 'source.refused' });
    await assert.rejects(at(ground.url.replace('reader@', 'nobody@')), { code: 'source.refused' });
    await assert.rejects(at(`${ground.url}&sslmode=prefer`), { code: 'request.invalid' });
    await assert.rejects(at(`${ground.url}&sslmode=require`), { code: 'source.refused' });
  });

  it('takes any name, and every kind of relation', async () => {
    await ground.run(
      'create schema "my.schema"',
      'create table "my.schema"."a ""b"" .c" (id int primary key)',
      'create table parted (id int) partition by range (id)',
      'create table low partition of parted for values from (0) to (1000)',
      'create table high partition of parted for values from (1000) to (3000)',
      'insert into parted select i from generate_series(0, 2999) i',
      'create materialized view stored as select * from parted',
      'create domain positive as numeric(10, 2) not null check (value > 0)',
      'create type pair as (a int, b text)',
      'create table typed (id positive, pair pair, pairs pair[], char char(4), many int[], free numeric, gap interval)',
      `insert into typed values (1.5, row(1, 'x'), array[row(2, 'y')::pair], 'ab', '{1,2}', 1.10, '1 day')`,
    );
    const quoted = await ground.describe('"my.schema"."a ""b"" .c"');
    assert.deepEqual(
      quoted.columns.map(({ nullable }) => nullable),
      [false],
    );
    for (const table of ['parted', 'stored', 'public.parted']) {
      const shape = await ground.describe(table);
      await using reader = await ground.open(shape);
      const { paths } = await ground.copyAll(reader, shape, 'plain');
      assert.equal(new Set(idsIn(paths)).size, 3000, table);
    }
    const typed = await ground.describe('typed');
    assert.deepEqual(
      typed.columns.map(({ type }) => type.is),
      ['decimal', 'json', 'json', 'text', 'list', 'text', 'text'],
    );
    assert.equal(typed.columns[0]?.nullable, false);
    const texts = await ground
      .texts({ ...typed, columns: typed.columns.map((each) => each) }, 'landed')
      .catch(() => null);
    assert.equal(texts?.get('char')?.[0], 'ab  ');
    assert.equal(texts?.get('pairs')?.[0], '[{"a":2,"b":"y"}]');
    await assert.rejects(ground.describe('typed_id'), { code: 'request.invalid' });
  });

  it('refuses values that are not of the type, rather than to change them', async () => {
    await ground.run(
      'create table odd (id int, deep int[], digits numeric, bounded numeric(8, 2))',
      "insert into odd values (1, '{{1,2},{3,4}}', 1.234, 'NaN')",
    );
    const declared = (name: string, type: ColumnType) => ground.describe('odd', {}, { [name]: type });
    const read = async (name: string, shape: SourceShape, text: 'landed' | 'plain') => {
      await using reader = await ground.open(shape);
      return await reader.lanes[0]?.copy({ columns: [name], ...EVERY }, ground.target(text));
    };
    const natural = await ground.describe('odd');
    await assert.rejects(read('deep', natural, 'landed'), { code: 'value.refused' });
    await assert.rejects(read('bounded', natural, 'plain'), { code: 'value.refused' });
    const two = await declared('digits', { is: 'decimal', precision: 8, scale: 2 });
    await assert.rejects(read('digits', two, 'landed'), { code: 'value.refused' });
    const whole = await declared('digits', { is: 'integer', bits: 64 });
    await assert.rejects(read('digits', whole, 'landed'), { code: 'value.refused' });
    assert.equal(
      await read('digits', await declared('digits', { is: 'decimal', precision: 8, scale: 3 }), 'landed'),
      1,
    );
    await assert.rejects(declared('none', { is: 'text' }), { code: 'request.invalid', pointer: '/types/none' });
  });

  it('reads declared types from the text', async () => {
    await ground.run(
      'create table declared (id int, moment timestamp, digits text, tree text, flag bool)',
      "insert into declared values (1, '2026-01-31 12:00:00', '12', '{\"a\": 1.10}', true)",
    );
    const types: Record<string, ColumnType> = {
      moment: { is: 'instant', unit: 'ms' },
      digits: { is: 'integer', bits: 64 },
      tree: { is: 'json' },
      flag: { is: 'text' },
    };
    const shape = await ground.describe('declared', {}, types);
    const texts = await ground.texts(shape, 'landed');
    assert.deepEqual([...texts.values()].flat(), ['1', '2026-01-31T12:00:00.000000Z', '12', '{"a": 1.10}', 't']);
    assert.deepEqual(
      shape.live?.columns.map(({ plain }) => plain !== null),
      [true, false, false, false, true],
    );
    assert.deepEqual(
      shape.live?.columns.map(({ natural }) => natural),
      ['int4', null, null, null, null],
    );
  });

  it('carries cells of megabytes', async () => {
    await ground.run(
      'create table long (id int, cell text)',
      `insert into long select i, repeat('a"b,', 700000 + i) from generate_series(1, 5) i`,
    );
    const shape = await ground.describe('long');
    await using reader = await ground.open(shape);
    const target = ground.target('plain');
    assert.equal(await reader.lanes[1]?.copy({ columns: ['id', 'cell'], ...EVERY }, target), 5);
    const expected = [1, 2, 3, 4, 5].map((id) => `${id},"${'a""b,'.repeat(700000 + id)}"\n`).join('');
    assert.ok(readFileSync(target.path, 'utf8') === expected);
    await assert.rejects(reader.lanes[0]?.copy({ columns: ['id'], ...EVERY }, target) ?? Promise.resolve(), {
      code: 'EEXIST',
    });
  });

  it('leaves texts of no known encoding to the engine', async () => {
    await ground.run("create database ascii encoding 'SQL_ASCII' template template0 locale 'C'");
    const shape = await ground.describe('pg_catalog.pg_class', { url: ground.url.replace(/database_\d+/, 'ascii') });
    const live = shape.live?.columns.find(({ name }) => name === 'relname');
    assert.deepEqual([live?.plain, live?.natural], [null, null]);
  });
});

describe('a server that dies', { skip: whyNoPostgres() }, () => {
  it('is told from one that fails, and is left within a second', async () => {
    const server = await PostgresReader.start();
    const ground = await SourceGround.open(await server.createDatabase());
    await ground.run(
      'create view trickle as select i as id, repeat(md5(i::text), 100) as filler from generate_series(1, 10000000) i',
    );
    const shape = await ground.describe('trickle');
    const reader = await ground.open(shape);
    const copies = reader.lanes.map((lane) =>
      assert.rejects(lane.copy({ columns: ['id', 'filler'], ...EVERY }, ground.target('plain')), {
        code: 'source.unreachable',
      }),
    );
    await ground.run('select pg_sleep(0.2)');
    await server[Symbol.asyncDispose]();
    await Promise.all(copies);
    await assert.rejects(reader.count({ columns: [], ...EVERY }), { code: 'source.unreachable' });
    await reader[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });
});
