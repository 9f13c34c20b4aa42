/** Tables in the order of their tags. Checksums are left 0: no reader of embedded fonts looks at them. */
export function fontBytes(tables: readonly (readonly [string, Buffer])[]): Buffer {
  const directory = Buffer.alloc(12 + 16 * tables.length);
  directory.writeUInt32BE(0x00010000, 0);
  directory.writeUInt16BE(tables.length, 4);
  const power = Math.floor(Math.log2(tables.length));
  directory.writeUInt16BE(16 * 2 ** power, 6);
  directory.writeUInt16BE(power, 8);
  directory.writeUInt16BE(16 * (tables.length - 2 ** power), 10);
  let offset = directory.length;
  for (const [at, [tag, table]] of tables.entries()) {
    directory.write(tag, 12 + 16 * at, 'latin1');
    directory.writeUInt32BE(offset, 12 + 16 * at + 8);
    directory.writeUInt32BE(table.length, 12 + 16 * at + 12);
    offset += table.length + (-table.length & 3);
  }
  return Buffer.concat([directory, ...tables.map(([, table]) => padded(table))]);
}

/** Filled up to whole words of four bytes. */
function padded(bytes: Buffer): Buffer {
  const missing = -bytes.length & 3;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

/** Glyphs one behind the other, and where each begins. */
export function glyphTables(glyphs: readonly Buffer[]): { readonly glyf: Buffer; readonly loca: Buffer } {
  const whole = glyphs.map(padded);
  const loca = Buffer.alloc(4 * (glyphs.length + 1));
  let end = 0;
  for (const [at, glyph] of whole.entries()) {
    end += glyph.length;
    loca.writeUInt32BE(end, 4 * (at + 1));
  }
  return { glyf: Buffer.concat(whole), loca };
}

/** Left, bottom, right, top. */
export type Box = readonly [number, number, number, number];

/** Lengths in thousandths of an em. */
export interface Metrics {
  readonly ascent: number;
  readonly descent: number;
  readonly capHeight: number;
  readonly unitsPerEm: number;
}

const VERSION_1 = 0x00010000;
const MAGIC = 0x5f0f3cf5;
const LONG_OFFSETS = 1;

/** What composed glyphs may reach: a letter and its marks. */
const MAX_PARTS = 64;
const MAX_DEPTH = 2;

/** A font of these glyphs (head, hhea, hmtx, loca, maxp, glyf), and the box around all of them in thousandths of an em. */
export function subsetBytes(glyphs: readonly Buffer[], advances: readonly number[], metrics: Metrics) {
  const hmtx = Buffer.alloc(4 * glyphs.length);
  for (const [at, glyph] of glyphs.entries()) {
    hmtx.writeUInt16BE(advances[at] ?? 0, 4 * at);
    // The left bearing is the left end of the outline in every font of this kind.
    hmtx.writeInt16BE(glyph.length === 0 ? 0 : glyph.readInt16BE(2), 4 * at + 2);
  }
  const box = boxAround(glyphs);
  const { glyf, loca } = glyphTables(glyphs);
  const program = fontBytes([
    ['glyf', glyf],
    ['head', headTable(box, metrics.unitsPerEm)],
    ['hhea', hheaTable(metrics, advances)],
    ['hmtx', hmtx],
    ['loca', loca],
    ['maxp', maxpTable(glyphs)],
  ]);
  const scaled = (units: number) => Math.round((units * 1000) / metrics.unitsPerEm);
  return { program, box: [scaled(box[0]), scaled(box[1]), scaled(box[2]), scaled(box[3])] as const };
}

function boxAround(glyphs: readonly Buffer[]): Box {
  const edges: [number, number, number, number] = [0, 0, 0, 0];
  for (const glyph of glyphs) {
    if (glyph.length === 0) continue;
    edges[0] = Math.min(edges[0], glyph.readInt16BE(2));
    edges[1] = Math.min(edges[1], glyph.readInt16BE(4));
    edges[2] = Math.max(edges[2], glyph.readInt16BE(6));
    edges[3] = Math.max(edges[3], glyph.readInt16BE(8));
  }
  return edges;
}

function headTable(box: Box, unitsPerEm: number): Buffer {
  const head = Buffer.alloc(54);
  head.writeUInt32BE(VERSION_1, 0);
  head.writeUInt32BE(MAGIC, 12);
  head.writeUInt16BE(unitsPerEm, 18);
  for (const [at, edge] of box.entries()) head.writeInt16BE(edge, 36 + 2 * at);
  head.writeInt16BE(LONG_OFFSETS, 50);
  return head;
}

function hheaTable({ ascent, descent, unitsPerEm }: Metrics, advances: readonly number[]): Buffer {
  const hhea = Buffer.alloc(36);
  hhea.writeUInt32BE(VERSION_1, 0);
  hhea.writeInt16BE(Math.round((ascent * unitsPerEm) / 1000), 4);
  hhea.writeInt16BE(Math.round((descent * unitsPerEm) / 1000), 6);
  hhea.writeUInt16BE(
    advances.reduce((max, advance) => Math.max(max, advance), 0),
    10,
  );
  hhea.writeInt16BE(1, 18);
  hhea.writeUInt16BE(advances.length, 34);
  return hhea;
}

function maxpTable(glyphs: readonly Buffer[]): Buffer {
  let [contours, points] = [0, 0];
  for (const glyph of glyphs) {
    const count = glyph.length === 0 ? 0 : glyph.readInt16BE(0);
    contours = Math.max(contours, count);
    if (count > 0) points = Math.max(points, glyph.readUInt16BE(8 + 2 * count) + 1);
  }
  const maxp = Buffer.alloc(32);
  maxp.writeUInt32BE(VERSION_1, 0);
  const together = (number: number) => Math.min(0xffff, MAX_PARTS * number);
  const numbers = [glyphs.length, points, contours, together(points), together(contours), 1];
  for (const [at, number] of numbers.entries()) maxp.writeUInt16BE(number, 4 + 2 * at);
  maxp.writeUInt16BE(MAX_PARTS, 28);
  maxp.writeUInt16BE(MAX_DEPTH, 30);
  return maxp;
}
