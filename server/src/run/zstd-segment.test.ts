import assert from 'node:assert/strict';
import { type FileHandle, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { MemorySink } from '../../test/memory-sink.ts';
import { csvBytes, MEBIBYTE } from '../../test/sample-bytes.ts';
import { ZstdJoiner } from './join-zstd.ts';
import { readZstdSegment, ZstdSegmentSink } from './zstd-segment.ts';

const LEVEL = 1;

let folder = '';
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zstd-segment-'));
});

after(() => rm(folder, { recursive: true }));

async function inFile<T>(use: (file: FileHandle, path: string) => Promise<T>): Promise<T> {
  const path = join(folder, `${files++}`);
  await using file = await open(path, 'w');
  return await use(file, path);
}

/** A segment of the text, written some bytes at a time. */
function segmentOf(text: Buffer, step = 70_001): Promise<string> {
  return inFile(async (file, path) => {
    const sink = new ZstdSegmentSink(file, LEVEL);
    for (let at = 0; at < text.length; at += step) await sink.write(text.subarray(at, at + step));
    await sink.end();
    return path;
  });
}

async function joined(segments: readonly string[], head = 'a,b\n') {
  const sink = new MemorySink();
  const text = { by: 'text', head, empty: head, tail: '', separatorBytes: 0, isQuoted: true } as const;
  const joiner = new ZstdJoiner(sink, text, LEVEL);
  for (const path of segments) await joiner.append(path);
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
  const segments = [await segmentOf(quoted), await segmentOf(Buffer.alloc(0)), await segmentOf(whole, 3 * MEBIBYTE)];
  const { rows, text } = await joined(segments);
  assert.ok(text.equals(Buffer.concat([Buffer.from('a,b\n'), quoted, whole])));
  assert.equal(rows, 30_000 + whole.toString('latin1').split('\n').length - 1);
  assert.deepEqual(await joined([]), { rows: 0, text: Buffer.from('a,b\n') });
});

test('a segment knows its sizes, whatever the steps it was written in', async () => {
  const paths = [
    await segmentOf(quoted, 1009),
    await segmentOf(quoted, MEBIBYTE),
    await segmentOf(quoted, quoted.length),
  ];
  const [first = '', ...others] = paths;
  const bytes = await readFile(first);
  for (const path of others) assert.ok((await readFile(path)).equals(bytes));
  const { rows, textBytes, blocksBytes } = await readZstdSegment(first);
  assert.deepEqual([rows, textBytes], [30_000, quoted.length]);
  assert.ok(blocksBytes > 0 && blocksBytes < bytes.length);
});

test('text that ends inside a value is no segment', async () => {
  await assert.rejects(segmentOf(Buffer.from('1,"never closed\n')), /inside a quoted value/);
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
