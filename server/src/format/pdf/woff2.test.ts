import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unpackWoff2 } from './woff2.ts';

const FILES = {
  'of a variable font': import.meta.resolve(
    '@fontsource-variable/noto-sans-thai/files/noto-sans-thai-thai-wght-normal.woff2',
  ),
  'with composite glyphs': import.meta.resolve(
    '@fontsource-variable/noto-sans-sinhala/files/noto-sans-sinhala-sinhala-wght-normal.woff2',
  ),
  'of 10,000 glyphs': new URL('../../../fonts/noto-sans-sc-rare-400.woff2', import.meta.url).href,
};

describe('a WOFF2 file', () => {
  for (const [what, url] of Object.entries(FILES)) {
    test(`${what} gives the outlines that its head tells of`, () => {
      const tables = tablesOf(unpackWoff2(readFileSync(fileURLToPath(url))));
      const glyphs = glyphsOf(tables);
      assert.equal(glyphs.length, tables.get('maxp')?.readUInt16BE(4));
      const seen = glyphs.filter(({ length }) => length > 0);
      const edge = (at: number) => seen.map((glyph) => glyph.readInt16BE(at));
      const least = (at: number) => edge(at).reduce((a, b) => Math.min(a, b));
      const most = (at: number) => edge(at).reduce((a, b) => Math.max(a, b));
      const head = tables.get('head') ?? Buffer.alloc(54);
      const told = [36, 38, 40, 42].map((at) => head.readInt16BE(at));
      assert.deepEqual([least(2), least(4), most(6), most(8)], told);
      const hhea = tables.get('hhea') ?? Buffer.alloc(36);
      assert.equal(widest(tables, hhea.readUInt16BE(34)), hhea.readUInt16BE(10));
    });
  }

  test('without packed outlines is refused', () => {
    assert.throws(() => unpackWoff2(readFileSync(fileURLToPath(import.meta.url))));
  });
});

type Tables = ReadonlyMap<string, Buffer>;

function tablesOf(font: Buffer): Tables {
  const count = font.readUInt16BE(4);
  return new Map(
    Array.from({ length: count }, (_, at) => {
      const entry = 12 + 16 * at;
      const start = font.readUInt32BE(entry + 8);
      return [font.toString('latin1', entry, entry + 4), font.subarray(start, start + font.readUInt32BE(entry + 12))];
    }),
  );
}

function glyphsOf(tables: Tables): Buffer[] {
  const loca = tables.get('loca') ?? Buffer.alloc(0);
  return Array.from({ length: loca.length / 4 - 1 }, (_, at) =>
    (tables.get('glyf') ?? loca).subarray(loca.readUInt32BE(4 * at), loca.readUInt32BE(4 * at + 4)),
  );
}

function widest(tables: Tables, count: number): number {
  const hmtx = tables.get('hmtx') ?? Buffer.alloc(0);
  return Array.from({ length: count }, (_, at) => hmtx.readUInt16BE(4 * at)).reduce((a, b) => Math.max(a, b));
}
