import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressInto, endingOf, mediaTypeOf } from './compression.ts';
import { compressionOptions } from './options.ts';

test('a name or an object, always parsed to an object with a level', () => {
  const cases: readonly (readonly [unknown, object])[] = [
    [undefined, { type: 'none' }],
    ['none', { type: 'none' }],
    ['gzip', { type: 'gzip', level: 1 }],
    ['zstd', { type: 'zstd', level: 1 }],
    [{ type: 'gzip' }, { type: 'gzip', level: 1 }],
    [
      { type: 'gzip', level: 9 },
      { type: 'gzip', level: 9 },
    ],
    [
      { type: 'zstd', level: 19 },
      { type: 'zstd', level: 19 },
    ],
  ];
  for (const [asked, expected] of cases) {
    const parsed = compressionOptions.parse(asked);
    assert.deepEqual(parsed, expected);
    assert.deepEqual(compressionOptions.parse(parsed), expected);
  }
});

test('levels that are not there, and levels of nothing, are refused', () => {
  for (const asked of [
    'GZIP',
    null,
    {},
    { type: 'gzip', level: 0 },
    { type: 'gzip', level: 10 },
    { type: 'gzip', level: 1.5 },
    { type: 'zstd', level: 0 },
    { type: 'zstd', level: 20 },
    { type: 'none', level: 1 },
  ]) {
    assert.equal(compressionOptions.safeParse(asked).success, false, JSON.stringify(asked));
  }
});

const TEXT = Buffer.from(Array.from({ length: 20_000 }, (_, row) => `${row},${(row * 7919) % 10_007}\n`).join(''));

async function compressed(asked: unknown): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void parts.push(Uint8Array.from(bytes)), end: async () => {} };
  const compressing = compressInto(sink, compressionOptions.parse(asked));
  await compressing.write(TEXT);
  await compressing.end();
  return Buffer.concat(parts);
}

test('each compression has its ending, its media type and its bytes', async () => {
  const cases = [
    ['none', '', 'text/csv', (bytes: Buffer) => bytes],
    ['gzip', '.gz', 'application/gzip', gunzipSync],
    ['zstd', '.zst', 'application/zstd', zstdDecompressSync],
  ] as const;
  for (const [name, ending, mediaType, read] of cases) {
    const compression = compressionOptions.parse(name);
    assert.equal(endingOf(compression), ending);
    assert.equal(mediaTypeOf(compression, 'text/csv'), mediaType);
    assert.ok(read(await compressed(name)).equals(TEXT), name);
  }
});

test('the level is given on', async () => {
  for (const type of ['gzip', 'zstd']) {
    const [fast, small] = [await compressed({ type, level: 1 }), await compressed({ type, level: 9 })];
    assert.ok(small.length < fast.length, type);
  }
});
