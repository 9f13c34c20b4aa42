import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Fault } from '../src/base/errors.ts';
import { literal } from '../src/column/sql.ts';
import { describeSource } from '../src/run/describe.ts';
import { Engine, type Session } from '../src/source/engine.ts';
import { LIMITS, Yard } from './export-path.ts';

/** A yard with an allowed file, a forbidden neighbour, a forbidden folder, and symlinks to both. */
class Ground extends Yard {
  readonly allowed: string = this.write('allowed.csv', 'a\n1\n');
  readonly neighbour: string = this.write('neighbour.csv', 'secret\n42\n');
  readonly secret: string = join(this.other, 'secret.csv');
  readonly stagePath: string = this.stage();

  constructor() {
    super();
    writeFileSync(this.secret, 'secret\n42\n');
    symlinkSync(this.secret, join(this.source, 'link.csv'));
    symlinkSync(this.secret, join(this.stagePath, 'link.csv'));
    symlinkSync(this.other, join(this.stagePath, 'folder'));
    writeFileSync(join(this.stagePath, 'own.csv'), 'a\n7\n');
  }

  open(): Promise<Engine> {
    return Engine.open({ ...LIMITS, stageFolder: this.stagePath, files: [this.allowed] });
  }
}

/** A statement, by the paths of the ground. */
type Attack = (ground: Ground) => string;

/** Paths that must not be read, each written so that something could let it through. */
const FORBIDDEN: readonly ((ground: Ground) => string)[] = [
  ({ neighbour }) => neighbour,
  ({ secret }) => secret,
  ({ source }) => `${source}/./neighbour.csv`,
  ({ source }) => `${source}/link.csv`,
  ({ source }) => `${source}/*.csv`,
  ({ source }) => `${source}/neighbour.cs?`,
  ({ source }) => `${source}/neighbour.[c]sv`,
  ({ root }) => `${root}/**/secret.csv`,
  ({ stagePath }) => `${stagePath}/link.csv`,
  ({ stagePath }) => `${stagePath}/folder/secret.csv`,
  ({ stagePath }) => `${stagePath}/*/secret.csv`,
  ({ stagePath }) => `${stagePath}/../../other/secret.csv`,
  ({ stagePath }) => `${stagePath}//..//../other/secret.csv`,
  ({ stagePath }) => `${stagePath}/spill/../../../other/secret.csv`,
  ({ allowed }) => `${allowed}/../neighbour.csv`,
  ({ stagePath }) => `${stagePath}2/x.csv`,
  ({ secret }) => `file://${secret}`,
  ({ secret }) => `file:${secret}`,
  ({ secret }) => `gzip://${secret}`,
  () => '/etc/passwd',
  () => '/proc/self/environ',
  () => '/proc/self/fd/0',
  () => '/dev/stdin',
  () => 'neighbour.csv',
  () => '~/.bashrc',
  () => 'http://127.0.0.1:9/x.csv',
  () => 'https://127.0.0.1:9/x.csv',
  () => 's3://bucket/x.csv',
  () => 'hf://datasets/x/y.csv',
];

const READERS = [
  (path: string) => `select * from read_csv(${path}, all_varchar = true)`,
  (path: string) => `select * from read_text(${path})`,
  (path: string) => `select * from read_blob(${path})`,
  (path: string) => `select * from read_json(${path})`,
  (path: string) => `select * from read_ndjson_objects(${path})`,
  (path: string) => `select * from read_parquet(${path})`,
  (path: string) => `select * from parquet_metadata(${path})`,
  (path: string) => `select * from parquet_schema(${path})`,
  (path: string) => `select * from parquet_kv_metadata(${path})`,
  (path: string) => `select * from parquet_file_metadata(${path})`,
  (path: string) => `select * from sniff_csv(${path})`,
  (path: string) => `select * from read_csv([${path}])`,
  (path: string) => `select * from query('select * from read_text(' || ${literal(path)} || ')')`,
];

/** Each must be refused, in every session, whatever is let through to the engine. */
const REFUSED: readonly Attack[] = [
  ({ secret }) => `select * from ${literal(secret)}`,
  ({ secret }) => `create view v as select * from read_csv(${literal(secret)})`,
  ({ secret }) => `create table t as from read_text(${literal(secret)})`,
  ({ secret }) => `describe select * from read_csv(${literal(secret)})`,
  ({ secret }) => `explain analyze select * from read_csv(${literal(secret)})`,
  ({ secret }) => `prepare p as select * from read_csv(${literal(secret)})`,
  ({ other }) => `copy (select 1) to ${literal(`${other}/out.csv`)}`,
  ({ other }) => `copy (select 1) to ${literal(`${other}/out.parquet`)} (format parquet, use_tmp_file false)`,
  ({ other }) => `copy (select 1 as a, 2 as b) to ${literal(`${other}/parts`)} (format csv, partition_by (a))`,
  ({ other }) => `copy (select 1) to ${literal(`${other}/each`)} (format csv, per_thread_output true)`,
  ({ stagePath }) => `copy (select 1) to ${literal(`${stagePath}/../../other/out.csv`)}`,
  ({ stagePath }) => `copy (select 1) to ${literal(`${stagePath}/folder/out.csv`)}`,
  ({ stagePath }) => `copy (select 1) to ${literal(`${stagePath}/link.csv`)} (use_tmp_file false)`,
  ({ stagePath }) =>
    `copy (select 1) to ${literal(`${stagePath}/names`)} (format csv, per_thread_output true, filename_pattern '../../../other/x_{i}')`,
  ({ neighbour }) => `copy (select 1) to ${literal(neighbour)} (use_tmp_file false)`,
  ({ allowed }) => `copy (select 99) to ${literal(allowed)}`,
  ({ allowed }) => `copy (select 99) to ${literal(allowed)} (format parquet)`,
  ({ allowed }) => `copy (select 99) to ${literal(allowed)} (format csv, use_tmp_file false)`,
  ({ allowed }) => `explain analyze copy (select 99) to ${literal(allowed)} (format csv, use_tmp_file false)`,
  ({ allowed }) => `/**/copy (select 99) to ${literal(allowed)} (use_tmp_file false)`,
  ({ allowed, stagePath }) =>
    `copy (select 99) to ${literal(allowed)} (format csv, use_tmp_file false, nullstr e'\\') to ${literal(`${stagePath}/x`)} (format csv, nullstr 'y\\'')`,
  ({ allowed, stagePath }) =>
    `copy (select 99) to ${literal(allowed)} (format csv, use_tmp_file false, nullstr $$) to ${literal(`${stagePath}/x`)} ($$)`,
  ({ allowed, stagePath }) =>
    `copy (select 99) to ${literal(allowed)} (format csv, use_tmp_file false, nullstr ${literal(`) to '${stagePath}/x' (x`)})`,
  ({ allowed, stagePath }) =>
    `copy (select 99) to ${literal(allowed)} (use_tmp_file false) -- (select 1) to ${literal(`${stagePath}/x`)}`,
  ({ secret }) => `copy t from ${literal(secret)}`,
  () => "copy (select 1) to '/dev/stdout'",
  () => "copy (select 1) to '/dev/stderr' (use_tmp_file false)",
  () => "copy (select 1) to 's3://bucket/x.csv'",
  () => "copy (select 1) to 'http://127.0.0.1:9/x.csv'",
  ({ other }) => `attach ${literal(`${other}/new.duckdb`)} as n`,
  ({ secret }) => `attach ${literal(secret)} as n (read_only)`,
  ({ stagePath }) => `attach ${literal(`${stagePath}/../../other/new.duckdb`)} as n`,
  ({ stagePath }) => `attach ${literal(`${stagePath}/folder/new.duckdb`)} as n`,
  () => "attach 'http://127.0.0.1:9/x.duckdb' as n",
  () => "attach 'postgres:host=127.0.0.1' as n",
  () => "attach 'x.db' as n (type sqlite)",
  ({ other }) => `export database ${literal(`${other}/dump`)}`,
  ({ other }) => `import database ${literal(other)}`,
  () => 'load httpfs',
  () => 'install httpfs',
  () => 'force install httpfs',
  () => 'install httpfs from community',
  () => "install httpfs from 'http://127.0.0.1:9'",
  () => 'update extensions',
  ({ other }) => `load ${literal(`${other}/x.duckdb_extension`)}`,
  () => "create secret s (type s3, key_id 'x', secret 'y')",
  () => "create persistent secret s (type http, bearer_token 'x')",
  () => "select getenv('HOME')",
  ({ other }) => `pragma profiling_output = ${literal(`${other}/profile.json`)}`,
  ({ other }) => `pragma log_query_path = ${literal(`${other}/queries.log`)}`,
  () => "pragma enable_profiling = 'json'",
  () => 'pragma threads = 1',
  () => "pragma memory_limit = '100GB'",
  ({ other }) => `pragma temp_directory = ${literal(other)}`,
  () => 'set lock_configuration = false',
  () => 'reset lock_configuration',
  () => 'set global lock_configuration = false',
  () => 'reset enable_external_access',
  () => 'set session enable_external_access = true',
];

/** Options that would open a door, or change what a value means. */
const OPTIONS: Readonly<Record<string, string>> = {
  enable_external_access: 'true',
  lock_configuration: 'false',
  allowed_paths: "['/etc/passwd']",
  allowed_directories: "['/']",
  temp_directory: "'/var/tmp'",
  secret_directory: "'/var/tmp'",
  extension_directory: "'/var/tmp'",
  home_directory: "'/var/tmp'",
  file_search_path: "'/etc'",
  custom_extension_repository: "'http://127.0.0.1:9'",
  autoinstall_extension_repository: "'http://127.0.0.1:9'",
  autoinstall_known_extensions: 'true',
  autoload_known_extensions: 'true',
  allow_community_extensions: 'true',
  allow_unsigned_extensions: 'true',
  allow_persistent_secrets: 'true',
  allow_unredacted_secrets: 'true',
  disabled_filesystems: "''",
  memory_limit: "'100GB'",
  max_temp_directory_size: "'100TB'",
  threads: '64',
  TimeZone: "'Asia/Tokyo'",
  default_collation: "'nocase'",
  preserve_insertion_order: 'false',
  log_query_path: "'queries.log'",
  profiling_output: "'profile.json'",
  enable_profiling: "'json'",
  http_proxy: "'127.0.0.1:9'",
  enable_logging: 'true',
  logging_storage: "'file'",
};

/** Let through by the engine; none of them may reach anything outside the stage. */
const HARMLESS: readonly Attack[] = [
  () => "select * from which_secret('s3://x', 's3')",
  ({ other }) => `call enable_profiling(format = 'json', save_location = ${literal(`${other}/profile.json`)})`,
  () => "create secret s (type http, bearer_token 'x')",
  () => "attach ':memory:' as m",
  ({ stagePath }) => `attach ${literal(`${stagePath}/own.duckdb`)} as own`,
  ({ stagePath }) => `export database ${literal(`${stagePath}/dump`)}`,
  ({ stagePath }) => `select * from glob(${literal(`${stagePath}/**`)})`,
  () => 'set variable x = 1',
  () => 'checkpoint',
  () => 'vacuum',
  () => "select write_log('x')",
  () => 'select * from duckdb_secrets()',
  ({ stagePath }) =>
    `copy (select '../../../other/evil' as a, 1 as b) to ${literal(`${stagePath}/parts`)} (format csv, partition_by (a))`,
];

async function refusal(session: Session, sql: string, door: 'run' | 'read' = 'run'): Promise<Fault | null> {
  try {
    await session[door](sql);
    return null;
  } catch (error) {
    assert.ok(error instanceof Fault, `${sql}: ${String(error)}`);
    return error;
  }
}

/** The message is for customers: no path, no SQL, no word of the engine. */
function assertClean(fault: Fault, ground: Yard): void {
  assert.doesNotMatch(fault.message, /LINE \d|Error:|duckdb|select |copy |attach /i);
  assert.ok(!fault.message.includes(ground.root), fault.message);
}

describe('the engine', () => {
  it('reads the files it was given and its stage, so that what follows is refused for the right reason', async () => {
    using ground = new Ground();
    await using engine = await ground.open();
    const session = await engine.session();
    for (const path of [ground.allowed, join(ground.stagePath, 'own.csv')]) {
      const { rows } = await session.read(`select * from read_csv(${literal(path)})`);
      assert.equal(rows.length, 1);
    }
    for (const options of [
      'format parquet',
      `format csv, delimiter '(', quote '"', nullstr '\\N'') to x', new_line '\\r\\n'`,
    ]) {
      assert.equal(await session.copy({ select: 'select 1', path: join(ground.stagePath, "o'ut.csv"), options }), 1);
    }
  });

  it('reads no other file, by no reader, however its path is written', async () => {
    using ground = new Ground();
    await using engine = await ground.open();
    const session = await engine.session();
    for (const forbidden of FORBIDDEN) {
      for (const reader of READERS) {
        const sql = reader(literal(forbidden(ground)));
        const fault = await refusal(session, sql, 'read');
        assert.ok(fault, `read: ${sql}`);
        assert.doesNotMatch(String(fault.cause), /secret\n42/);
        assertClean(fault, ground);
      }
    }
  });

  it('lists no folder but its stage, and follows no symlink out of it', async () => {
    using ground = new Ground();
    await using engine = await ground.open();
    const session = await engine.session();
    for (const folder of [
      ground.source,
      ground.other,
      ground.root,
      '/',
      '/etc',
      `${ground.stagePath}/folder`,
      `${ground.stagePath}/..`,
      '.',
    ]) {
      const sql = `select * from glob(${literal(`${folder}/*`)})`;
      const found = await session.read(sql).then(
        ({ rows }) => rows,
        () => [],
      );
      assert.deepEqual(found, [], sql);
    }
    const { rows } = await session.read(`select file from glob(${literal(`${ground.stagePath}/**`)})`);
    assert.ok(rows.every(([file]) => !String(file).includes('secret')));
  });

  it('refuses what reaches out of it, and nothing outside the stage changes', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    const options = Object.entries(OPTIONS).flatMap(([name, value]) => [
      `set ${name} = ${value}`,
      `set global ${name} = ${value}`,
    ]);
    for (const sql of [...REFUSED.map((attack) => attack(ground)), ...options]) {
      await using engine = await ground.open();
      const fault = await refusal(await engine.session(), sql);
      assert.ok(fault, `not refused: ${sql}`);
      assertClean(fault, ground);
      assert.equal(ground.snapshot(), before, sql);
    }
  });

  it('lets nothing out of what it does not refuse', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    for (const attack of HARMLESS) {
      const sql = attack(ground);
      {
        await using engine = await ground.open();
        const session = await engine.session();
        await refusal(session, sql);
        // Logging and profiling write with the next statement.
        await refusal(session, 'select 42');
      }
      assert.equal(ground.snapshot(), before, sql);
    }
  });

  it('writes no log elsewhere even when logging is turned on, at the price of its process', () => {
    using ground = new Ground();
    const before = ground.snapshot();
    const engine = new URL('../src/source/engine.ts', import.meta.url);
    for (const door of ['run', 'read']) {
      const call = door === 'run' ? 'call' : 'select * from';
      const sql = `${call} enable_logging(storage = 'file', storage_path = ${literal(`${ground.other}/log`)})`;
      const script = `
        import { Engine } from ${JSON.stringify(engine.href)};
        const engine = await Engine.open(${JSON.stringify({ ...LIMITS, stageFolder: ground.stagePath, files: [] })});
        const session = await engine.session();
        for (const sql of ${JSON.stringify([sql, 'select 42'])}) await session.${door}(sql).catch(() => {});
        await engine[Symbol.asyncDispose]();
      `;
      spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: ground.stagePath,
        timeout: 20_000,
      });
      assert.equal(ground.snapshot(), before, sql);
    }
  });

  it('opens no door to a second session after the first tried', async () => {
    using ground = new Ground();
    await using engine = await ground.open();
    const [first, second] = [await engine.session(), await engine.session()];
    await refusal(first, 'set lock_configuration = false');
    await refusal(first, "create secret s (type http, bearer_token 'x')");
    assert.ok(await refusal(second, `select * from read_text(${literal(ground.secret)})`, 'read'));
    const { rows } = await second.read(
      "select name, value from duckdb_settings() where name in ('enable_external_access', 'lock_configuration') order by 1",
    );
    assert.deepEqual(rows, [
      ['enable_external_access', 'false'],
      ['lock_configuration', 'true'],
    ]);
  });

  it('follows no symlink and no pattern of names out of its stage while it writes', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    await using engine = await ground.open();
    const session = await engine.session();
    const select = "select '../../../other/evil' as a, 1 as b";
    const copies = [
      { path: 'link.csv', options: 'format csv' },
      { path: 'link.csv', options: 'format csv, use_tmp_file false' },
      { path: 'folder/out.csv', options: 'format csv' },
      { path: 'folder/out.parquet', options: 'format parquet, use_tmp_file false' },
      { path: 'folder', options: 'format csv, partition_by (b)' },
      { path: 'parts', options: 'format csv, partition_by (a)' },
      { path: 'names', options: "format csv, per_thread_output true, filename_pattern '../../../other/x_{i}'" },
      { path: 'ended', options: "format csv, per_thread_output true, file_extension '/../../../../other/x'" },
    ];
    for (const { path, options } of copies) {
      await session.copy({ select, path: join(ground.stagePath, path), options }).catch((error: unknown) => {
        assert.ok(error instanceof Fault, String(error));
      });
      assert.equal(ground.snapshot(), before, `${path} ${options}`);
    }
  });

  it('spills into its stage alone', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    await using engine = await Engine.open({
      threads: 2,
      // Less than the rows take.
      memoryBytes: 40 * 1024 * 1024,
      stageFolder: ground.stagePath,
      files: [],
    });
    const session = await engine.session();
    const rows = await session.copy({
      select: "select i, hash(i) as h, repeat('x', 100) as t from range(400000) r(i) order by h",
      path: join(ground.stagePath, 'sorted.parquet'),
      options: 'format parquet',
    });
    assert.equal(rows, 400_000);
    assert.equal(ground.snapshot(), before);
  });
});

describe('a session', () => {
  const open = async () => await Engine.open({ ...LIMITS, stageFolder: null, files: [] });

  it('takes one statement at a time', async () => {
    await using engine = await open();
    const session = await engine.session();
    for (const sql of [
      'select 1; select 2',
      'create table a (x int); create table b (x int)',
      "select ''; copy (select 1) to 'x.csv'",
      '',
      ' -- nothing',
      ';',
    ]) {
      assert.ok(await refusal(session, sql, 'read'), sql);
      assert.ok(await refusal(session, sql, 'run'), sql);
    }
    assert.deepEqual((await session.read('select count(*)::integer from duckdb_tables()')).rows, [[0]]);
  });

  it('reads by SELECT alone', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    await using engine = await ground.open();
    const session = await engine.session();
    const statements = [
      'create table t (x int)',
      'insert into t values (1)',
      'checkpoint',
      "attach ':memory:' as m",
      'set threads = 2',
      'load json',
      'explain select 1',
      `copy (select 99) to ${literal(ground.allowed)} (use_tmp_file false)`,
      `copy (select 99) to ${literal(join(ground.stagePath, 'x.csv'))}`,
      `with x as (select 1) insert into t select * from x`,
    ];
    for (const sql of statements) assert.ok(await refusal(session, sql, 'read'), sql);
    assert.deepEqual((await session.read('select 1 + 1')).rows, [[2]]);
    assert.deepEqual((await session.read('with x as (select 3 as y) select y from x')).rows, [[3]]);
    assert.equal(ground.snapshot(), before);
  });

  it('copies one select into the stage, and nothing else anywhere', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    await using engine = await ground.open();
    const session = await engine.session();
    const good = { select: 'select 1', path: join(ground.stagePath, 'x.csv'), options: 'format csv' };
    const bad = [
      { path: ground.allowed },
      { path: join(ground.other, 'x.csv') },
      { path: `${ground.stagePath}/../other/x.csv` },
      { path: 'x.csv' },
      { select: "select 1) to 'y' (format csv); select (2" },
      { select: 'select 1; select 2' },
      { select: 'select 1 -- ' },
      { select: 'drop table x' },
      { select: 'from x' },
    ];
    for (const part of bad) {
      await assert.rejects(session.copy({ ...good, ...part }), (error) => error instanceof Fault, JSON.stringify(part));
    }
    assert.equal(ground.snapshot(), before);
    assert.equal(await session.copy(good), 1);
  });

  it('without a stage writes nowhere', async () => {
    using ground = new Ground();
    const before = ground.snapshot();
    await using engine = await Engine.open({ ...LIMITS, stageFolder: null, files: [ground.allowed] });
    const session = await engine.session();
    for (const path of [join(ground.stagePath, 'x.csv'), join(ground.other, 'x.csv'), 'x.csv']) {
      assert.ok(await refusal(session, `copy (select 1) to ${literal(path)}`), path);
    }
    assert.equal(ground.snapshot(), before);
  });
});

describe('an attached database file', () => {
  async function makeDatabase(ground: Ground, statements: readonly string[]): Promise<string> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const path = join(ground.source, 'data.duckdb');
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    for (const sql of statements) await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
    return path;
  }

  it('cannot be written to', async () => {
    using ground = new Ground();
    const database = await makeDatabase(ground, ['create table t as select 1 as x']);
    const before = ground.snapshot();
    {
      await using engine = await Engine.open({ ...LIMITS, stageFolder: ground.stagePath, files: [], database });
      const session = await engine.session();
      assert.deepEqual((await session.read('select * from source.t')).rows, [[1]]);
      const statements = [
        'create table source.x (a int)',
        'create schema source.s',
        'create view source.v as select 1',
        'create macro source.m() as 1',
        'insert into source.t values (2)',
        'update source.t set x = 2',
        'delete from source.t',
        'truncate source.t',
        'drop table source.t',
        'alter table source.t add column y int',
        'create index i on source.t (x)',
        'checkpoint source',
        'force checkpoint source',
        'detach source',
        `attach ${literal(database)} as again`,
        `attach ${literal(database)} as again (read_write)`,
        `copy (select 1) to ${literal(database)} (format csv)`,
        `copy (select 1) to ${literal(database)} (format csv, use_tmp_file false)`,
        `copy (select 1) to ${literal(`${database}.wal`)} (format csv, use_tmp_file false)`,
      ];
      for (const sql of statements) {
        await refusal(session, sql);
        assert.equal(ground.snapshot(), before, sql);
      }
    }
    assert.equal(ground.snapshot(), before);
  });

  it('reads no file by a view of its own', async () => {
    using ground = new Ground();
    const file = literal(ground.secret);
    const database = await makeDatabase(ground, [
      `create view texts as select content from read_text(${file})`,
      `create view cells as select * from read_csv(${file})`,
      `create macro stolen() as table select * from read_text(${file})`,
      'create view called as select * from stolen()',
    ]);
    const before = ground.snapshot();
    for (const table of ['texts', 'cells', 'called']) {
      const ask = { options: { type: 'duckdb', files: database, table } as const, types: {}, folder: ground.root };
      await assert.rejects(describeSource(ask, LIMITS), (error) => {
        assert.ok(error instanceof Fault && error.code.startsWith('source.'), String(error));
        assertClean(error, ground);
        return true;
      });
    }
    assert.equal(ground.snapshot(), before);
    assert.equal(readFileSync(ground.secret, 'utf8'), 'secret\n42\n');
  });
});
