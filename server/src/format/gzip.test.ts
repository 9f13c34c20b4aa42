import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import { fc } from '../../test/draws.ts';
import { MemorySink } from '../../test/memory-sink.ts';
import { gzipInto } from './gzip.ts';
import type { ByteSink } from './sink.ts';

const MEBIBYTE = 2 ** 20;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

/** Fails from write number `failAt` on (0 is the header); every write takes a turn of the event loop. */
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
    if (number >= this.#failAt) throw new Error(`disk full at write ${number}`);
  }

  async end(): Promise<void> {
    this.ended = true;
  }
}

async function compress(input: Uint8Array, level: number, chunkLengths: readonly number[] = []): Promise<Buffer> {
  const sink = new MemorySink();
  const gzip = gzipInto(sink, level);
  let at = 0;
  for (let index = 0; at < input.length; index += 1) {
    // The caller's memory may change as soon as the promise resolves: so it does here.
    const chunk = Uint8Array.from(input.subarray(at, at + (chunkLengths[index] ?? input.length)));
    await gzip.write(chunk);
    chunk.fill(0);
    at += chunk.length;
  }
  await gzip.end();
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

const inputs: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['one block', csvBytes(MEBIBYTE)],
  ['one block and a byte', csvBytes(MEBIBYTE + 1)],
  ['5 MiB of text', csvBytes(5 * MEBIBYTE)],
  ['5 MiB of noise', randomBytes(5 * MEBIBYTE)],
  ['5 MiB of zeros and a bit', Buffer.alloc(5 * MEBIBYTE + 77)],
];
const hasPython = spawnSync('python3', ['--version']).status === 0;

for (const [name, input] of inputs) {
  test(`${name}: a single member that gzip, Python and zlib read`, async () => {
    for (const level of [0, 1, 9]) assertSingleMember(await compress(input, level), input);
    const gzip = await compress(input, 6);
    assertSingleMember(gzip, input);
    assert.ok(gunzipSync(gzip).equals(input));
    assertReadBy('gzip', ['-t'], gzip, Buffer.alloc(0));
    assertReadBy('gzip', ['-dc'], gzip, input);
    const script = 'import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))';
    if (hasPython) assertReadBy('python3', ['-c', script], gzip, input);
  });
}

test('a block points back into the one before', async () => {
  // 16 KiB of noise at the end of a block and again at the start of the next: the second time costs almost nothing.
  const noise = randomBytes(MEBIBYTE);
  const repeated = Buffer.concat([noise, noise.subarray(-16 * 1024)]);
  const growth = (await compress(repeated, 6)).length - (await compress(noise, 6)).length;
  assert.ok(growth < 1024, `16 KiB seen before took ${growth} bytes`);
});

test('the bytes do not depend on how the input was chunked', async () => {
  const input = csvBytes(3 * MEBIBYTE + 12_345);
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
    { numRuns: 25 },
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
  const block = randomBytes(MEBIBYTE);
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
