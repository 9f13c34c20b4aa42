import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import { draws, fc } from '../../test/draws.ts';
import { FailingSink, MemorySink, writeChunked } from '../../test/memory-sink.ts';
import { csvBytes, MEBIBYTE, noiseBytes } from '../../test/sample-bytes.ts';
import { gzipInto } from './gzip.ts';
import type { ByteSink } from './sink.ts';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

async function compress(input: Uint8Array, level: number, chunkLengths: readonly number[] = []): Promise<Buffer> {
  const sink = new MemorySink();
  await writeChunked(gzipInto(sink, level), input, chunkLengths);
  assert.ok(sink.ended);
  return sink.bytes;
}

/** Checks the member by its layout: header, one deflate stream that ends right at the trailer, trailer. */
function assertSingleMember(gzip: Buffer, input: Buffer): void {
  assert.deepEqual([...gzip.subarray(0, HEADER_BYTES)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const body = gzip.subarray(HEADER_BYTES, -TRAILER_BYTES);
  const inflated = inflateRawSync(body, { info: true }) as unknown as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  assert.equal(inflated.engine.bytesWritten, body.length);
  assert.ok(inflated.buffer.equals(input));
  assert.equal(gzip.readUInt32LE(gzip.length - 8), crc32(input));
  assert.equal(gzip.readUInt32LE(gzip.length - 4), input.length);
}

function assertReadBy(command: string, args: readonly string[], gzip: Buffer, output: Buffer): void {
  const run = spawnSync(command, args, { input: gzip, maxBuffer: 64 * MEBIBYTE });
  assert.equal(run.status, 0, `${command} ${args.join(' ')}: ${run.stderr}`);
  assert.ok(run.stdout.equals(output), `${command} gives other bytes`);
}

/** More blocks than are under way at a time. */
const LONG_BYTES = 4 * MEBIBYTE + 77;
const text = csvBytes(LONG_BYTES);
const noise = noiseBytes(LONG_BYTES);

const inputs: readonly (readonly [name: string, input: Buffer, levels: readonly number[]])[] = [
  ['nothing', Buffer.alloc(0), [0, 1, 9]],
  ['one byte', Buffer.from('x'), [0, 1, 9]],
  ['one block', text.subarray(0, MEBIBYTE), [1]],
  ['one block and a byte', text.subarray(0, MEBIBYTE + 1), [0, 1, 9]],
  ['5 blocks of text', text, [1]],
  ['5 blocks of noise', noise, [1]],
  ['5 blocks of zeros', Buffer.alloc(LONG_BYTES), [0, 1, 9]],
];
const hasPython = spawnSync('python3', ['--version']).status === 0;

for (const [name, input, levels] of inputs) {
  test(`${name}: a single member that gzip, Python and zlib read`, async () => {
    for (const level of levels) assertSingleMember(await compress(input, level), input);
    const gzip = await compress(input, 6);
    assertSingleMember(gzip, input);
    assert.ok(gunzipSync(gzip).equals(input));
    assertReadBy('gzip', ['-dc'], gzip, input);
    const script = 'import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))';
    if (hasPython) assertReadBy('python3', ['-c', script], gzip, input);
  });
}

test('a block points back into the one before', async () => {
  // 16 KiB of noise at the end of a block and again at the start of the next: the second time costs almost nothing.
  const block = noise.subarray(0, MEBIBYTE);
  const repeated = Buffer.concat([block, block.subarray(-16 * 1024)]);
  const growth = (await compress(repeated, 6)).length - (await compress(block, 6)).length;
  assert.ok(growth < 1024, `16 KiB seen before took ${growth} bytes`);
});

test('the bytes do not depend on how the input was chunked', async () => {
  const input = text.subarray(0, 3 * MEBIBYTE + 12_345);
  const expected = await compress(input, 1);
  const length = fc.oneof(
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: MEBIBYTE - 2, max: 3 * MEBIBYTE }),
    fc.constantFrom(MEBIBYTE, 2 * MEBIBYTE, 32_768),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 100 }), async (lengths) => {
      assert.ok((await compress(input, 1, lengths)).equals(expected));
    }),
    { numRuns: draws({ few: 8, many: 200 }) },
  );
});

/** Runs `body`, then gives promises time to be found unhandled. */
async function assertNothingUnhandled(body: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  await body();
  await setTimeout(20);
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
}

test('a failing sink fails the write or the end and later calls, and nothing goes unhandled', async () => {
  const block = noise.subarray(0, MEBIBYTE);
  for (const failAt of [0, 1, 2, 4, 7]) {
    const sink = new FailingSink(failAt);
    const gzip = gzipInto(sink, 1);
    const expected = { message: `disk full at write ${failAt}` };
    const feed = async (): Promise<void> => {
      for (let count = 0; count < 6; count += 1) await gzip.write(block);
      await gzip.end();
    };
    await assertNothingUnhandled(() => assert.rejects(feed, expected));
    if (failAt < 7) await assert.rejects(gzip.write(Buffer.from('x')), expected);
    assert.equal(sink.writes, failAt + 1);
    assert.equal(sink.ended, false);
  }
});

test('a compression that fails rejects, also when the sink fails as well', async () => {
  const sinks = [new MemorySink(), new FailingSink(0)];
  for (const sink of sinks) {
    await assertNothingUnhandled(async () => {
      const gzip = gzipInto(sink, 99);
      await gzip.write(Buffer.from('x'));
      await assert.rejects(gzip.end(), sink instanceof MemorySink ? RangeError : /disk full/);
      assert.equal(sink.ended, false);
    });
  }
});

test('write waits while three blocks are under way', async () => {
  let release = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  const memory = new MemorySink();
  const slow: ByteSink = { write: (bytes) => opened.then(() => memory.write(bytes)), end: () => memory.end() };
  const gzip = gzipInto(slow, 1);
  const input = csvBytes(6 * MEBIBYTE);
  let written = 0;
  const feed = async (): Promise<void> => {
    for (; written < 6; written += 1) await gzip.write(input.subarray(written * MEBIBYTE, (written + 1) * MEBIBYTE));
    await gzip.end();
  };
  const fed = feed();
  await setTimeout(200);
  assert.equal(written, 3);
  release();
  await fed;
  assert.ok(gunzipSync(memory.bytes).equals(input));
});
