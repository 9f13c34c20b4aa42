import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { MemorySink } from '../../test/memory-sink.ts';
import { csvBytes, MEBIBYTE } from '../../test/sample-bytes.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { SegmentPlace } from './join.ts';
import { ZstdJoiner } from './join-zstd.ts';
import { readZstdSegment, ZstdSegmentSink } from './zstd-segment.ts';

const LEVEL = 1;

let folder = '';
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zstd-segment-'));
});

after(() => rm(folder, { recursive: true }));

/** A segment of the text, written some bytes at a time. */
async function placedOf(text: Buffer, { step = MEBIBYTE, heldBytes = 0 } = {}): Promise<SegmentPlace> {
  const path = join(folder, `${files++}`);
  const counter = new RowCounter(true);
  await using sink = new ZstdSegmentSink(path, { level: LEVEL, heldBytes, counter });
  for (let at = 0; at < text.length; at += step) {
    const piece = counter.buffer.subarray(0, text.copy(counter.buffer, 0, at, at + step));
    await sink.write(piece);
  }
  await sink.end();
  return { path, held: sink.held };
}

/** The path of a segment's file. */
async function segmentOf(text: Buffer, step?: number): Promise<string> {
  const { path, held } = await placedOf(text, { step });
  assert.equal(held, null);
  return path;
}

async function joined(segments: readonly (string | SegmentPlace)[], head = 'a,b\n', tail = '') {
  const sink = new MemorySink();
  const text = { by: 'text', head, empty: head + tail, tail, separatorBytes: 0, isQuoted: true } as const;
  const joiner = new ZstdJoiner(sink, text, LEVEL);
  for (const each of segments) await joiner.append(typeof each === 'string' ? { path: each, held: null } : each);
  await joiner.finish();
  assert.ok(sink.ended);
  return { rows: joiner.rows, text: zstdDecompressSync(sink.bytes) };
}

/** Rows whose quoted values hold row ends, so long that they lie across pieces. */
const quoted = Buffer.from(
  Array.from({ length: 30_000 }, (_, row) => `${row},"line\nof ""${row}""\n${'-'.repeat(row % 90)}"\n`).join(''),
);

test('segments become one frame of all their text, with the rows counted in it', async () => {
  const plain = csvBytes(2 * MEBIBYTE + 5);
  const whole = plain.subarray(0, plain.lastIndexOf('\n') + 1);
  const segments = [await segmentOf(quoted), await segmentOf(Buffer.alloc(0)), await segmentOf(whole, 70_001)];
  const { rows, text } = await joined(segments);
  assert.ok(text.equals(Buffer.concat([Buffer.from('a,b\n'), quoted, whole])));
  assert.equal(rows, 30_000 + whole.toString('latin1').split('\n').length - 1);
  assert.deepEqual(await joined([]), { rows: 0, text: Buffer.from('a,b\n') });
  const framed = await joined(segments.slice(0, 1), '<rows>\n', '</rows>\n');
  assert.ok(framed.text.equals(Buffer.concat([Buffer.from('<rows>\n'), quoted, Buffer.from('</rows>\n')])));
  assert.equal(framed.rows, 30_000);
  assert.deepEqual(await joined([], '<rows>\n', '</rows>\n'), { rows: 0, text: Buffer.from('<rows>\n</rows>\n') });
});

test('a segment knows its sizes, whatever the pieces it was written in', async () => {
  for (const step of [1009, 70_001, MEBIBYTE]) {
    const path = await segmentOf(quoted, step);
    const { rows, textBytes, blocksBytes } = await readZstdSegment(path);
    assert.deepEqual([rows, textBytes], [30_000, quoted.length]);
    assert.ok(blocksBytes > 0 && blocksBytes < (await readFile(path)).length);
  }
});

test('what is held is what would be in the file, and has none', async () => {
  const noise = Buffer.from(
    randomBytes(6 * MEBIBYTE)
      .toString('hex')
      .replace(/.{64}/g, '$&\n')
      .concat('\n'),
  );
  for (const text of [noise, quoted, Buffer.alloc(0)]) {
    const inFile = await placedOf(text);
    const counts = await readZstdSegment(inFile.path);
    const { path, held } = await placedOf(text, { heldBytes: Math.max(1, counts.blocksBytes) });
    assert.equal(existsSync(path), false);
    assert.ok(held !== null);
    const { blocks, ...told } = held;
    assert.deepEqual(told, counts);
    const bytes = await readFile(inFile.path);
    assert.ok(Buffer.concat(blocks).equals(bytes.subarray(0, counts.blocksBytes)));
    const other = await placedOf(quoted);
    assert.deepEqual(await joined([other, { path, held }, other]), await joined([other, inFile, other]));
    assert.ok(blocks.every(({ buffer }) => buffer.detached));
  }
});

test('what was held and is not there any more is not joined', async () => {
  const place = await placedOf(quoted, { heldBytes: 8 * MEBIBYTE });
  await joined([place]);
  await assert.rejects(joined([place]), /became another/);
});

test('what is too much to be held is in the file, all of it', async () => {
  const bytes = await readFile(await segmentOf(quoted));
  const { blocksBytes } = await readZstdSegment(await segmentOf(quoted));
  for (const heldBytes of [1, blocksBytes >> 1, blocksBytes - 1]) {
    const { path, held } = await placedOf(quoted, { heldBytes });
    assert.equal(held, null);
    assert.ok((await readFile(path)).equals(bytes));
  }
});

test('text that ends inside a value is no segment', async () => {
  for (const heldBytes of [0, MEBIBYTE])
    await assert.rejects(placedOf(Buffer.from('1,"never closed\n'), { heldBytes }), /inside a quoted value/);
});

test('a segment that was cut, grew, or is none is not read', async () => {
  const whole = await readFile(await segmentOf(quoted));
  const path = join(folder, 'spoilt');
  for (const length of [0, 1, 31, whole.length - 1]) {
    await writeFile(path, whole);
    await truncate(path, length);
    await assert.rejects(readZstdSegment(path), /became another/);
  }
  for (const spoilt of [Buffer.concat([whole, whole.subarray(-1)]), quoted]) {
    await writeFile(path, spoilt);
    await assert.rejects(readZstdSegment(path), /became another/);
  }
});
