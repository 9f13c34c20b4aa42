import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { Engine } from './engine.ts';
import type { Rows } from './read-rows.ts';

async function read(sql: string): Promise<Rows> {
  await using engine = await Engine.open({ memoryBytes: 2 ** 28, threads: 1, stageFolder: null, files: [] });
  using session = await engine.session();
  return await session.read(sql);
}

/** The same by the engine's own wrapper. */
async function readByWrapper(sql: string) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(sql);
  return { names: reader.columnNames(), types: reader.columnTypes().map(String), rows: reader.getRowsJS() };
}

async function assertAgree(sql: string): Promise<void> {
  const { names, types, rows } = await read(sql);
  const theirs = await readByWrapper(sql);
  assert.deepEqual({ names, types: types.map((type) => type.sql), rows }, theirs);
}

test('values that are read here are those of the engine’s own reader', async () => {
  const text = `case i % 7 when 0 then null when 1 then '' when 2 then 'zwölf Bytes' when 3 then repeat('ü', 5000) else i::varchar end`;
  const columns = `${text} as t, i % 3 = 0 as b, nullif(i % 5, 4)::integer as i, case i when 1 then 9223372036854775807 when 2 then -9223372036854775807 - 1 else i end as l, null::boolean as n`;
  await assertAgree(`select ${columns} from range(5000) r(i) order by i`);
  await assertAgree('select 1::bigint as a, null::varchar as b where false');
  await assertAgree(`select (-2147483648)::integer as "a", '{"a":1}'::json as "A""b"`);
});

test('other values are read, too', async () => {
  await assertAgree(`select [1, 2] as l, 1.5::double as d, sum(i) as h, 'x'::blob as b from range(3) r(i)`);
});

test('a byte order mark at the start of a text stays', async () => {
  assert.deepEqual((await read("select '\ufeffa' as short, '\ufeff' || repeat('a', 20) as long")).rows, [
    ['\ufeffa', `\ufeff${'a'.repeat(20)}`],
  ]);
});

test('types are named as SQL names them', async () => {
  const types = [
    ...[
      'TINYINT',
      'UBIGINT',
      'HUGEINT',
      'UHUGEINT',
      'FLOAT',
      'DOUBLE',
      'BLOB',
      'UUID',
      'DATE',
      'TIME',
      'INTERVAL',
      'BIT',
    ],
    ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE', 'TIME WITH TIME ZONE'],
    ...['DECIMAL(4,1)', 'DECIMAL(38,38)', 'INTEGER[]', 'VARCHAR[3][]', 'MAP(VARCHAR, DECIMAL(9,2)[])'],
    ...['STRUCT("a ""b" INTEGER, "c" STRUCT("d" DATE)[])', 'UINTEGER', 'UNION("a" INTEGER, "b" VARCHAR)[]'],
  ];
  const { types: found } = await read(
    `select ${types.map((type, at) => `null::${type} as c${at}`).join(', ')} limit 0`,
  );
  assert.deepEqual(
    found.map(({ sql }) => sql),
    types,
  );
});
