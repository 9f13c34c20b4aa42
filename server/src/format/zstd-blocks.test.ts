import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { draws, fc } from '../../test/draws.ts';
import { csvBytes, MEBIBYTE, noiseBytes } from '../../test/sample-bytes.ts';
import { zstdBlocks, zstdBlocksInPool } from './zstd-blocks.ts';
import { ZSTD_FRAME_END, ZSTD_FRAME_HEADER } from './zstd-frame.ts';
import { compressPiece } from './zstd-piece.ts';

const LEVELS = [1, 2, 3, 6, 12, 19] as const;
const hasTool = spawnSync('zstd', ['--version']).status === 0;

function frameOf(blocks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([ZSTD_FRAME_HEADER, ...blocks, ZSTD_FRAME_END]);
}

/** Three readers that share no code with ours; two of them none with each other. */
function assertReads(frame: Buffer, text: Buffer): void {
  assert.ok(zstdDecompressSync(frame).equals(text), 'Node reads other bytes');
  assert.ok(Buffer.from(decompress(frame)).equals(text), 'fzstd reads other bytes');
  if (!hasTool) return;
  const run = spawnSync('zstd', ['-dc'], { input: frame, maxBuffer: 64 * MEBIBYTE });
  assert.equal(run.status, 0, `${run.stderr}`);
  assert.ok(run.stdout.equals(text), 'zstd reads other bytes');
}

function compressAt(level: number, text: Uint8Array): Buffer {
  return zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

const LONG_TEXT = csvBytes(400_000);
const NOISE = noiseBytes(200_000);

/** What invites an encoder to use the offsets that a frame begins with: 1, 4 and 8. */
const inviting: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.constantFrom(',', '0', 'a', '\n'), fc.integer({ min: 1, max: 12 })).map(([byte, n]) => byte.repeat(n)),
  fc
    .tuple(fc.constantFrom(1, 2, 3, 4, 8), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 20 }))
    .map(([period, count, from]) =>
      'kqzwvxjyfbgmpdhtlcrs'
        .repeat(2)
        .slice(from, from + period)
        .repeat(count),
    ),
  fc.string({ unit: fc.constantFrom('a', 'b', ','), maxLength: 40 }),
  fc.integer({ min: 1, max: 30 }).map((columns) => `7${','.repeat(columns)}\n`.repeat(4)),
  fc.integer({ min: 0, max: 5000 }).map((from) => NOISE.toString('base64', from, from + 30)),
);

/** Without a match or a run, and longer than runs are looked for. */
const QUIET = NOISE.toString('base64', 0, 240);

/**
 * Begins with such things, which come again after a first match, too, or with something quiet before; then goes on as
 * usual text does.
 */
const invitingText: fc.Arbitrary<Buffer> = fc
  .record({
    quiet: fc.constantFrom('', '', QUIET),
    parts: fc.array(inviting, { minLength: 1, maxLength: 8 }),
    isTwice: fc.boolean(),
    length: fc.constantFrom(0, 0, 100, 3000, 20_000, 140_000, 300_000),
    usual: fc.constantFrom(LONG_TEXT, NOISE),
  })
  .map(({ quiet, parts, isTwice, length, usual }) => {
    const start = Buffer.from(quiet + parts.join('').repeat(isTwice ? 2 : 1));
    return Buffer.concat([start, usual.subarray(0, length), start]);
  });

for (const level of LEVELS) {
  test(`level ${level}: pieces of any beginning are read as they were`, () => {
    // In between a piece that leaves other offsets behind.
    const between = LONG_TEXT.subarray(0, 2000);
    fc.assert(
      fc.property(fc.array(invitingText, { minLength: 1, maxLength: 6 }), (texts) => {
        const pieces = texts.flatMap((text) => [between, text]);
        assertReads(frameOf(pieces.map((piece) => zstdBlocks(piece, level))), Buffer.concat(pieces));
      }),
      { numRuns: draws(level > 6 ? { few: 8, many: 120 } : { few: 25, many: 500 }) },
    );
  });
}

test('the pool makes the same blocks', async () => {
  await fc.assert(
    fc.asyncProperty(invitingText, fc.constantFrom(...LEVELS), async (text, level) => {
      assert.ok((await zstdBlocksInPool(text, level)).equals(zstdBlocks(text, level)));
    }),
    { numRuns: draws({ few: 20, many: 200 }) },
  );
});

test('a run at the beginning costs a block of one match, and no second try', () => {
  const piece = Buffer.concat([Buffer.from('7,,,,,,,,\n'), LONG_TEXT]);
  const work = compressPiece(piece, 1);
  const first = work.next();
  assert.ok(!first.done);
  // One byte and a comma are raw; seven commas are the match.
  assert.equal(first.value.text.length, piece.length - 9);
  const last = work.next(compressAt(1, first.value.text));
  assert.ok(last.done);
  const raw = [2 << 3, 0, 0, ...Buffer.from('7,')];
  // Offset 1 is the value 4: code 2 and the bits 00 below the end mark. A length of 7 is code 4.
  const match = [(7 << 3) | (2 << 1), 0, 0, 0, 1, 0b0101_0100, 0, 2, 4, 0b100];
  assert.deepEqual([...last.value.subarray(0, 15)], [...raw, ...match]);
  assertReads(frameOf([zstdBlocks(LONG_TEXT, 1), last.value]), Buffer.concat([LONG_TEXT, piece]));
});

/** Periods of 4, each behind noise: at level 19 the first one is a match by the offset of 4 that a frame begins with. */
const periods = Buffer.concat(
  Array.from({ length: 12 }, (_, index) => {
    const noise = NOISE.toString('hex', index * 100, index * 100 + 20);
    return Buffer.from(noise + NOISE.toString('hex', 5000 + index * 2, 5002 + index * 2).repeat(6));
  }),
);

/** Runs the steps of a piece at a level of our own; how often it was compressed, and the blocks. */
function compressSteps(piece: Buffer, levelOf: (asked: number) => number): { tries: number[]; blocks: Buffer } {
  const work = compressPiece(piece, 19);
  const tries: number[] = [];
  for (let step = work.next(); ; ) {
    if (step.done) return { tries, blocks: step.value };
    tries.push(step.value.level);
    step = work.next(compressAt(levelOf(step.value.level), step.value.text));
  }
}

test('a borrowed match is written out, twice at the level and then at level 1', () => {
  const { tries, blocks } = compressSteps(periods, (asked) => asked);
  assert.deepEqual(tries, [19, 19, 1]);
  assertReads(frameOf([zstdBlocks(LONG_TEXT, 1), blocks]), Buffer.concat([LONG_TEXT, periods]));
});

test('where every try borrows, the rest is raw', () => {
  const { tries, blocks } = compressSteps(periods, () => 19);
  assert.deepEqual(tries, [19, 19, 1, 1]);
  assert.ok(blocks.length > periods.length / 2);
  assertReads(frameOf([zstdBlocks(LONG_TEXT, 1), blocks]), Buffer.concat([LONG_TEXT, periods]));
});

test('rows that are all the same, then others: what was compressed stays so', () => {
  // A match of all rows, with an offset of the text's own, up to the run: that has no literals before it.
  const piece = Buffer.concat([
    Buffer.from('1,abcdefgh,2\n'.repeat(70_000)),
    Buffer.from(`1,abcdefgh,2\n${'\n'.repeat(40)}`),
    LONG_TEXT.subarray(0, 100_000),
  ]);
  for (const level of [1, 3, 6, 12]) {
    const blocks = zstdBlocks(piece, level);
    assert.ok(blocks.length < 2 ** 17 + compressAt(level, piece).length, `${blocks.length} bytes at level ${level}`);
    assertReads(frameOf([zstdBlocks(LONG_TEXT, 1), blocks]), Buffer.concat([LONG_TEXT, piece]));
  }
});

test('a piece of nothing has no blocks, and a longer one than 1 MiB is refused', () => {
  assert.equal(zstdBlocks(Buffer.alloc(0), 1).length, 0);
  assert.throws(() => zstdBlocks(Buffer.alloc(MEBIBYTE + 1), 1), RangeError);
});
