import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Plan } from '../src/run/plan.ts';
import { exportInto, sumsIn } from './export-into.ts';
import { planByArgs, Yard } from './export-path.ts';

/** What the command line gives a run, and enough for the heavy file by itself. */
const MEMORY_BYTES = 300 * 2 ** 20;
const LIGHT_FILES = 6;
const LIGHT_ROWS = 130_000;
const HEAVY_ROWS = 61_440;

const yard = new Yard();

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const write = (name: string, select: string) =>
    connection.run(`copy (${select}) to '${join(yard.source, name)}' (format parquet, row_group_size 122880)`);
  for (let at = 0; at < LIGHT_FILES; at++)
    await write(`a${at}.parquet`, `select i as id, 'x' || i as t, 'y' || i as u from range(${LIGHT_ROWS}) r(i)`);
  // One row group: what a lane has for itself of four's memory does not hold it.
  await write(
    'b.parquet',
    `select i as id, repeat(md5(i::varchar), 25) as t, repeat(md5((i + 7)::varchar), 10) as u from range(${HEAVY_ROWS}) r(i)`,
  );
  connection.closeSync();
});

after(() => yard[Symbol.dispose]());

async function exported(threads: number): Promise<readonly string[]> {
  const plan = await planByArgs([join(yard.source, '*.parquet'), '--format', 'csv']);
  const limited: Plan = { ...plan, limits: { threads, memoryBytes: MEMORY_BYTES } };
  const folder = join(yard.source, `out-${threads}`);
  mkdirSync(folder);
  const [result] = await exportInto(limited, folder);
  assert.equal(result?.rowsWritten, LIGHT_FILES * LIGHT_ROWS + HEAVY_ROWS);
  return sumsIn(folder);
}

test('a segment that needs more than its share of the memory gets all of it', async () => {
  assert.deepEqual(await exported(4), await exported(1));
});
