import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { STEPS } from '../src/run/execute.ts';
import type { Execution, OutputResult } from '../src/run/execution.ts';
import { openLive } from '../src/run/open.ts';
import type { OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import type { SourceOptions } from '../src/source/options.ts';
import { assertNothing, exportInto, type IntoHow, sumsIn } from './export-into.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { assertFull, whyNoSmallDisk } from './small-disk.ts';
import { SourceGround } from './source-ground.ts';
import { format, planOf } from './table-export.ts';

function output(type: string, more: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format({ type }), compression: { type: 'none' }, ...more };
}

/** The ways rows take: straight into their CSV or JSON, landed piece by piece, and landed all before anything is written. */
const WAYS = {
  straight: { outputs: [output('csv')] },
  'straight as JSON': { outputs: [output('jsonl', { compression: { type: 'gzip', level: 1 } })] },
  'landed by pieces': { outputs: [output('parquet')] },
  'landed at first': { order: ['-id'], outputs: [output('jsonl')] },
  'landed for two outputs': { outputs: [output('csv'), output('avro')] },
} satisfies Record<string, PlanAsk>;

const WAY_NAMES = Object.keys(WAYS) as (keyof typeof WAYS)[];

/** So slow that nothing ends by itself; counting does not look at the slow column. */
const SLOW = [
  "create function slow(int) returns text stable language plpgsql as $$ begin perform pg_catalog.pg_sleep(0.002); return 'x'; end $$",
  'create view trickle as select i as id, slow(i) as slept from generate_series(1, 100000) i',
];

/** A row fills half a page: 5000 rows are two pieces. */
const WIDE = "i as id, 'k' || i % 3 as kind, repeat('x', 3500) as filler";

class Ground implements AsyncDisposable {
  readonly server: PostgresReader;
  readonly tables: SourceGround;
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-faults-')));
  #count = 0;
  #isKilled = false;

  private constructor(server: PostgresReader, tables: SourceGround) {
    this.server = server;
    this.tables = tables;
  }

  static async open(): Promise<Ground> {
    const server = await PostgresReader.start();
    return new Ground(server, await SourceGround.open(await server.createDatabase()));
  }

  target(): string {
    return join(this.folder, `target-${++this.#count}`, 'out');
  }

  source(table: string, user = 'reader'): SourceOptions {
    return this.tables.options(table, { url: this.tables.url.replace('reader@', `${user}@`) });
  }

  async plan(ask: PlanAsk, source: SourceOptions): Promise<Plan> {
    return planOf({ source, key: ['id'] }, ask);
  }

  run(plan: Plan, source: SourceOptions, folder: string, how: IntoHow = {}): Promise<readonly OutputResult[]> {
    const signal = how.signal ?? new AbortController().signal;
    return exportInto(plan, folder, { ...how, signal, openLive: () => openLive(plan, source, signal) });
  }

  /** Ends once so many other connections are in a statement like this, or there at all. */
  async untilThere(wanted: number, query: string): Promise<void> {
    const sql = `select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and query ilike '${query}'`;
    while ((await this.tables.value(sql)) !== wanted) await this.tables.run('select pg_sleep(0.01)');
  }

  /** Ends the server at once. */
  async kill(): Promise<void> {
    if (!this.#isKilled) await this.server[Symbol.asyncDispose]();
    this.#isKilled = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tables[Symbol.asyncDispose]();
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}

describe('a run over a table of PostgreSQL that is disturbed', { skip: whyNoPostgres() }, () => {
  let ground: Ground;
  let count = 0;

  before(async () => {
    ground = await Ground.open();
    await ground.tables.run(
      ...SLOW,
      'create table given (id int primary key, kind text not null, filler text)',
      'alter table given alter filler set storage plain',
      `insert into given select ${WIDE} from generate_series(1, 5000) i`,
      'create role guest login',
    );
  });
  after(() => ground?.[Symbol.asyncDispose]());

  /** A table of its own like `given`, with fewer rows. */
  async function newTable(): Promise<string> {
    const name = `own_${++count}`;
    await ground.tables.run(
      `create table ${name} as select * from given where id <= 100`,
      `grant select on ${name} to guest`,
    );
    return name;
  }

  for (const way of WAY_NAMES) {
    test(`${way}: its connection is ended in the middle of reading`, async () => {
      const source = ground.source('trickle');
      const plan = await ground.plan(WAYS[way], source);
      const folder = ground.target();
      const nothing = assertNothing(ground.run(plan, source, folder), folder, 'source.unreachable');
      await ground.untilThere(1, 'copy%trickle%');
      await ground.tables.run(
        "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%trickle%' and pid <> pg_backend_pid()",
      );
      await nothing;
      await ground.untilThere(0, '%');
    });

    test(`${way}: cancelled in the middle of reading, no connection stays`, async () => {
      const source = ground.source('trickle');
      const plan = await ground.plan(WAYS[way], source);
      const folder = ground.target();
      const cancel = new AbortController();
      const running = ground.run(plan, source, folder, { signal: cancel.signal });
      const nothing = assertNothing(running, folder, 'run.cancelled');
      await ground.untilThere(1, 'copy%trickle%');
      cancel.abort();
      await nothing;
      await ground.untilThere(0, '%');
    });

    test(`${way}: others write, and it sees nothing of it`, async () => {
      const table = await newTable();
      await ground.tables.run(`insert into ${table} select ${WIDE} from generate_series(101, 5000) i`);
      const source = ground.source(table);
      const plan = await ground.plan(WAYS[way], source);
      const [expected, folder] = [ground.target(), ground.target()];
      await ground.run(plan, source, expected);
      let changes = 0;
      const change = async () => {
        if (changes++ > 1) return;
        await ground.tables.run(
          `insert into ${table} select ${WIDE} from generate_series(6001, 6100) i`,
          `update ${table} set id = -id, kind = 'changed' where id % 3 = 0`,
          `delete from ${table} where id % 5 = 0`,
        );
      };
      // Before a row is read, and behind the next step or segment.
      const steps = Object.values(STEPS).map((step) => async (execution: Execution) => {
        const done = await step(execution);
        await change();
        return done;
      });
      const results = await ground.run(plan, source, folder, { steps, segmentWritten: change });
      assert.ok(changes > 1);
      for (const { rowsPlanned, rowsRead, rowsWritten } of results)
        assert.deepEqual([rowsPlanned, rowsRead, rowsWritten], [5000, 5000, 5000]);
      assert.deepEqual(sumsIn(folder), sumsIn(expected));
      await ground.untilThere(0, '%');
    });
  }

  const changes: Readonly<Record<string, (table: string) => string>> = {
    'a column was dropped': (table) => `alter table ${table} drop column kind`,
    'a column was renamed': (table) => `alter table ${table} rename column kind to sort`,
    'a column got another type': (table) => `alter table ${table} alter id type bigint`,
    'two columns changed their names': (table) =>
      `alter table ${table} rename kind to other; alter table ${table} rename filler to kind; alter table ${table} rename other to filler`,
    'the table was dropped': (table) => `drop table ${table}`,
    'the table was renamed': (table) => `alter table ${table} rename to ${table}_gone`,
    'the table became a view': (table) =>
      `alter table ${table} rename to ${table}_old; create view ${table} as select id::bigint as id, kind, filler from ${table}_old`,
  };
  for (const [what, change] of Object.entries(changes))
    test(`${what} after the plan was made`, async () => {
      for (const way of ['straight', 'landed at first'] as const) {
        const table = await newTable();
        const source = ground.source(table);
        const plan = await ground.plan(WAYS[way], source);
        await ground.tables.run(change(table));
        const folder = ground.target();
        await assertNothing(ground.run(plan, source, folder), folder, 'source.changed');
      }
    });

  test('the right to read was taken away after the plan was made', async () => {
    const table = await newTable();
    const source = ground.source(table, 'guest');
    const plan = await ground.plan(WAYS.straight, source);
    const folder = ground.target();
    await ground.tables.run(`revoke select on ${table} from guest`);
    await assertNothing(ground.run(plan, source, folder), folder, 'source.refused');
    await ground.tables.run(`grant select on ${table} to guest`);
    assert.equal((await ground.run(plan, source, folder))[0]?.rowsWritten, 100);
  });

  test('the user was locked out after the plan was made', async () => {
    const table = await newTable();
    const source = ground.source(table, 'guest');
    const plan = await ground.plan(WAYS.straight, source);
    const folder = ground.target();
    await ground.tables.run('alter role guest nologin');
    await assertNothing(ground.run(plan, source, folder), folder, 'source.refused');
    await ground.tables.run('alter role guest login');
  });

  test('all rows were deleted after the plan was made: an export of no rows', async () => {
    const table = await newTable();
    const source = ground.source(table);
    const plan = await ground.plan(WAYS['landed for two outputs'], source);
    await ground.tables.run(`truncate ${table}`);
    const results = await ground.run(plan, source, ground.target());
    assert.deepEqual(
      results.map(({ rowsPlanned, rowsRead, rowsWritten }) => [rowsPlanned, rowsRead, rowsWritten]),
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    );
  });

  for (const way of ['straight', 'landed by pieces', 'landed at first'] as const)
    test(`${way}: the disk is full`, { skip: whyNoSmallDisk() }, async () => {
      const access = ground.source('given');
      const plan = await ground.plan(WAYS[way], access);
      const path = join(ground.folder, `disk-${++count}`);
      assertFull(plan, path, { mount: 'size=2m', when: 'never', access });
      await ground.untilThere(0, '%');
    });

  test('nobody changes the table while it is read', async () => {
    const table = await newTable();
    const source = ground.source(table);
    const plan = await ground.plan(WAYS.straight, source);
    const waits = async () => {
      await ground.tables.run("set lock_timeout = '20ms'");
      await assert.rejects(ground.tables.run(`alter table ${table} drop column kind`), { code: '55P03' });
    };
    await ground.run(plan, source, ground.target(), { segmentWritten: waits });
  });
});

test('the whole server is killed while runs read', { skip: whyNoPostgres() }, async () => {
  await using ground = await Ground.open();
  await ground.tables.run(...SLOW);
  const source = ground.source('trickle');
  const plans = await Promise.all(WAY_NAMES.map((way) => ground.plan(WAYS[way], source)));
  const nothings = plans.map((plan) => {
    const folder = ground.target();
    return assertNothing(ground.run(plan, source, folder), folder, 'source.unreachable');
  });
  await ground.untilThere(plans.length, 'copy%trickle%');
  await ground.kill();
  await Promise.all(nothings);
  const folder = ground.target();
  const [plan] = plans;
  assert.ok(plan);
  await assertNothing(ground.run(plan, source, folder), folder, 'source.unreachable');
});
