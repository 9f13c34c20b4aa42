import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Limits, Plan, PlanAsk } from '../src/run/plan.ts';
import { carriedOut, format, planOf } from './table-export.ts';

const ROWS = 300_000;

const MEBIBYTE = 2 ** 20;

/** Threads and memory change no byte. */
const LIMITS: readonly Limits[] = [
  { threads: 2, memoryBytes: 300 * MEBIBYTE },
  { threads: 3, memoryBytes: 500 * MEBIBYTE },
  { threads: 4, memoryBytes: 300 * MEBIBYTE },
];

/** Two thirds of the rows of some row groups, none of others. */
const FILTER = { kind: { ne: 'k1' }, id: { gte: 40_000 } };

let folder = '';
let parquet = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'determinism-'));
  parquet = join(folder, 'wide.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  // Hashes do not compress, so every row group counts as about 5 MB, and segments are several.
  const texts = Array.from({ length: 4 }, (_, at) => `sha256((id * 7 + ${at})::varchar) as text_${at}`).join(', ');
  await connection.run(
    `copy (select id::bigint as id, 'k' || id % 3 as kind, id / 7.0 as ratio, (id / 100)::decimal(18,4) as amount, ${texts},
      case when id % 10 < 8 then [id, id + 1] end as list, make_timestamptz(id * 1000003) as moment
      from range(${ROWS}) rows(id)) to '${parquet}' (format parquet, row_group_size 20480)`,
  );
  connection.closeSync();
  instance.closeSync();
});

after(() => rm(folder, { recursive: true }));

async function sha256Of(plan: Plan): Promise<string[]> {
  const stages = await mkdtemp(join(folder, 'run-'));
  const paths = await carriedOut(plan, stages);
  const sums = await Promise.all(
    paths.map(async (path) =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ),
  );
  await rm(stages, { recursive: true });
  return sums;
}

async function assertSame(ask: PlanAsk, rounds: number): Promise<void> {
  const plan = await planOf({ file: parquet }, ask);
  if (plan.cut.by === 'pieces') assert.ok(plan.cut.segments.length >= 4, `${plan.cut.segments.length} segments`);
  const [first] = LIMITS;
  assert.ok(first);
  const expected = await sha256Of({ ...plan, limits: first });
  for (let round = 1; round < rounds; round++) {
    const limits: Limits = LIMITS[round % LIMITS.length] ?? first;
    assert.deepEqual(await sha256Of({ ...plan, limits }), expected, `round ${round}: ${JSON.stringify(limits)}`);
  }
}

test('every format comes out the same, whatever the threads and memory', async () => {
  const formats = ['csv', 'json', 'jsonl', 'parquet'].map(
    (type) => ({ format: format({ type }), compression: 'none' }) as const,
  );
  await assertSame({ outputs: [...formats, { format: format({ type: 'csv' }), compression: 'gzip' }] }, 5);
});

test('filtered rows come out the same', async () => {
  await assertSame({ filter: FILTER, outputs: [{ format: format({ type: 'parquet' }), compression: 'none' }] }, 9);
});

test('ordered rows come out the same', async () => {
  const columns = ['kind', 'id', 'amount', 'text_0'];
  await assertSame(
    {
      columns,
      filter: FILTER,
      order: ['kind', '-amount'],
      outputs: [{ format: format({ type: 'csv' }), compression: 'none' }],
    },
    6,
  );
});
