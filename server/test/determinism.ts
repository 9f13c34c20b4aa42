import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Limits, Plan, PlanAsk } from '../src/run/plan.ts';
import { carriedOut, format, planOf } from './table-export.ts';

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

async function makeSource(rows: number): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'determinism-'));
  parquet = join(folder, 'wide.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  // Hashes do not compress, so every row group counts as about 3 MB, and segments are several.
  const texts = Array.from({ length: 2 }, (_, at) => `sha256((id * 7 + ${at})::varchar) as text_${at}`).join(', ');
  await connection.run(
    `copy (select id::bigint as id, 'k' || id % 3 as kind, id / 7.0 as ratio, (id / 100)::decimal(18,4) as amount, ${texts},
      case when id % 10 < 8 then [id, id + 1] end as list, make_timestamptz(id * 1000003) as moment
      from range(${rows}) rows(id)) to '${parquet}' (format parquet, row_group_size 20480)`,
  );
  connection.closeSync();
  instance.closeSync();
}

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

interface Rounds {
  readonly rows: number;
  /** How often each kind of export is carried out; once for each of the limits at least. */
  readonly plain: number;
  readonly filtered: number;
  readonly ordered: number;
}

/** Tests that a plan's bytes are the same at other threads and memory, repeated so many times. */
export function repeatBytes({ rows, plain, filtered, ordered }: Rounds): void {
  describe('whatever the threads and memory, the bytes are the same', () => {
    before(() => makeSource(rows));
    after(() => rm(folder, { recursive: true }));

    test(`every format, ${plain} times`, async () => {
      const formats = ['csv', 'json', 'jsonl', 'parquet', 'xml', 'avro'].map(
        (type) => ({ format: format({ type }), compression: { type: 'none' } }) as const,
      );
      const compressed = [
        { format: format({ type: 'csv' }), compression: { type: 'gzip', level: 1 } },
        { format: format({ type: 'csv' }), compression: { type: 'zstd', level: 1 } },
      ] as const;
      await assertSame({ outputs: [...formats, ...compressed] }, plain);
    });

    test(`filtered rows, ${filtered} times`, async () => {
      await assertSame(
        { filter: FILTER, outputs: [{ format: format({ type: 'parquet' }), compression: { type: 'none' } }] },
        filtered,
      );
    });

    test(`ordered rows, ${ordered} times`, async () => {
      const columns = ['kind', 'id', 'amount', 'text_0'];
      const outputs = [{ format: format({ type: 'csv' }), compression: { type: 'none' } }] as const;
      await assertSame({ columns, filter: FILTER, order: ['kind', '-amount'], outputs }, ordered);
    });
  });
}
