import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Limits, OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import { carriedOut, format, planOf } from './table-export.ts';

const MEBIBYTE = 2 ** 20;

/** Threads and memory change no byte: lanes in this thread, and few and many of them on threads of their own. */
const LIMITS: readonly Limits[] = [
  { threads: 1, memoryBytes: 300 * MEBIBYTE },
  { threads: 2, memoryBytes: 500 * MEBIBYTE },
  { threads: 3, memoryBytes: 500 * MEBIBYTE },
  { threads: 4, memoryBytes: 300 * MEBIBYTE },
];

/** Two thirds of the rows of some row groups, none of others. */
const FILTER = { kind: { ne: 'k1' }, id: { gte: 40_000 } };

let folder = '';
/** The rows, and the first of them. */
let all = '';
let first = '';

async function makeSource({ rows, firstRows }: Pick<Rounds, 'rows' | 'firstRows'>): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'determinism-'));
  [all, first] = [join(folder, 'all.parquet'), join(folder, 'first.parquet')];
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  // Hashes do not compress, so every row group counts as about 3 MB, and segments are several.
  const texts = Array.from({ length: 2 }, (_, at) => `sha256((id * 7 + ${at})::varchar) as text_${at}`).join(', ');
  await connection.run(
    `copy (select id::bigint as id, 'k' || id % 3 as kind, id / 7.0 as ratio, (id / 100)::decimal(18,4) as amount, ${texts},
      case when id % 10 < 8 then [id, id + 1] end as list, make_timestamptz(id * 1000003) as moment
      from range(${rows}) rows(id)) to '${all}' (format parquet, row_group_size 20480)`,
  );
  await connection.run(
    `copy (select * from '${all}' where id < ${firstRows}) to '${first}' (format parquet, row_group_size 20480)`,
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

async function assertSame(file: string, ask: PlanAsk, rounds: number): Promise<void> {
  const plan = await planOf({ file }, ask);
  if (plan.cut.by === 'pieces') assert.ok(plan.cut.segments.length >= 4, JSON.stringify(plan.cut));
  const [usual] = LIMITS;
  assert.ok(usual);
  const expected = await sha256Of({ ...plan, limits: usual });
  for (let round = 1; round < rounds; round++) {
    const limits: Limits = LIMITS[round % LIMITS.length] ?? usual;
    assert.deepEqual(await sha256Of({ ...plan, limits }), expected, `round ${round}: ${JSON.stringify(limits)}`);
  }
}

function output(options: Parameters<typeof format>[0], around: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format(options), compression: { type: 'none' }, ...around };
}

/** The parts are what the rows of every output are cut by. */
const OUTPUTS: readonly OutputAsk[] = [
  output({ type: 'csv' }, { split: { rows: 4000 } }),
  output({ type: 'csv', dialect: 'excel-eu' }),
  output({ type: 'csv' }, { compression: { type: 'gzip', level: 1 } }),
  output({ type: 'csv' }, { compression: { type: 'zstd', level: 1 } }),
  output({ type: 'json' }),
  output({ type: 'jsonl' }, { compression: { type: 'zstd', level: 3 } }),
  output({ type: 'xml' }, { compression: { type: 'gzip', level: 2 }, split: { rows: 10_000 } }),
  output({ type: 'parquet', rowGroupRows: 1500 }),
  output({ type: 'parquet', compression: 'zstd', nested: 'text' }, { split: { bytes: 2 ** 20 } }),
  output({ type: 'avro' }),
  output({ type: 'avro', codec: 'deflate' }),
  output({ type: 'avro', codec: 'zstandard' }),
];

interface Rounds {
  readonly rows: number;
  /** How many of them every format and codec writes. */
  readonly firstRows: number;
  /** How often each kind of export is carried out; once for each of the limits at least. */
  readonly plain: number;
  readonly filtered: number;
  readonly ordered: number;
}

/** Tests that a plan's bytes are the same at other threads and memory, repeated so many times. */
export function repeatBytes({ plain, filtered, ordered, ...sizes }: Rounds): void {
  describe('whatever the threads and memory, the bytes are the same', () => {
    before(() => makeSource(sizes));
    after(() => rm(folder, { recursive: true }));

    test(`every format and codec, ${plain} times`, () => assertSame(first, { outputs: OUTPUTS }, plain));

    test(`filtered rows, ${filtered} times`, async () => {
      // The parts of one cut the rows of both.
      const outputs = [output({ type: 'parquet' }), output({ type: 'avro' }, { split: { rows: 20_480 } })];
      await assertSame(all, { filter: FILTER, outputs }, filtered);
    });

    test(`ordered rows, ${ordered} times`, async () => {
      const columns = ['kind', 'id', 'amount', 'text_0'];
      const outputs = [output({ type: 'csv' })];
      await assertSame(all, { columns, filter: FILTER, order: ['kind', '-amount'], outputs }, ordered);
    });
  });
}
