import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { fc } from '../../test/draws.ts';
import { MemorySink } from '../../test/memory-sink.ts';
import type { ByteSink } from './sink.ts';
import { zstdInto } from './zstd.ts';

const MEBIBYTE = 2 ** 20;
const MAGIC = 0xfd2fb528;
const HEADER_BYTES = 6;
const CHECKSUM_BYTES = 4;

async function compress(input: Uint8Array, level: number, chunkLengths: readonly number[] = []): Promise<Buffer> {
  const sink = new MemorySink();
  const zstd = zstdInto(sink, level);
  let at = 0;
  for (let index = 0; at < input.length; index += 1) {
    // The caller's memory may change as soon as the promise resolves: so it does here.
    const chunk = Uint8Array.from(input.subarray(at, at + (chunkLengths[index] ?? input.length)));
    await zstd.write(chunk);
    chunk.fill(0);
    at += chunk.length;
  }
  await zstd.end();
  assert.ok(sink.ended);
  return sink.bytes;
}

/** Bytes that look random and are the same in each run. */
function randomBytes(length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index += 1) {
    blocks.push(createHash('sha256').update(`${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function csvBytes(length: number): Buffer {
  const lines: string[] = [];
  let size = 0;
  for (let row = 0; size < length; row += 1) {
    const line = `${row},customer ${(row * 7919) % 10_007},"${(row * 31) % 997} items, packed",${row % 90}.25\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, length);
}

/** Walks the blocks (RFC 8878, section 3.1.1): one frame without a dictionary, its checksum, and nothing behind. */
function assertOneFrame(zstd: Buffer): void {
  assert.equal(zstd.readUInt32LE(0), MAGIC);
  // The checksum flag is set. A byte follows: the window, or for an empty frame the size of its content.
  assert.ok(zstd[4] === 0b0000_0100 || (zstd[4] === 0b0010_0100 && zstd[5] === 0));
  let at = HEADER_BYTES;
  for (let isLast = false; !isLast; ) {
    const header = zstd.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    const isRepeated = ((header >> 1) & 3) === 1;
    at += 3 + (isRepeated ? 1 : header >> 3);
  }
  assert.equal(at + CHECKSUM_BYTES, zstd.length);
}

const inputs: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['one block', csvBytes(MEBIBYTE)],
  ['one block and a byte', csvBytes(MEBIBYTE + 1)],
  ['5 MiB of text', csvBytes(5 * MEBIBYTE)],
  ['5 MiB of noise', randomBytes(5 * MEBIBYTE)],
  ['5 MiB of zeros and a bit', Buffer.alloc(5 * MEBIBYTE + 77)],
];
const hasTool = spawnSync('zstd', ['--version']).status === 0;

for (const [name, input] of inputs) {
  test(`${name}: a single frame that zstd reads`, async () => {
    for (const level of [1, 3, 9]) {
      const zstd = await compress(input, level);
      assertOneFrame(zstd);
      assert.ok(zstdDecompressSync(zstd).equals(input));
      if (!hasTool) continue;
      const run = spawnSync('zstd', ['-dc'], { input: zstd, maxBuffer: 64 * MEBIBYTE });
      assert.equal(run.status, 0, `${run.stderr}`);
      assert.ok(run.stdout.equals(input));
    }
  });
}

test('the checksum finds a changed byte of the content', async () => {
  // Noise stands in the frame as it is, so that only the checksum can tell.
  const zstd = await compress(randomBytes(1000), 1);
  zstd.writeUInt8(zstd.readUInt8(500) ^ 1, 500);
  assert.throws(() => zstdDecompressSync(zstd), { code: 'ZSTD_error_checksum_wrong' });
});

test('the bytes do not depend on how the input was chunked', async () => {
  const length = fc.oneof(
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: MEBIBYTE - 2, max: 3 * MEBIBYTE }),
    fc.constantFrom(MEBIBYTE, 2 * MEBIBYTE, 128 * 1024),
  );
  for (const [input, level] of [
    [csvBytes(3 * MEBIBYTE + 12_345), 1],
    [csvBytes(2 * MEBIBYTE), 3],
    [csvBytes(500), 5],
  ] as const) {
    const expected = await compress(input, level);
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 100 }), async (lengths) => {
        assert.ok((await compress(input, level, lengths)).equals(expected));
      }),
      { numRuns: 10 },
    );
  }
});

/** Fails from write number `failAt` on; every write takes a turn of the event loop. */
class FailingSink implements ByteSink {
  readonly #failAt: number;
  writes = 0;
  ended = false;

  constructor(failAt: number) {
    this.#failAt = failAt;
  }

  async write(): Promise<void> {
    const number = this.writes;
    this.writes += 1;
    await setImmediate();
    if (number >= this.#failAt) throw new Error('disk full');
  }

  async end(): Promise<void> {
    this.ended = true;
  }
}

for (const failAt of [0, 1, 5]) {
  test(`a sink that fails at write ${failAt} fails that and every later call, and is not ended`, async () => {
    const sink = new FailingSink(failAt);
    const zstd = zstdInto(sink, 1);
    const noise = randomBytes(MEBIBYTE);
    await assert.rejects(
      async () => {
        for (let block = 0; block < 20; block += 1) await zstd.write(noise);
      },
      { message: 'disk full' },
    );
    const { writes } = sink;
    await assert.rejects(zstd.write(noise), { message: 'disk full' });
    await assert.rejects(zstd.end(), { message: 'disk full' });
    assert.equal(sink.writes, writes);
    assert.equal(sink.ended, false);
  });
}

test('a sink that fails only after the last write fails the end', async () => {
  const sink = new FailingSink(0);
  const zstd = zstdInto(sink, 1);
  await zstd.write(Buffer.from('few bytes'));
  await assert.rejects(zstd.end(), { message: 'disk full' });
  assert.equal(sink.ended, false);
});

test('write waits for a slow sink', async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const zstd = zstdInto({ write: () => opened, end: async () => {} }, 1);
  const noise = randomBytes(MEBIBYTE);
  let taken = 0;
  const all = (async () => {
    for (let block = 0; block < 30; block += 1) {
      await zstd.write(noise);
      taken += 1;
    }
    await zstd.end();
  })();
  // Long after a sink that takes everything would have had it all.
  const quick = zstdInto(new MemorySink(), 1);
  for (let block = 0; block < 30; block += 1) await quick.write(noise);
  await quick.end();
  assert.ok(taken <= 6, `${taken} blocks were taken in`);
  open();
  await all;
  assert.equal(taken, 30);
});
