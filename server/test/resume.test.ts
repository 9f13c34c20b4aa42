import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { segmentsFolder, sortedFile } from '../src/run/execution.ts';
import type { Plan } from '../src/run/plan.ts';
import { ASKS, assertKept, ResumeGround, reusedOf, sumsOf, wholeSegments } from './resume.ts';

const SEGMENTS = 4;

describe('what an attempt left is used where it is whole, and only there', () => {
  let ground: ResumeGround;
  before(async () => {
    ground = await ResumeGround.open(SEGMENTS);
  });
  after(() => ground[Symbol.asyncDispose]());

  const spoilt: Readonly<Record<string, (segment: string) => void>> = {
    'a record of another plan': (segment) => editRecord(segment, { plan: '0'.repeat(64) }),
    'a record of another boot': (segment) => editRecord(segment, { boot: '00000000-0000-4000-8000-000000000000' }),
    'a record of another file': (segment) => editRecord(segment, { inode: '1' }),
    'a record without its rows': (segment) => editRecord(segment, { rows: undefined }),
    'half a record': (segment) => truncateSync(`${segment}.done`, 40),
    'an empty record': (segment) => truncateSync(`${segment}.done`, 0),
    'no record, but a draft of one': (segment) => {
      writeFileSync(`${segment}.done.new`, readFileSync(`${segment}.done`));
      rmSync(`${segment}.done`);
    },
    'no record': (segment) => rmSync(`${segment}.done`),
    'a record without a segment': (segment) => rmSync(segment),
    'a shorter segment': (segment) => truncateSync(segment, statSync(segment).size - 1),
    'a shorter segment of the same time': (segment) => {
      const kept = `${segment}.time`;
      writeFileSync(kept, '');
      spawnSync('touch', ['-r', segment, kept]);
      truncateSync(segment, statSync(segment).size - 1);
      spawnSync('touch', ['-r', kept, segment]);
      rmSync(kept);
    },
    'an empty segment': (segment) => truncateSync(segment, 0),
    'a segment with other bytes': changeByte,
  };
  describe('a segment is written anew, and no other, where there is', () => {
    // Each begins with what the one before it ended with.
    before(async () => void (await ground.attempt(await ground.plan(ASKS.csv))));
    after(() => ground.startOver());
    for (const [what, spoil] of Object.entries(spoilt)) {
      test(what, async () => {
        const plan = await ground.plan(ASKS.csv);
        const stage = await ground.nextStage();
        const segment = segmentOf(stage, plan, 2);
        const left = new Map(await wholeSegments(stage, plan));
        assert.equal(left.size, SEGMENTS);
        assert.ok(left.delete(basename(segment)));
        spoil(segment);
        const { results } = await ground.attempt(oneLane(plan), { stage });
        assert.deepEqual(results[0]?.segments, { total: SEGMENTS, reused: SEGMENTS - 1 });
        await assertKept(stage, left);
        assert.deepEqual(await sumsOf(stage, results), await ground.undisturbed(plan));
      });
    }
  });

  test('all are of another plan: none is used', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS.csv);
    const expected = await ground.undisturbed(plan);
    await ground.attempt(await ground.plan({ ...ASKS.csv, filter: { kind: { eq: 'k1' } } }));
    const { stage, results } = await ground.attempt(plan);
    assert.equal(reusedOf(results), 0);
    assert.deepEqual(await sumsOf(stage, results), expected);
  });

  test('other limits are no other plan', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS.parquet);
    await ground.attempt(plan);
    const { results } = await ground.attempt(oneLane(plan));
    assert.equal(reusedOf(results), SEGMENTS);
  });

  test('nothing is kept or used where nothing was promised', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS.csv);
    const first = await ground.attempt(oneLane(plan), { isResumable: false });
    assert.deepEqual(readdirSync(segmentsFolder(first.stage)), []);
  });

  test('a fault in the middle leaves what was whole before it', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS['csv and parquet']);
    const expected = await ground.undisturbed(plan);
    let joined = 0;
    const segmentWritten = async () => {
      if (++joined === SEGMENTS + 3) throw new Error('disturbed');
    };
    await assert.rejects(ground.attempt(plan, { segmentWritten }), /disturbed/);
    const stage = await ground.nextStage();
    const left = await wholeSegments(stage, plan);
    assert.ok(left.size >= SEGMENTS + 3, `${left.size} were whole`);
    const { results } = await ground.attempt(plan, { stage });
    await assertKept(stage, left);
    assert.equal(reusedOf(results), left.size);
    assert.deepEqual(await sumsOf(stage, results), expected);
  });

  test('attempts that ended before they wrote anything lose nothing', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = oneLane(await ground.plan(ASKS.csv));
    await ground.attempt(plan);
    // What an attempt does first: a stage, with nothing in it yet but the folder for files.
    for (const isFolderMade of [false, true]) await ground.emptyStage(isFolderMade);
    const { results } = await ground.attempt(plan);
    assert.equal(reusedOf(results), SEGMENTS);
  });

  test('an attempt that was given up but still writes changes nothing', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS.csv);
    const { promise: joined, resolve: goOn } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const segmentWritten = () => {
      begun.resolve();
      return joined;
    };
    const givenUp = assert.rejects(ground.attempt(plan, { segmentWritten }), (error: unknown) => !!error);
    await begun.promise;
    const stage = await ground.nextStage();
    const following = ground.attempt(plan, { stage });
    goOn();
    await givenUp;
    assert.deepEqual(await sumsOf(stage, (await following).results), await ground.undisturbed(plan));
  });

  test('a sorted run uses the sorted rows again', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS['csv ordered']);
    const expected = await ground.undisturbed(plan);
    await ground.attempt(plan);
    const stage = await ground.nextStage();
    const sorted = statSync(sortedFile(stage), { bigint: true });
    for (const at of [0, 3]) rmSync(segmentOf(stage, plan, at));
    const { results } = await ground.attempt(oneLane(plan), { stage });
    assert.equal(statSync(sortedFile(stage), { bigint: true }).mtimeNs, sorted.mtimeNs);
    assert.equal(reusedOf(results), SEGMENTS - 2);
    assert.deepEqual(await sumsOf(stage, results), expected);
  });

  test('sorted rows that are not whole are sorted anew', async () => {
    await using _ = { [Symbol.asyncDispose]: () => ground.startOver() };
    const plan = await ground.plan(ASKS['csv ordered']);
    const expected = await ground.undisturbed(plan);
    await ground.attempt(plan);
    const stage = await ground.nextStage();
    changeByte(sortedFile(stage));
    rmSync(segmentOf(stage, plan, 1));
    const { results } = await ground.attempt(oneLane(plan), { stage });
    assert.equal(reusedOf(results), SEGMENTS - 1);
    assert.deepEqual(await sumsOf(stage, results), expected);
  });
});

/** Writes in this thread what two lanes start threads for: which segments are whole is the same to both. */
function oneLane(plan: Plan): Plan {
  return { ...plan, limits: { ...plan.limits, threads: 1 } };
}

function segmentOf(stage: string, { outputs }: Plan, at: number): string {
  return join(segmentsFolder(stage), `${outputs[0]?.path}.${at}`);
}

function editRecord(segment: string, change: object): void {
  const record = JSON.parse(readFileSync(`${segment}.done`, 'utf8'));
  writeFileSync(`${segment}.done`, JSON.stringify({ ...record, ...change }));
}

/** Keeps the size. */
function changeByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(path, bytes, { flag: 'r+' });
}
