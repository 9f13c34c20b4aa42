import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { formatOptions } from './options.ts';
import { parquet } from './parquet.ts';

let folder = '';
let database: DuckDBConnection;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-'));
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});

after(async () => {
  database.closeSync();
  await rm(folder, { recursive: true });
});

/** What hyparquet finds in the footer of 10,000 rows, exported with these options. */
async function footer(asked: object) {
  const options = formatOptions.parse({ type: 'parquet', ...asked });
  assert.equal(options.type, 'parquet');
  const { expressions, written } = parquet.segment(
    [{ name: 'i', type: { is: 'integer', bits: 64 }, nullable: true }],
    options,
  );
  const path = join(folder, 'segment');
  await database.run(`copy (select ${expressions[0]?.sql} as i from range(10000) rows(i)) to '${path}' (${written})`);
  const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  const codecs = groups.flatMap(({ columns }) => columns.map((column) => column.meta_data?.codec));
  return { rows: groups.map(({ num_rows: rows }) => Number(rows)), codecs: [...new Set(codecs)] };
}

test('pages are compressed as asked, with snappy when nothing is said', async () => {
  assert.deepEqual(await footer({}), { rows: [10_000], codecs: ['SNAPPY'] });
  assert.deepEqual(await footer({ compression: 'zstd' }), { rows: [10_000], codecs: ['ZSTD'] });
  assert.deepEqual(await footer({ compression: 'none' }), { rows: [10_000], codecs: ['UNCOMPRESSED'] });
});

test('row groups are rounded up to whole vectors of 2,048 rows', async () => {
  assert.deepEqual((await footer({ rowGroupRows: 4096 })).rows, [4096, 4096, 1808]);
  assert.deepEqual((await footer({ rowGroupRows: 4097 })).rows, [6144, 3856]);
  assert.deepEqual((await footer({ rowGroupRows: 1000 })).rows, [2048, 2048, 2048, 2048, 1808]);
});

test('row groups of fewer than 1,000 or more than 1,000,000 rows are refused', () => {
  for (const rowGroupRows of [0, 999, 1_000_001, 2048.5, '2048']) {
    assert.equal(formatOptions.safeParse({ type: 'parquet', rowGroupRows }).success, false);
  }
});
