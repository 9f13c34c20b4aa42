import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { draws, fc } from '../../test/draws.ts';
import { FailingSink, MemorySink, writeChunked } from '../../test/memory-sink.ts';
import { csvBytes, MEBIBYTE, noiseBytes } from '../../test/sample-bytes.ts';
import { zstdInto } from './zstd.ts';
import { ZSTD_FRAME_HEADER } from './zstd-frame.ts';

async function compress(input: Uint8Array, level: number, chunkLengths: readonly number[] = []): Promise<Buffer> {
  const sink = new MemorySink();
  await writeChunked(zstdInto(sink, level), input, chunkLengths);
  assert.ok(sink.ended);
  return sink.bytes;
}

/** Walks the blocks (RFC 8878, section 3.1.1): one frame with its fixed header and end, and nothing behind. */
function assertOneFrame(zstd: Buffer): void {
  assert.deepEqual(zstd.subarray(0, ZSTD_FRAME_HEADER.length), Buffer.from(ZSTD_FRAME_HEADER));
  let at = ZSTD_FRAME_HEADER.length;
  for (let isLast = false; !isLast; ) {
    const header = zstd.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    const isRepeated = ((header >> 1) & 3) === 1;
    at += 3 + (isRepeated ? 1 : header >> 3);
  }
  assert.equal(at, zstd.length);
  assert.deepEqual(zstd.subarray(-3), Buffer.from([1, 0, 0]));
}

/** More blocks than are under way at a time. */
const LONG_BYTES = 4 * MEBIBYTE + 77;
const text = csvBytes(LONG_BYTES);
const noise = noiseBytes(LONG_BYTES);

const emptyCells = Buffer.from(
  Array.from(
    { length: 200_000 },
    (_, row) => `${row},,,,,,${row % 7 === 0 ? `x${row}` : ''},,,,,${(row * 7919) % 97},,\n`,
  ).join(''),
).subarray(0, LONG_BYTES);

const inputs: readonly (readonly [name: string, input: Buffer, levels: readonly number[]])[] = [
  ['nothing', Buffer.alloc(0), [1, 3, 9]],
  ['one byte', Buffer.from('x'), [1, 3, 9]],
  ['one block', text.subarray(0, MEBIBYTE), [3]],
  ['one block and a byte', text.subarray(0, MEBIBYTE + 1), [1, 3, 9]],
  ['5 blocks of text', text, [3]],
  ['5 blocks of noise', noise, [3]],
  ['5 blocks of zeros', Buffer.alloc(LONG_BYTES), [1, 3, 9]],
  ['5 blocks of CSV with empty cells', emptyCells, [1, 2, 3, 6]],
  ['a block and more of CSV with empty cells', emptyCells.subarray(0, 1.2 * MEBIBYTE), [12, 19]],
];
const hasTool = spawnSync('zstd', ['--version']).status === 0;

for (const [name, input, levels] of inputs) {
  test(`${name}: a single frame that zstd reads`, async () => {
    for (const level of levels) {
      const zstd = await compress(input, level);
      assertOneFrame(zstd);
      assert.ok(zstdDecompressSync(zstd).equals(input));
      assert.ok(Buffer.from(decompress(zstd)).equals(input));
      if (!hasTool) continue;
      const run = spawnSync('zstd', ['-dc'], { input: zstd, maxBuffer: 64 * MEBIBYTE });
      assert.equal(run.status, 0, `${run.stderr}`);
      assert.ok(run.stdout.equals(input));
    }
  });
}

test('the bytes do not depend on how the input was chunked', async () => {
  const length = fc.oneof(
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: MEBIBYTE - 2, max: 3 * MEBIBYTE }),
    fc.constantFrom(MEBIBYTE, 2 * MEBIBYTE, 128 * 1024),
  );
  for (const [input, level] of [
    [text.subarray(0, 3 * MEBIBYTE + 12_345), 1],
    [text.subarray(0, 2 * MEBIBYTE), 3],
    [text.subarray(0, 500), 5],
  ] as const) {
    const expected = await compress(input, level);
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 100 }), async (lengths) => {
        assert.ok((await compress(input, level, lengths)).equals(expected));
      }),
      { numRuns: draws({ few: 4, many: 100 }) },
    );
  }
});

for (const failAt of [0, 1, 5]) {
  test(`a sink that fails at write ${failAt} fails that and every later call, and is not ended`, async () => {
    const sink = new FailingSink(failAt);
    const zstd = zstdInto(sink, 1);
    const block = noise.subarray(0, MEBIBYTE);
    await assert.rejects(async () => {
      for (let count = 0; count < 20; count += 1) await zstd.write(block);
    }, /disk full/);
    const { writes } = sink;
    await assert.rejects(zstd.write(block), /disk full/);
    await assert.rejects(zstd.end(), /disk full/);
    assert.equal(sink.writes, writes);
    assert.equal(sink.ended, false);
  });
}

test('a sink that fails only after the last write fails the end', async () => {
  const sink = new FailingSink(0);
  const zstd = zstdInto(sink, 1);
  await zstd.write(Buffer.from('few bytes'));
  await assert.rejects(zstd.end(), /disk full/);
  assert.equal(sink.ended, false);
});

test('write waits for a slow sink', async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const zstd = zstdInto({ write: () => opened, end: async () => {} }, 1);
  const block = noise.subarray(0, MEBIBYTE);
  let taken = 0;
  const all = (async () => {
    for (let count = 0; count < 30; count += 1) {
      await zstd.write(block);
      taken += 1;
    }
    await zstd.end();
  })();
  // Long after a sink that takes everything would have had it all.
  const quick = zstdInto(new MemorySink(), 1);
  for (let count = 0; count < 30; count += 1) await quick.write(block);
  await quick.end();
  assert.ok(taken <= 6, `${taken} blocks were taken in`);
  open();
  await all;
  assert.equal(taken, 30);
});
