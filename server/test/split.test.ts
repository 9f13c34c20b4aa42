import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { describeSource } from '../src/run/describe.ts';
import { execute } from '../src/run/execute.ts';
import { filesFolder, type OutputResult } from '../src/run/execution.ts';
import { openSigner } from '../src/run/keys.ts';
import { makeManifest, manifestText } from '../src/run/manifest.ts';
import type { OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import { cutSegments } from '../src/run/segments.ts';
import { verifyExport } from '../src/run/verify.ts';
import type { Piece } from '../src/source/source.ts';
import { fc } from './draws.ts';
import { planByArgs } from './export-path.ts';
import { rowsOf } from './split-files.ts';
import { format, planOf } from './table-export.ts';

const ROWS = 12_000;
const MEBIBYTE = 2 ** 20;

/** About 70 bytes of text that Parquet cannot shrink, so that row groups count with what they hold. */
const COLUMNS = `id, sha256(id::varchar) as text, id % 7 as kind`;

let folder = '';
/** Large enough to be cut by its row groups. */
let large = '';
/** Few different texts, so that it is small, and its rows are not. */
let repeating = '';
/** So small that all of it is one piece. */
let small = '';
let database = '';

before(async () => {
  folder = realpathSync(await mkdtemp(join(tmpdir(), 'drayage-split-')));
  large = join(folder, 'large.parquet');
  small = join(folder, 'small.parquet');
  repeating = join(folder, 'repeating.parquet');
  database = join(folder, 'table.duckdb');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  // Six times 64 characters.
  const wideText = Array.from({ length: 6 }, (_, at) => `sha256('${at} ' || id)`).join(' || ');
  const wide = `${COLUMNS}, ${wideText} as wide`;
  await connection.run(
    `copy (select ${wide} from range(${ROWS}) t(id)) to '${large}' (format parquet, row_group_size 2048)`,
  );
  await connection.run(
    `copy (select ${COLUMNS} from range(8000) t(id)) to '${small}' (format parquet, row_group_size 4096)`,
  );
  await connection.run(
    `copy (select id, repeat(md5((id % 5)::varchar), 10) as text from range(${ROWS}) t(id)) to '${repeating}' (format parquet, row_group_size 8192)`,
  );
  await connection.run(`attach '${database}' as made`);
  await connection.run(`create table made.rows as select ${COLUMNS} from range(30000) t(id)`);
  await connection.run('delete from made.rows where id % 3 = 0 or id between 5000 and 9000');
  await connection.run('detach made');
  connection.closeSync();
  instance.closeSync();
});

after(() => rm(folder, { recursive: true }));

function output(type: string, more: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format({ type }), compression: { type: 'none' }, ...more };
}

interface Done {
  readonly stage: string;
  readonly results: readonly OutputResult[];
}

function atThreads(plan: Plan, threads: number): Plan {
  return { ...plan, limits: { ...plan.limits, threads } };
}

async function carryOut(plan: Plan): Promise<Done> {
  const stage = await mkdtemp(join(folder, 'stage-'));
  const { signal } = new AbortController();
  return { stage, results: await execute({ plan, stage, signal, report: () => {} }) };
}

/** Each output twice: split, and as one file to compare it with. One lane needs no thread of its own. */
async function splitAndWhole(file: string, ask: PlanAsk, threads = 1) {
  const whole = ask.outputs.map(({ split: _, ...each }) => each);
  const [split, single] = [await planOf({ file }, ask), await planOf({ file }, { ...ask, outputs: whole })];
  const plan = atThreads(split, threads);
  return { plan, done: await carryOut(plan), single: await carryOut(atThreads(single, threads)) };
}

/** Names, numbers and rows of every split output are as promised; gives the rows of each file, output by output. */
async function assertSplit({ plan, done, single }: Awaited<ReturnType<typeof splitAndWhole>>): Promise<number[][]> {
  const counts: number[][] = [];
  for (const [at, { files, rowsRead, rowsWritten }] of done.results.entries()) {
    assert.deepEqual(
      files.map(({ path }) => path),
      files.map((_, part) => numbered(plan.outputs[at]?.path ?? '', part + 1)),
    );
    const parts: string[][] = [];
    for (const { path, rows } of files) {
      const found = await rowsOf(join(filesFolder(done.stage), path));
      assert.equal(found.length, rows, path);
      parts.push(found);
    }
    const [whole] = single.results[at]?.files ?? [];
    assert.deepEqual(parts.flat(), await rowsOf(join(filesFolder(single.stage), whole?.path ?? '')));
    assert.deepEqual([rowsRead, rowsWritten], [parts.flat().length, parts.flat().length]);
    counts.push(parts.map(({ length }) => length));
  }
  return counts;
}

function numbered(path: string, part: number): string {
  const [stem = '', ...endings] = path.split('.');
  return [`${stem}-${String(part).padStart(5, '0')}`, ...endings].join('.');
}

function assertBounded(counts: readonly (readonly number[])[], rows: number): void {
  for (const each of counts) assert.ok(Math.max(...each) <= rows, `${each} rows in files of ${rows}`);
}

describe('an output split by rows', () => {
  test('of every format: complete files, none larger, together what one file would be; listed and verified', async () => {
    const split = { rows: 2000 };
    const outputs = ['csv', 'jsonl', 'json', 'xml', 'parquet', 'avro'].map((type) => output(type, { split }));
    outputs.push(output('csv', { split, compression: { type: 'gzip', level: 1 } }));
    outputs.push(output('csv', { split: { rows: 5000 }, compression: { type: 'zstd', level: 1 } }));
    const both = await splitAndWhole(large, { columns: ['id', 'kind'], outputs }, 2);
    const counts = await assertSplit(both);
    assertBounded(counts.slice(0, -1), 2000);
    assertBounded(counts, 5000);
    assert.ok(counts.every(({ length }) => length >= 3));
    await assertVerified(both);
  });

  test('ends at borders of segments', async () => {
    // The finer split cuts the segments of both.
    const outputs = [5000, 1200].map((rows) => output('jsonl', { split: { rows } }));
    const both = await splitAndWhole(large, { columns: ['id', 'kind'], outputs });
    const [counts = []] = await assertSplit(both);
    const borders = both.plan.cut.by === 'pieces' ? both.plan.cut.segments.map(({ rows }) => rows?.[1]) : [];
    const ends = counts.map((_, at) => counts.slice(0, at + 1).reduce((sum, rows) => sum + rows));
    for (const end of ends) assert.ok(borders.includes(end), `${end} of ${borders}`);
    assert.ok(borders.length > counts.length);
  });

  test('of a small file', async () => {
    const both = await splitAndWhole(small, { outputs: [output('csv', { split: { rows: 3000 } })] });
    assertBounded(await assertSplit(both), 3000);
  });

  test('of many small files', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    for (const name of ['a', 'b', 'c']) cpSync(small, join(many, `${name}.parquet`));
    const both = await splitAndWhole(join(many, '*.parquet'), {
      outputs: [output('csv', { split: { rows: 9000 } })],
    });
    assertBounded(await assertSplit(both), 9000);
  });

  test('of a database file with holes', async () => {
    const both = await splitAndWhole(database, { outputs: [output('csv', { split: { rows: 4000 } })] });
    assertBounded(await assertSplit(both), 4000);
  });

  test('in an order', async () => {
    const outputs = [output('csv', { split: { rows: 3200 } })];
    const both = await splitAndWhole(large, { columns: ['id', 'kind'], order: ['kind', '-id'], outputs });
    assert.deepEqual(await assertSplit(both), [[3200, 3200, 3200, 2400]]);
  });

  test('of rows that are filtered: files are filled up', async () => {
    const filter = { id: { gte: 6000 }, kind: { ne: 2 } };
    const both = await splitAndWhole(large, { filter, outputs: [output('jsonl', { split: { rows: 2000 } })] });
    const [counts = []] = await assertSplit(both);
    assertBounded([counts], 2000);
    assert.equal(counts.length, 3, `${counts}`);
    assert.ok(counts.every((rows) => rows > 0));
  });

  test('without any row: one file, complete', async () => {
    const types = ['csv', 'jsonl', 'json', 'xml', 'parquet', 'avro'];
    const outputs = types.map((type) => output(type, { split: { rows: 1000, bytes: MEBIBYTE } }));
    const plain = { filter: { id: { lt: 0 } }, outputs };
    for (const ask of [plain, { ...plain, order: ['-id'], outputs: outputs.slice(3) }]) {
      const counts = await assertSplit(await splitAndWhole(small, ask));
      assert.deepEqual(
        counts,
        ask.outputs.map(() => [0]),
      );
    }
  });
});

describe('an output split by bytes', () => {
  const split = { bytes: MEBIBYTE };
  /** A file ends at a segment's border, and a segment's bytes are only known by its input's. */
  const ABOUT = 1.3;

  const columns = ['id', 'wide'];
  const outputs = ['csv', 'parquet'].map((type) => output(type, { split }));

  function assertSizes({ done }: Awaited<ReturnType<typeof splitAndWhole>>): void {
    for (const { files } of done.results.slice(0, outputs.length)) {
      const sizes = files.map(({ bytes }) => bytes);
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
      assert.ok(Math.max(...sizes) <= split.bytes * ABOUT, `${sizes} of ${split.bytes}`);
      assert.ok(sizes.length <= (2.5 * total) / split.bytes + 1, `${sizes.length} files of ${total} bytes`);
    }
  }

  test('no file is much larger; what there is before compression counts', async () => {
    const packed = output('csv', { split, compression: { type: 'gzip', level: 1 } });
    const both = await splitAndWhole(large, { columns, outputs: [...outputs, packed] });
    const counts = await assertSplit(both);
    assertSizes(both);
    assert.deepEqual(counts[2], counts[0]);
  });

  test('no file is much larger, in an order', async () => {
    const both = await splitAndWhole(large, { columns, outputs, order: ['-id'] });
    await assertSplit(both);
    assertSizes(both);
  });

  test('one row that is larger than a file stands alone', async () => {
    const many = await mkdtemp(join(folder, 'huge-'));
    for (const [name, rows] of Object.entries({
      a: ['1,a', '2,b'],
      b: [`3,${randomBytes(MEBIBYTE).toString('hex')}`],
      c: ['4,d'],
    }))
      writeFileSync(join(many, `${name}.csv`), `id,text\n${rows.join('\n')}\n`);
    const outputs = ['csv', 'parquet', 'avro'].map((type) => output(type, { split: { bytes: MEBIBYTE } }));
    const counts = await assertSplit(await splitAndWhole(join(many, '*.csv'), { outputs }));
    assert.deepEqual(
      counts,
      outputs.map(() => [2, 1, 1]),
    );
  });

  test('text that Parquet keeps in a dictionary counts as what it becomes', async () => {
    const both = await splitAndWhole(repeating, { outputs: [output('csv', { split: { bytes: MEBIBYTE } })] });
    await assertSplit(both);
    const sizes = both.done.results.flatMap(({ files }) => files.map(({ bytes }) => bytes));
    assert.ok(Math.max(...sizes) <= MEBIBYTE * ABOUT, `${sizes}`);
  });
});

test('threads change neither files nor bytes', async () => {
  const split = { rows: 4000, bytes: MEBIBYTE };
  const outputs = [output('csv', { split, compression: { type: 'gzip', level: 1 } }), output('parquet', { split })];
  const plan = await planOf({ file: large }, { columns: ['id', 'wide'], outputs });
  const filesAt = async (threads: number) => {
    const { results } = await carryOut(atThreads(plan, threads));
    return results.map(({ files }) => files);
  };
  const expected = await filesAt(1);
  for (const threads of [2, 4]) assert.deepEqual(await filesAt(threads), expected);
});

async function assertVerified({ plan, done }: Awaited<ReturnType<typeof splitAndWhole>>): Promise<void> {
  const signer = await openSigner(join(folder, 'keys'));
  const createdAt = '2026-01-01T00:00:00.000Z';
  const manifest = makeManifest({ plan, results: done.results, createdAt, signer, run: null, job: null });
  writeFileSync(join(filesFolder(done.stage), 'manifest.json'), manifestText(manifest));
  const { isIntact, files } = await verifyExport(filesFolder(done.stage), join(folder, 'keys'));
  assert.ok(isIntact, JSON.stringify(files));
  const paths = done.results.flatMap((each) => each.files.map(({ path }) => path));
  assert.deepEqual(files.map(({ path }) => path).sort(), ['manifest.json', ...paths].sort());
  rmSync(join(filesFolder(done.stage), paths[3] ?? ''));
  assert.equal((await verifyExport(filesFolder(done.stage), join(folder, 'keys'))).isIntact, false);
}

describe('segments', () => {
  const piece = fc
    .record({ count: fc.integer({ min: 0, max: 3_000_000 }), bytes: fc.integer({ min: 0, max: 400 * MEBIBYTE }) })
    .map(({ count, bytes }) => ({ count, bytes }));
  const bound = fc.option(fc.integer({ min: 1000, max: 2_000_000 }), { nil: Number.POSITIVE_INFINITY });

  test('hold every row once, in order, and no more than the bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 5 }), { maxLength: 4 }), bound, bound, (files, rows, kib) => {
        const pieces = files.flatMap(piecesOfFile);
        const bytes = kib * 1024;
        const segments = cutSegments(pieces, { rows, bytes, areCounted: true });
        assert.deepEqual(joined(segments), joined(pieces));
        for (const segment of segments) {
          const [start, end] = segment.rows ?? [0, 0];
          assert.ok(end - start <= rows, `${end - start} of ${rows} rows`);
          assert.ok(
            segment.bytes <= bytes * 1.01 + segment.bytes / Math.max(1, end - start),
            `${segment.bytes} of ${bytes}`,
          );
        }
      }),
    );
  });

  test('are not joined beyond what is asked', () => {
    const pieces = piecesOfFile(
      Array.from({ length: 40 }, () => ({ count: 100, bytes: 4 * MEBIBYTE })),
      0,
    );
    const bounds = { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY, areCounted: true };
    assert.equal(cutSegments(pieces, bounds).length, 20);
    const segments = cutSegments(pieces, { ...bounds, joinedBytes: 4 * MEBIBYTE });
    assert.deepEqual(joined(segments), joined(pieces));
    assert.equal(segments.length, 40);
  });

  test('of text are small where they become row groups of Parquet', async () => {
    const file = join(folder, 'text.csv');
    writeFileSync(file, 'a,b\n1,2\n');
    const describe: typeof describeSource = async (ask, limits) => {
      const { shape, ...described } = await describeSource(ask, limits);
      const groups = Array.from({ length: 300 }, () => ({ count: 100, bytes: MEBIBYTE }));
      return { ...described, shape: { ...shape, pieces: piecesOfFile(groups, 0) } };
    };
    const segmentBytes = async (type: string) => {
      const { cut } = await planByArgs([file, '--format', type], describe);
      return cut.by === 'pieces' ? Math.max(...cut.segments.map(({ bytes }) => bytes)) : 0;
    };
    assert.equal(await segmentBytes('parquet'), 12 * MEBIBYTE);
    assert.equal(await segmentBytes('csv'), 18 * MEBIBYTE);
  });

  function piecesOfFile(groups: readonly { count: number; bytes: number }[], file: number): Piece[] {
    let start = 0;
    return groups.map(({ count, bytes }) => {
      const rows: [number, number] = [start, start + count];
      start += count;
      return { files: [file, file], rows, bytes };
    });
  }

  /** The stretches of rows, neighbours as one. */
  function joined(pieces: readonly Piece[]): string[] {
    const stretches: { file: number; start: number; end: number }[] = [];
    for (const { files, rows } of pieces) {
      const [start, end] = rows ?? [0, 0];
      const last = stretches.at(-1);
      if (last && last.file === files[0] && last.end === start) last.end = end;
      else stretches.push({ file: files[0], start, end });
    }
    return stretches.map(({ file, start, end }) => `${file}: ${start} to ${end}`);
  }
});
