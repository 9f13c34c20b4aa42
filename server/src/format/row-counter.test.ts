import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../test/assemble.ts';
import { fc } from '../../test/draws.ts';
import { makeMemory } from '../base/wasm.ts';
import { RowCounter } from './row-counter.ts';
import { ROW_COUNTER_WASM_BASE64 } from './row-counter.wasm.ts';

const BUFFER_BYTES = 2 ** 20;

interface Counted {
  readonly rows: number;
  readonly insideQuotes: boolean;
}

function countOneByOne(text: Uint8Array, quoteAware: boolean): Counted {
  let rows = 0;
  let insideQuotes = false;
  for (const byte of text) {
    if (byte === 0x22 && quoteAware) insideQuotes = !insideQuotes;
    if (byte === 0x0a && !insideQuotes) rows += 1;
  }
  return { rows, insideQuotes };
}

function countInChunks(text: Uint8Array, quoteAware: boolean, lengths: readonly number[]): Counted {
  const counter = new RowCounter(quoteAware);
  // What a shorter fill leaves behind it must not be counted.
  counter.buffer.fill('\n"', 0, 1024);
  let at = 0;
  for (let index = 0; at < text.length; index += 1) {
    const chunk = text.subarray(at, at + (lengths[index] ?? BUFFER_BYTES));
    counter.buffer.set(chunk);
    counter.count(counter.buffer.subarray(0, chunk.length));
    at += chunk.length;
  }
  return { rows: counter.rows, insideQuotes: counter.insideQuotes };
}

test('counts as a byte-by-byte count does, whatever the chunks', () => {
  // Quotes and newlines, the bytes next to them, and those that a signed or 7-bit comparison would confuse.
  const byte = fc.constantFrom(0x22, 0x22, 0x22, 0x0a, 0x0a, 0x0a, 0x2c, 0x0b, 0x09, 0x23, 0x00, 0x8a, 0xa2, 0xff);
  const text = fc.array(byte, { maxLength: 700, size: 'max' }).map((bytes) => Uint8Array.from(bytes));
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(63, 64, 65, 128)));
  fc.assert(
    fc.property(text, lengths, fc.boolean(), (bytes, chunkLengths, quoteAware) => {
      assert.deepEqual(countInChunks(bytes, quoteAware, chunkLengths), countOneByOne(bytes, quoteAware));
    }),
    { numRuns: 2000 },
  );
});

test('counts a full buffer to its last byte, and leaves the bytes as they are', () => {
  const counter = new RowCounter(true);
  counter.buffer.fill('\n');
  counter.count(counter.buffer);
  counter.count(counter.buffer);
  assert.equal(counter.rows, 2 * BUFFER_BYTES);
  assert.ok(counter.buffer.every((byte) => byte === 0x0a));
  counter.buffer.write('"', BUFFER_BYTES - 1);
  counter.count(counter.buffer);
  assert.equal(counter.rows, 3 * BUFFER_BYTES - 1);
  assert.equal(counter.insideQuotes, true);
  counter.buffer.fill('\n');
  counter.count(counter.buffer);
  assert.equal(counter.rows, 3 * BUFFER_BYTES - 1);
});

test('counts where the text stands, in memory of somebody else as well', () => {
  const memory = makeMemory(18);
  const bytes = Buffer.from(memory.buffer).fill('\n');
  const counter = new RowCounter(true, memory);
  counter.count(bytes.subarray(77, 77 + 5));
  counter.count(bytes.subarray(65_536 - 64, 65_536 - 64 + BUFFER_BYTES));
  assert.equal(counter.rows, 5 + BUFFER_BYTES);
});

test('refuses bytes that stand elsewhere, and too many of them', () => {
  const memory = makeMemory(18);
  const counter = new RowCounter(false, memory);
  for (const bytes of [Buffer.alloc(10, '\n'), Buffer.from(memory.buffer, 0, BUFFER_BYTES + 1)])
    assert.throws(() => counter.count(bytes), RangeError);
  const before = Buffer.from(memory.buffer, 0, 10);
  memory.grow(1);
  assert.throws(() => counter.count(before), RangeError);
  assert.equal(counter.rows, 0);
});

test('counters do not share state', () => {
  const [first, second] = [new RowCounter(true), new RowCounter(true)];
  first.buffer.write('a"\n');
  first.count(first.buffer.subarray(0, 3));
  assert.equal(second.buffer[0], 0);
  second.buffer.write('a\n');
  second.count(second.buffer.subarray(0, 2));
  assert.deepEqual([first.rows, first.insideQuotes, second.rows, second.insideQuotes], [0, true, 1, false]);
});

test('row-counter.wasm.ts is what row-counter.wat assembles to', async () => {
  const wat = new URL('row-counter.wat', import.meta.url);
  const { base64, file } = await assemble('ROW_COUNTER_WASM_BASE64', wat);
  assert.ok(base64 === ROW_COUNTER_WASM_BASE64, `row-counter.wasm.ts is out of date; it should hold:\n${file}\n`);
});
