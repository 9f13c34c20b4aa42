import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { draws, fc } from '../../test/draws.ts';
import { csvBytes, MEBIBYTE, noiseBytes } from '../../test/sample-bytes.ts';
import { readBlock, takeBlocks, ZSTD_FRAME_END, ZSTD_FRAME_HEADER } from './zstd-frame.ts';
import { findBorrowed } from './zstd-offsets.ts';

test('the header and the end, by the fields of RFC 8878', () => {
  const header = Buffer.from(ZSTD_FRAME_HEADER);
  assert.equal(header.length, 6);
  assert.equal(header.readUInt32LE(0), 0xfd2fb528);
  const descriptor = header.readUInt8(4);
  const fields = {
    contentSizeFlag: descriptor >> 6,
    singleSegment: (descriptor >> 5) & 1,
    unusedAndReserved: (descriptor >> 3) & 3,
    checksum: (descriptor >> 2) & 1,
    dictionary: descriptor & 3,
  };
  assert.deepEqual(fields, { contentSizeFlag: 0, singleSegment: 0, unusedAndReserved: 0, checksum: 0, dictionary: 0 });
  const window = header.readUInt8(5);
  const base = 2 ** (10 + (window >> 3));
  assert.equal(base + (base / 8) * (window & 7), MEBIBYTE);
  assert.deepEqual(readBlock(Buffer.from(ZSTD_FRAME_END), 0), { isLast: true, type: 0, size: 0, start: 3, end: 3 });
});

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const LAST = [(2 << 3) | 1, 0, 0, 65, 66];
const headers: readonly (readonly [name: string, header: readonly number[]])[] = [
  ['a window', [0, 80]],
  ['a single segment, size of 1 byte', [0b10_0000, 2]],
  ['a single segment, size of 2 bytes', [0b0110_0000, 2, 0]],
  ['a window, size of 2 bytes', [0b0100_0000, 80, 2, 0]],
  ['a window, size of 4 bytes', [0b1000_0000, 80, 2, 0, 0, 0]],
  ['a single segment, size of 8 bytes', [0b1110_0000, 2, 0, 0, 0, 0, 0, 0, 0]],
  ['a window and a dictionary of 1 byte', [1, 80, 7]],
  ['a window, a dictionary of 2 bytes, size of 4', [0b1000_0010, 80, 7, 7, 2, 0, 0, 0]],
  ['a single segment, a dictionary of 4 bytes', [0b10_0011, 7, 7, 7, 7, 2]],
];

for (const [name, header] of headers) {
  test(`${name}: the blocks are what follows, none of them last`, () => {
    const blocks = takeBlocks(Buffer.from([...MAGIC, ...header, ...LAST]));
    assert.deepEqual([...blocks], [2 << 3, 0, 0, 65, 66]);
  });
}

const broken: readonly (readonly [name: string, frame: readonly number[]])[] = [
  ['nothing', []],
  ['another magic', [0x50, 0x2a, 0x4d, 0x18, 0, 80, ...LAST]],
  ['a checksum', [...MAGIC, 0b100, 80, ...LAST]],
  ['a reserved bit', [...MAGIC, 0b1000, 80, ...LAST]],
  ['no block', [...MAGIC, 0, 80]],
  ['no last block', [...MAGIC, 0, 80, 2 << 3, 0, 0, 65, 66]],
  ['a block that ends early', [...MAGIC, 0, 80, ...LAST.slice(0, -1)]],
  ['a block of no type', [...MAGIC, 0, 80, (2 << 3) | 0b111, 0, 0, 65, 66]],
  ['a block above 128 KiB', [...MAGIC, 0, 80, 0b011, 0, 0x11, 65]],
  ['bytes behind it', [...MAGIC, 0, 80, ...LAST, 0]],
];

for (const [name, frame] of broken) {
  test(`a frame with ${name} is refused`, () => {
    assert.throws(() => takeBlocks(Buffer.from(frame)), /^Error: Zstandard: /);
  });
}

/** A number in 0 to 1 as an index. */
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('changed bytes are scanned to an end or refused', () => {
  const text = Buffer.concat([noiseBytes(4000), csvBytes(20_000), Buffer.alloc(1000)]);
  const frames = [1, 6, 19].map((level) =>
    zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
  );
  const change = fc.tuple(share, fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...frames), fc.array(change, { minLength: 1, maxLength: 5 }), (frame, changes) => {
      const changed = Buffer.from(frame);
      for (const [where, bits] of changes) {
        const at = Math.floor(where * changed.length);
        changed.writeUInt8(changed.readUInt8(at) ^ bits, at);
      }
      try {
        findBorrowed(takeBlocks(changed), 0);
      } catch (error) {
        assert.match(`${error}`, /^Error: Zstandard: /);
      }
    }),
    { numRuns: draws({ few: 2000, many: 100_000 }) },
  );
});
