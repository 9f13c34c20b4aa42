import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { Engine } from '../source/engine.ts';
import { LaneBeside, type LaneGround } from './lane-beside.ts';
import { LaneThreads, mostBeside } from './lane-threads.ts';
import type { Segment } from './lanes.ts';
import type { Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import { writeRows } from './write-rows.ts';
import { readZstdSegment } from './zstd-segment.ts';

const MEMORY_BYTES = 2 ** 28;

/** What takes longer is not noticed. */
const SETTLED_MS = 300;

let folder = '';
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lane-'));
});

after(() => rm(folder, { recursive: true }));

const written: Writing['written'] = { as: 'csv', delimiter: ',', lineEnd: '\n', nullText: '', decimalPoint: '.' };

function writingOf(select: string, how: Partial<Writing> = {}): Writing {
  return { landing: null, select, columns: 1, path: join(folder, `${files++}`), written, zstdLevel: null, ...how };
}

function segmentOf(writing: Writing): Segment {
  return { at: 0, path: writing.path, writing, piece: null };
}

/** Of a plan only the input is looked at. */
function groundOf(source = { kind: 'files', inputs: [] as { path: string }[] }, heldBytes = 0): LaneGround {
  return { plan: { source } as unknown as Plan, stage: folder, memoryBytes: MEMORY_BYTES, heldBytes };
}

function laneOf(ground = groundOf()): LaneBeside {
  const lane = new LaneBeside();
  lane.open(ground);
  return lane;
}

test('what is written beside is what is written here', async () => {
  await using lane = laneOf();
  await using engine = await Engine.open({ memoryBytes: MEMORY_BYTES, threads: 1, stageFolder: folder, files: [] });
  const session = await engine.session();
  const select = `select i, 'text, "' || i || '"' as t, date '1900-01-01' + (i % 90000)::integer as d from range(300000) r(i)`;
  for (const zstdLevel of [null, 1]) {
    const [there, here] = [writingOf(select, { zstdLevel, columns: 3 }), writingOf(select, { zstdLevel, columns: 3 })];
    assert.deepEqual(await lane.write(segmentOf(there)), { rows: 300_000, held: null });
    assert.deepEqual(await writeRows(session, here), { rows: 300_000, held: null });
    assert.ok((await readFile(there.path)).equals(await readFile(here.path)));
  }
});

test('what a lane holds comes across whole, segment after segment', async () => {
  await using lane = laneOf(groundOf(undefined, 2 ** 24));
  for (const count of [400_000, 0, 250_000]) {
    const select = `select md5(i::varchar) as t from range(${count}) r(i)`;
    const inFile = writingOf(select, { zstdLevel: 1 });
    await using engine = await Engine.open({ memoryBytes: MEMORY_BYTES, threads: 1, stageFolder: folder, files: [] });
    await writeRows(await engine.session(), inFile);
    const { blocksBytes, ...counts } = await readZstdSegment(inFile.path);
    const { rows, held } = await lane.write(segmentOf(writingOf(select, { zstdLevel: 1 })));
    const { blocks = [], ...told } = held ?? {};
    assert.deepEqual([rows, told], [count, { blocksBytes, ...counts }]);
    assert.ok(Buffer.concat(blocks).equals((await readFile(inFile.path)).subarray(0, blocksBytes)));
  }
});

test('threads that were started ahead are taken, and those that nobody takes end', async (t) => {
  const threads = new LaneThreads();
  t.after(() => threads.endAhead());
  threads.startAhead({ threads: 3, memoryBytes: MEMORY_BYTES });
  threads.startAhead({ threads: 3, memoryBytes: MEMORY_BYTES });
  threads.openAhead(2, groundOf());
  const running = () => process.getActiveResourcesInfo().filter((each) => each === 'MessagePort').length;
  const before = running();
  {
    await using lane = threads.take();
    assert.equal(running(), before);
    assert.deepEqual(await lane.write(segmentOf(writingOf('select 1::integer as i'))), { rows: 1, held: null });
    await threads.endAhead();
    assert.equal(running(), before - 2);
    assert.deepEqual(await lane.write(segmentOf(writingOf('select 2::integer as i'))), { rows: 1, held: null });
  }
  assert.equal(running(), before - 3);
  await using another = threads.take();
  another.open(groundOf());
  assert.deepEqual(await another.write(segmentOf(writingOf('select 3::integer as i'))), { rows: 1, held: null });
});

test('a lane that is opened for something else holds what it was told last', async () => {
  await using lane = laneOf();
  const zstd = () => segmentOf(writingOf('select 1::integer as i', { zstdLevel: 1 }));
  assert.equal((await lane.write(zstd())).held, null);
  lane.open(groundOf(undefined, 2 ** 20));
  assert.equal((await lane.write(zstd())).held?.rows, 1);
});

test('a lane with a thread of its own alone, or without memory for two, is none', () => {
  for (const limits of [
    { threads: 1, memoryBytes: 2 ** 30 },
    { threads: 4, memoryBytes: 2 ** 26 },
  ])
    assert.equal(mostBeside(limits), 0);
  assert.equal(mostBeside({ threads: 64, memoryBytes: 2 ** 34 }), 8);
});

test('what goes wrong is told, and the lane goes on', async () => {
  await using lane = laneOf();
  const broken = writingOf(`select case when i = 250000 then 'x' else '1' end::integer as i from range(300000) r(i)`);
  await assert.rejects(lane.write(segmentOf(broken)), { code: 'value.refused' });
  const elsewhere = { ...writingOf('select 1 as i'), path: join(folder, 'none', 'file') };
  await assert.rejects(lane.write(segmentOf(elsewhere)), { code: 'ENOENT' });
  const whole = writingOf('select 1::integer as i');
  assert.deepEqual(await lane.write(segmentOf(whole)), { rows: 1, held: null });
  assert.equal(await readFile(whole.path, 'utf8'), '1\n');
});

test('an engine that cannot be opened fails each segment', async () => {
  await using lane = laneOf(groundOf({ kind: 'table', inputs: [{ path: join(folder, 'none.duckdb') }] }));
  for (let times = 0; times < 2; times++) {
    await assert.rejects(lane.write(segmentOf(writingOf('select 1 as i'))), { name: 'Fault' });
  }
});

test('an engine that cannot be opened is no trouble where nobody writes', async () => {
  await using lane = laneOf(groundOf({ kind: 'table', inputs: [{ path: join(folder, 'none.duckdb') }] }));
  lane.open(groundOf());
  assert.deepEqual(await lane.write(segmentOf(writingOf('select 1::integer as i'))), { rows: 1, held: null });
  lane.open(groundOf({ kind: 'table', inputs: [{ path: join(folder, 'none.duckdb') }] }));
  await wait(SETTLED_MS);
});

test('a lane that has nothing left to write ends, but for that of a database file: others have it open', async () => {
  const instance = await DuckDBInstance.create(join(folder, 'one.duckdb'));
  instance.closeSync();
  for (const [ground, ends] of [
    [groundOf(), true],
    [groundOf({ kind: 'table', inputs: [{ path: join(folder, 'one.duckdb') }] }), false],
  ] as const) {
    const before = process.getActiveResourcesInfo().filter((each) => each === 'MessagePort').length;
    await using lane = laneOf(ground);
    await lane.write(segmentOf(writingOf('select 1::integer as i')));
    lane.leave();
    await wait(SETTLED_MS);
    const after = process.getActiveResourcesInfo().filter((each) => each === 'MessagePort').length;
    assert.equal(after - before, ends ? 0 : 1);
  }
});

test('a signal that has fired before ends what is begun', async () => {
  await using lane = laneOf();
  lane.heed(AbortSignal.abort());
  const endless = writingOf('select i from range(100000000000) r(i)');
  await assert.rejects(lane.write(segmentOf(endless)), { code: 'run.cancelled' });
});

test('a signal ends what is under way, and whatever is begun after it', async () => {
  const cancelling = new AbortController();
  await using lane = laneOf();
  lane.heed(cancelling.signal);
  const endless = writingOf('select i from range(100000000000) r(i)');
  const writing = lane.write(segmentOf(endless));
  cancelling.abort();
  await assert.rejects(writing, { code: 'run.cancelled' });
  const counted = 'select count(*) from range(100000000000) r(i) where i % 7 = 3';
  await assert.rejects(lane.write(segmentOf(writingOf(counted))), { code: 'run.cancelled' });
});
