import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Layout } from '../column/vectors.ts';
import { Engine } from './engine.ts';
import type { Take } from './scan.ts';

let folder = '';
let engine: Engine;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scan-'));
  engine = await Engine.open({ memoryBytes: 2 ** 28, threads: 1, stageFolder: folder, files: [] });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** All values of a select of one BIGINT, and how they stood in memory. */
async function scanned(select: string, take?: Take) {
  const values: bigint[] = [];
  let seen: readonly Layout[] = [];
  using session = await engine.session();
  const rows = await session.scan({ select, columns: 1 }, (some, layouts) => {
    take?.(some, layouts);
    seen = layouts;
    const bytes = Buffer.from(some.values(0));
    for (let row = 0; row < some.rows; row++) values.push(bytes.readBigInt64LE(row * 8));
  });
  return { rows, values, layouts: seen };
}

test('every row is taken once, in order, whether values are alike, come from a list or are none', async () => {
  const count = 100_000;
  const numbers = Array.from({ length: count }, (_, at) => BigInt(at));
  assert.deepEqual(await scanned(`select i from range(${count}) t(i)`), {
    rows: count,
    values: numbers,
    layouts: [{ is: 'int64', scale: 0 }],
  });
  const alike = await scanned(`select 7::bigint from range(${count})`);
  assert.deepEqual([alike.rows, alike.values], [count, numbers.map(() => 7n)]);
  const list = Array.from({ length: 40 }, (_, at) => at * 2000).join(', ');
  const listed = await scanned(`select i from range(${count}) t(i) where i in (${list})`);
  assert.deepEqual(
    listed.values,
    Array.from({ length: 40 }, (_, at) => BigInt(at * 2000)),
  );
  const sorted = await scanned(`select i from range(${count}) t(i) order by i desc`);
  assert.deepEqual(sorted.values, numbers.toReversed());
  assert.deepEqual(await scanned('select 1::bigint where false'), { rows: 0, values: [], layouts: [] });
});

test('what the taker throws comes as it is, and the next scan is whole', async () => {
  const error = Object.assign(new Error('no room'), { code: 'ENOSPC' });
  let chunks = 0;
  const failing = scanned('select i from range(1000000) t(i)', () => {
    if (++chunks === 3) throw error;
  });
  await assert.rejects(failing, (thrown) => thrown === error);
  assert.equal(chunks, 3);
  assert.equal((await scanned('select i from range(5000) t(i)')).values.length, 5000);
});

test('a scan that is interrupted says so', async () => {
  const scan = scanned('select i from range(100000000) t(i)', (some) => {
    if (Buffer.from(some.values(0)).readBigInt64LE() > 100_000n) engine.interrupt();
  });
  await assert.rejects(scan, { code: 'run.cancelled' });
});

test('several sessions of an engine scan at a time', async () => {
  const scans = [1, 2, 3].map((factor) => scanned(`select i * ${factor} from range(50000) t(i)`));
  for (const [at, { values }] of (await Promise.all(scans)).entries()) {
    assert.equal(values.length, 50_000);
    assert.equal(values.at(-1), BigInt(49_999 * (at + 1)));
  }
});

test('a select that is none by itself is not scanned', async () => {
  await assert.rejects(scanned('select 1::bigint) as s(c0); select (2'), { code: /^(internal|source\.refused)$/ });
});
