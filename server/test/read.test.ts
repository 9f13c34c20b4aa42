import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { openLog } from '../src/base/log.ts';
import { type Config, configSchema } from '../src/job/config.ts';
import { type CountAsk, type ReadAsk, Reads, type ReadsGround } from '../src/read/reads.ts';
import { Catalog } from '../src/run/catalog.ts';
import { Pool } from '../src/run/pool.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { SourceGround } from './source-ground.ts';

const LIMITS = { threads: 1, memoryBytes: 300 * 1024 * 1024 };
const ACME = { is: 'tenant', tenant: 'acme' } as const;
const GLOBEX = { is: 'tenant', tenant: 'globex' } as const;

/** Datasets over files of its own folder, and what reads them. */
class ReadGround implements AsyncDisposable {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-read-')));
  readonly #reads: Reads[] = [];
  #catalog: Catalog | null = null;

  async load(datasets: Config['datasets']): Promise<void> {
    this.#catalog = new Catalog({ config: configSchema.parse({ datasets }), folder: this.folder, limits: LIMITS });
    await using pool = new Pool(LIMITS.threads, LIMITS.memoryBytes);
    assert.deepEqual([...(await this.#catalog.load(pool))], []);
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get stages(): string[] {
    const folder = join(this.dataFolder, 'reads');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  open(caps: ReadsGround['caps'] = {}, memoryBytes = LIMITS.memoryBytes): Reads {
    const { dataFolder } = this;
    if (!this.#catalog) throw new Error('Nothing is loaded.');
    const reads = new Reads({ catalog: this.#catalog, dataFolder, memoryBytes, log: openLog('silent'), caps });
    this.#reads.push(reads);
    return reads;
  }

  /** A Parquet file of what the select gives. */
  async write(name: string, select: string): Promise<void> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run("set TimeZone = 'UTC'");
    await connection.run(`copy (${select}) to '${join(this.folder, name)}' (format parquet)`);
    connection.closeSync();
    instance.closeSync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reads of this.#reads) await reads[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Rows 0 … n - 1, even ones acme's; `amount` has every value five times for each tenant. */
const rowsSql = (
  rows: number,
  first = 0,
) => `select i as id, ['acme', 'globex'][1 + i % 2] as tenant, i // 10 as amount,
  case when i % 3 = 0 then null else 'note ' || i end as note, 9007199254740993 + i as big,
  make_timestamptz(1767225600000000 + i) as at, '{"n": 1.10, "deep": [9007199254740993]}'::json as data,
  case when i = 0 then 'NaN'::double else i / 4 end as share, 12345678901234.5678::decimal(18,4) as price
  from range(${first}, ${first + rows}) numbers(i)`;

const OF_TENANTS = { key: ['id'], tenancy: { column: 'tenant' } };

/** Children of this process, by id. */
function children(): string[] {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
}

describe('a read of files', () => {
  const ground = new ReadGround();
  let reads: Reads;

  before(async () => {
    await ground.write('events.parquet', rowsSql(200));
    await ground.write('many.parquet', rowsSql(24_000));
    for (const part of [0, 1]) await ground.write(`part-${part}.parquet`, rowsSql(100, part * 100));
    await ground.write('passing.parquet', rowsSql(1));
    const lines = ['id,tenant,note', '1,acme,', '2,acme,"two', 'lines"', '3,globex,', '4,acme,x', ''];
    writeFileSync(join(ground.folder, 'text.csv'), lines.join('\n'));
    const at = (files: string) => ({ source: { type: 'duckdb', files } as const, ...OF_TENANTS });
    await ground.load({
      events: at('events.parquet'),
      many: at('many.parquet'),
      parts: at('part-*.parquet'),
      passing: at('passing.parquet'),
      keyless: { source: { type: 'duckdb', files: 'events.parquet' }, tenancy: { column: 'tenant' } },
      shared: { source: { type: 'duckdb', files: 'events.parquet' }, key: ['id'], tenancy: 'shared' },
      text: at('text.csv'),
    });
    // What a server that was killed left.
    mkdirSync(join(ground.dataFolder, 'reads', 'left', 'files'), { recursive: true });
    writeFileSync(join(ground.dataFolder, 'reads', 'left', 'files', 'rows.jsonl'), '{}\n');
    reads = ground.open();
  });
  after(() => ground[Symbol.asyncDispose]());

  const ids = async (ask: Omit<ReadAsk, 'scope'> & Partial<ReadAsk>) =>
    (await reads.read({ scope: ACME, columns: ['id'], ...ask })).map(({ id }) => id);

  it('gives values as the formats write them', async () => {
    const [first, , third] = await reads.read({ dataset: 'events', scope: ACME, limit: 3 });
    const common = { data: { n: 1.1, deep: ['9007199254740993'] }, price: '12345678901234.5678' };
    assert.deepEqual(first, {
      ...{ id: 0, amount: 0, note: null, big: '9007199254740993', at: '2026-01-01T00:00:00.000000Z', share: null },
      ...common,
    });
    assert.deepEqual(third, {
      ...{ id: 4, amount: 0, note: 'note 4', big: '9007199254740997', at: '2026-01-01T00:00:00.000004Z', share: 1 },
      ...common,
    });
    assert.deepEqual(Object.keys(first ?? {}), ['id', 'amount', 'note', 'big', 'at', 'data', 'share', 'price']);
  });

  it('gives the first rows of the order, completed by the key, and no more than there are', async () => {
    assert.deepEqual(await ids({ dataset: 'events', limit: 4 }), [0, 2, 4, 6]);
    assert.deepEqual(
      await ids({ dataset: 'events', limit: 7, order: ['-amount'] }),
      [190, 192, 194, 196, 198, 180, 182],
    );
    assert.deepEqual(await ids({ dataset: 'events', limit: 2, order: ['-note', '-id'] }), [98, 94]);
    assert.equal((await ids({ dataset: 'events', limit: 500 })).length, 100);
    assert.deepEqual(await ids({ dataset: 'events', limit: 5, filter: { id: { lt: 0 } } }), []);
  });

  it('keeps to the filter', async () => {
    const filter = { and: [{ id: { gte: 100 } }, { note: { exists: false } }] };
    assert.deepEqual(await ids({ dataset: 'events', limit: 3, filter }), [102, 108, 114]);
  });

  it('refuses what takes more memory than it has', async () => {
    const small = ground.open({}, 2 * 1024 * 1024);
    const ask = { dataset: 'many', scope: ACME, limit: 10_000, order: ['note'] };
    await assert.rejects(small.read(ask), { code: 'source.refused', message: /memory/ });
  });

  it('takes every file of a dataset for one', async () => {
    assert.deepEqual(await ids({ dataset: 'parts', limit: 3, order: ['-id'] }), [198, 196, 194]);
    assert.deepEqual(await ids({ dataset: 'parts', limit: 4, filter: { id: { gte: 96 } } }), [96, 98, 100, 102]);
  });

  it('gives as many rows as may be asked for, in order', async () => {
    const all = await ids({ dataset: 'many', limit: 10_000 });
    assert.deepEqual(
      all,
      Array.from({ length: 10_000 }, (_, at) => at * 2),
    );
  });

  it('counts rows, as many as there are', async () => {
    const count = (ask: Partial<CountAsk>) => reads.count({ dataset: 'events', scope: ACME, ...ask });
    assert.equal(await count({ dataset: 'many' }), 12_000);
    assert.equal(await count({ dataset: 'many', filter: { id: { gte: 100 } } }), 11_950);
    assert.equal(await count({ dataset: 'parts', scope: GLOBEX, filter: { note: { exists: false } } }), 33);
    assert.equal(await count({ filter: { id: { lt: 0 } } }), 0);
    assert.equal(await count({ scope: { is: 'tenant', tenant: 'nobody' } }), 0);
    assert.equal(await count({ dataset: 'keyless' }), 100);
    assert.equal(await count({ dataset: 'text' }), 3);
    assert.equal(await count({ dataset: 'text', filter: { note: { contains: 'two' } } }), 1);
    await assert.rejects(count({ filter: { tenant: { eq: 'globex' } } }), { pointer: '/filter/tenant' });
    await assert.rejects(count({ scope: { is: 'shared' } }), { code: 'auth.forbidden' });
    assert.deepEqual(ground.stages, []);
  });

  it('shows a tenant its own rows alone, and all of shared data to everybody', async () => {
    const asks = [{}, { filter: { not: { id: { eq: 0 } } } }, { order: ['-amount'] }, { columns: ['note', 'id'] }];
    for (const ask of asks) {
      const rows = await reads.read({ dataset: 'events', scope: GLOBEX, limit: 1000, ...ask });
      assert.equal(rows.length, 100);
      assert.ok(rows.every(({ id }) => Number(id) % 2 === 1));
    }
    assert.deepEqual(await reads.read({ dataset: 'events', scope: { is: 'tenant', tenant: 'nobody' }, limit: 9 }), []);
    await assert.rejects(reads.read({ dataset: 'events', scope: { is: 'shared' }, limit: 9 }), {
      code: 'auth.forbidden',
    });
    assert.equal((await ids({ dataset: 'shared', scope: { is: 'shared' }, limit: 1000 })).length, 200);
  });

  it('refuses what cannot be asked', async () => {
    const refused = async (ask: Partial<ReadAsk>, wanted: object) =>
      assert.rejects(reads.read({ dataset: 'events', scope: ACME, limit: 5, ...ask }), wanted);
    await refused({ limit: 0 }, { code: 'request.invalid', pointer: '/limit' });
    await refused({ dataset: 'keyless' }, { code: 'request.invalid', pointer: '/limit' });
    await refused({ columns: ['tenant'] }, { code: 'request.invalid', pointer: '/columns/0' });
    await refused({ filter: { tenant: { eq: 'globex' } } }, { code: 'request.invalid', pointer: '/filter/tenant' });
    await refused({ order: ['nothere'] }, { code: 'request.invalid', pointer: '/order/0' });
    await refused({ dataset: 'nothere' }, { code: 'dataset.unknown' });
    await refused({ limit: 10_001 }, { name: 'Error', message: /10000 rows at most/ });
  });

  it('refuses an answer of too many bytes', async () => {
    const small = ground.open({ bytes: 10_000 });
    const tooMany = small.read({ dataset: 'events', scope: ACME, limit: 100 });
    await assert.rejects(tooMany, { code: 'source.refused', message: /too much to look up.*10000 bytes/ });
    assert.equal((await small.read({ dataset: 'events', scope: ACME, limit: 5 })).length, 5);
    assert.deepEqual(ground.stages, []);
  });

  it('leaves nothing behind, nor what another left', async () => {
    await ids({ dataset: 'events', limit: 1 });
    assert.deepEqual(ground.stages, []);
  });

  it('sees a file that was written again at once, and says no path of one that is gone', async () => {
    assert.deepEqual(await ids({ dataset: 'passing', limit: 9 }), [0]);
    await ground.write('passing.parquet', rowsSql(8));
    assert.deepEqual(await ids({ dataset: 'passing', limit: 9 }), [0, 2, 4, 6]);
    rmSync(join(ground.folder, 'passing.parquet'));
    await assert.rejects(ids({ dataset: 'passing', limit: 9 }), {
      code: 'source.unreachable',
      message: "The dataset's source is not there.",
    });
    await ground.write('passing.parquet', rowsSql(2));
    assert.deepEqual(await ids({ dataset: 'passing', limit: 9 }), [0]);
  });
});

describe('a remembered read', () => {
  const ground = new ReadGround();
  let reads: Reads;

  before(async () => {
    await ground.write('events.parquet', rowsSql(20));
    await ground.load({ events: { source: { type: 'duckdb', files: 'events.parquet' }, ...OF_TENANTS } });
    reads = ground.open();
  });
  after(() => ground[Symbol.asyncDispose]());

  const LONG = { dataset: 'events', scope: ACME, limit: 100, forMs: 600_000 };

  it('asks once for equal questions, at once and later, and anew for any other', async () => {
    const [first, second] = await Promise.all([
      reads.remembered({ ...LONG, filter: { id: { gte: 2, lt: 9 } } }),
      reads.remembered({ ...LONG, filter: { id: { lt: 9, gte: 2 } } }),
    ]);
    assert.equal(first, second);
    assert.deepEqual(
      first?.map(({ id }) => id),
      [2, 4, 6, 8],
    );
    assert.equal(await reads.remembered({ ...LONG, filter: { id: { gte: 2, lt: 9 } } }), first);
    const others = [{ scope: GLOBEX }, { columns: ['id'] }, { limit: 99 }, { order: ['-id'] }, { forMs: 600_001 }];
    const answers = await Promise.all([{}, ...others].map((each) => reads.remembered({ ...LONG, ...each })));
    assert.equal(new Set(answers).size, answers.length);
    assert.deepEqual(
      answers[1]?.map(({ id }) => id),
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19],
    );
  });

  it('gives what nobody can change', async () => {
    const [row] = await reads.remembered(LONG);
    const data = row?.data as { readonly deep: unknown };
    for (const each of [row, data, data.deep]) assert.ok(Object.isFrozen(each));
  });

  it('gives the answer it remembers until its time is over', async () => {
    const before = await reads.remembered({ ...LONG, columns: ['id', 'note'] });
    await ground.write('events.parquet', rowsSql(30));
    assert.equal(await reads.remembered({ ...LONG, columns: ['id', 'note'] }), before);
    const soon = { ...LONG, columns: ['id'], forMs: 1 };
    const answer = await reads.remembered(soon);
    let other = answer;
    while (other === answer) {
      await nextTurn();
      other = await reads.remembered(soon);
    }
    assert.deepEqual(other, answer);
    assert.equal(answer.length, 15);
  });

  it('remembers no failure', async () => {
    rmSync(join(ground.folder, 'events.parquet'));
    const ask = { ...LONG, columns: ['big'] };
    await assert.rejects(reads.remembered(ask), { code: 'source.unreachable' });
    await ground.write('events.parquet', rowsSql(4));
    assert.equal((await reads.remembered(ask)).length, 2);
  });
});

describe('a read of PostgreSQL', { skip: whyNoPostgres() }, () => {
  const ground = new ReadGround();
  let server: PostgresReader;
  let tables: SourceGround;
  /** For tests that start and end no process. */
  let reads: Reads;

  before(async () => {
    server = await PostgresReader.start();
    tables = await SourceGround.open(await server.createDatabase());
    const select = `select i as id, (array['acme', 'globex'])[1 + i % 2] as tenant, i / 10 as amount,
      case when i % 3 = 0 then null else 'note ' || i end as note, 9007199254740993 + i as big,
      to_timestamp(1767225600 + i) as at, '{"n": 1.10}'::json as data from generate_series(0, 199) i`;
    await tables.run(`create table events as ${select}`, `create table altered as ${select}`);
    // What cannot be read stands behind the first rows in every order but one; nothing vouches for the view's keys.
    await tables.run(
      `create table costs (id int, part text collate "C", tenant text not null, note text, cost numeric(10,2), primary key (id, part))`,
      `insert into costs select i, 'Ä', 'acme', case when i > 8 then 'z' when i % 2 = 0 then 'B' when i < 8 then 'a' end,
        case when i > 8 then 'NaN'::numeric else i end from generate_series(0, 20) i`,
      `create view sparse as select case when id = 3 then null else id end as id, part, tenant, note, cost from costs`,
    );
    const at = (table: string) => ({ source: { type: 'postgres', url: tables.url, table } as const, ...OF_TENANTS });
    const [costs, sparse] = ['costs', 'sparse'].map((table) => ({ ...at(table), key: ['id', 'part'] }));
    assert.ok(costs && sparse);
    await ground.load({ events: at('events'), altered: at('altered'), costs, sparse });
    reads = ground.open();
  });
  after(async () => {
    await ground[Symbol.asyncDispose]();
    await tables?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const ASK = { dataset: 'events', scope: ACME, limit: 3 } as const;
  const ids = async (from: Reads, ask: Partial<ReadAsk>) => (await from.read({ ...ASK, ...ask })).map(({ id }) => id);
  const lock = () => tables.run('begin', 'lock table events in access exclusive mode');
  const unlock = () => tables.run('rollback');

  it('gives rows, order, limit and filter like a read of files', async () => {
    const [, second] = await reads.read(ASK);
    const values = { id: 2, amount: 0, note: 'note 2', big: '9007199254740995', at: '2026-01-01T00:00:02.000000Z' };
    assert.deepEqual(second, { ...values, data: { n: 1.1 } });
    assert.deepEqual(await ids(reads, { order: ['-amount'], limit: 6 }), [190, 192, 194, 196, 198, 180]);
    assert.deepEqual(await ids(reads, { filter: { note: { exists: false } } }), [0, 6, 12]);
    // The database is not asked for a match itself, so more rows land than are given.
    assert.deepEqual(await ids(reads, { filter: { note: { matches: '^note .*8$' } } }), [8, 28, 38]);
    assert.deepEqual(await ids(reads, { scope: GLOBEX, order: ['-id'] }), [199, 197, 195]);
    assert.equal((await ids(reads, { limit: 1000 })).length, 100);
    assert.deepEqual(ground.stages, []);
  });

  it('reads no more than the first rows, where the database orders them as the engine does', async () => {
    const costs = (ask: Partial<ReadAsk>) => ids(reads, { dataset: 'costs', ...ask });
    assert.deepEqual(await costs({}), [0, 1, 2]);
    assert.deepEqual(await costs({ order: ['note', '-id'], limit: 7 }), [8, 6, 4, 2, 0, 7, 5]);
    assert.deepEqual(await costs({ filter: { id: { gte: 2, in: [1, 3, 4] } } }), [3, 4]);
    // Rows whose key has NULL come, wherever they stand in the order.
    assert.deepEqual(await ids(reads, { dataset: 'sparse', order: ['part', 'note'], limit: 7 }), [0, 2, 4, 6, 8, 1, 5]);
    assert.deepEqual(await ids(reads, { dataset: 'sparse', order: ['cost'], limit: 4 }), [0, 1, 2, null]);
    // A match is the engine's to tell, so what cannot be read is met.
    await assert.rejects(costs({ filter: { note: { matches: '.*' } } }), { code: 'value.refused' });
  });

  it('counts rows like a read of files', async () => {
    const count = (ask: Partial<CountAsk>) => reads.count({ dataset: 'events', scope: ACME, ...ask });
    assert.equal(await count({}), 100);
    assert.equal(await count({ scope: GLOBEX, filter: { id: { gt: 100 } } }), 50);
    assert.equal(await count({ filter: { note: { matches: '^note .*8$' } } }), 13);
    assert.equal(await count({ filter: { id: { lt: 0 } } }), 0);
    assert.deepEqual(ground.stages, []);
    await lock();
    await assert.rejects(ground.open({ timeMs: 1500 }).count({ dataset: 'events', scope: ACME }), {
      code: 'source.busy',
      retryAfterMs: 5000,
    });
    await unlock();
  });

  it('describes a table anew that was changed', async () => {
    assert.deepEqual(await ids(reads, { dataset: 'altered' }), [0, 2, 4]);
    await tables.run('alter table altered add more int default 7', 'delete from altered where id = 0');
    const [row] = await reads.read({ ...ASK, dataset: 'altered' });
    assert.deepEqual([row?.id, row?.more], [2, 7]);
  });

  it('ends the process of a read that takes too long, before and after the table is described', async () => {
    const hasty = ground.open({ timeMs: 1500 });
    const before = children();
    await lock();
    await assert.rejects(hasty.read(ASK), { code: 'source.busy', retryAfterMs: 5000 });
    assert.deepEqual(children(), before);
    await unlock();
    const patient = ground.open({ timeMs: 1500 });
    while (!(await patient.read(ASK).catch(() => null)));
    await lock();
    await assert.rejects(patient.read(ASK), { code: 'source.busy', retryAfterMs: 5000 });
    assert.deepEqual(children(), before);
    await unlock();
    assert.deepEqual(ground.stages, []);
  });

  it('lets two through at a time and so many wait, and turns more away', async () => {
    const reads = ground.open({ waiting: 2 });
    const before = children().length;
    await lock();
    const asked = Array.from({ length: 4 }, (_, at) => ids(reads, { limit: 1 + at }));
    await assert.rejects(ids(reads, {}), { code: 'source.busy', retryAfterMs: 1000 });
    assert.equal(children().length, before + 2);
    await unlock();
    assert.deepEqual(await Promise.all(asked), [[0], [0, 2], [0, 2, 4], [0, 2, 4, 6]]);
    assert.equal(children().length, before + 2);
  });

  it('is answered again after its process was killed', async () => {
    const reads = ground.open();
    const others = new Set(children());
    assert.deepEqual(await ids(reads, {}), [0, 2, 4]);
    const [own] = children().filter((pid) => !others.has(pid));
    await lock();
    const asked = ids(reads, {});
    const failed = assert.rejects(asked, { code: 'internal' });
    while (ground.stages.length === 0) await tables.run('select 1');
    process.kill(Number(own), 'SIGKILL');
    await failed;
    await unlock();
    assert.deepEqual(ground.stages, []);
    assert.deepEqual(await ids(reads, {}), [0, 2, 4]);
  });

  it('ends with what read it', async () => {
    const before = children();
    const reads = ground.open();
    await lock();
    const asked = Array.from({ length: 5 }, (_, at) => reads.remembered({ ...ASK, limit: 1 + at, forMs: 1000 }));
    const failed = asked.map((each) => assert.rejects(each, { code: 'maintenance' }));
    while (children().length < before.length + 2) await tables.run('select 1');
    await reads[Symbol.asyncDispose]();
    await Promise.all(failed);
    await unlock();
    assert.deepEqual(children(), before);
    await assert.rejects(reads.read(ASK), { code: 'maintenance' });
    assert.deepEqual(ground.stages, []);
  });
});
