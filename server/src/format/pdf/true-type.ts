import { LRUCache } from 'lru-cache';
import { type FontFile, fontBytes, padded } from './font-file.ts';

/** TrueType outlines of a font, and the font of some of them (OpenType 1.9: head, hhea, hmtx, loca, glyf). */

/** What a PDF says of a font; lengths in thousandths of an em. */
export interface Metrics {
  readonly bbox: readonly [number, number, number, number];
  readonly ascent: number;
  readonly descent: number;
  readonly capHeight: number;
}

/** A glyph of the font, or several as one; `x`, `y` and `advance` in the font's units. */
export type Outline = number | Composite;

interface Composite {
  readonly parts: readonly { readonly glyph: number; readonly x: number; readonly y: number }[];
  readonly advance: number;
}

const LONG_OFFSETS = 1;

/** Outlines are read as they are needed, and so many kept: a font for Han has 10 MB of them. */
const MAX_GLYPHS = 4000;

/** What composed glyphs may reach: a letter and its marks, made of parts themselves. */
const MAX_PARTS = 64;
const MAX_DEPTH = 4;

/** Flags of a part of a composite glyph. */
const ARGS_ARE_WORDS = 0x0001;
const ARGS_ARE_OFFSETS = 0x0002;
const HAS_SCALE = 0x0008;
const HAS_MORE = 0x0020;
const HAS_TWO_SCALES = 0x0040;
const HAS_MATRIX = 0x0080;
const HAS_INSTRUCTIONS = 0x0100;

export class TrueType {
  readonly metrics: Metrics;
  readonly #file: FontFile;
  readonly #loca: Buffer;
  readonly #glyphs = new LRUCache<number, Buffer>({ max: MAX_GLYPHS });
  readonly #hmtx: Buffer;
  readonly #isLong: boolean;
  readonly #unitsPerEm: number;
  /** Glyphs with an advance of their own; all after them have the last one's. */
  readonly #advances: number;

  constructor(file: FontFile) {
    this.#file = file;
    const head = this.#table('head');
    this.#loca = this.#table('loca');
    this.#hmtx = this.#table('hmtx');
    this.#isLong = head.readInt16BE(50) === LONG_OFFSETS;
    this.#unitsPerEm = head.readUInt16BE(18);
    this.#advances = this.#table('hhea').readUInt16BE(34);
    const scaled = (table: Buffer, at: number) => this.#scaled(table.readInt16BE(at));
    this.metrics = {
      bbox: [scaled(head, 36), scaled(head, 38), scaled(head, 40), scaled(head, 42)],
      ascent: scaled(this.#table('hhea'), 4),
      descent: scaled(this.#table('hhea'), 6),
      capHeight: scaled(this.#table('OS/2'), 88),
    };
  }

  /** Advance of a glyph in thousandths of an em. */
  advance(outline: Outline): number {
    return this.#scaled(this.#advanceUnits(outline));
  }

  #advanceUnits(outline: Outline): number {
    if (typeof outline !== 'number') return Math.max(0, outline.advance);
    return this.#hmtx.readUInt16BE(4 * Math.min(outline, this.#advances - 1));
  }

  /** A font whose glyph n is `outlines[n]`; what they are made of stands behind them. `outlines[0]` is to be 0. */
  subset(outlines: readonly Outline[]): Buffer {
    const { glyphs, sources } = this.#collect(outlines);
    const loca = Buffer.alloc(4 * (glyphs.length + 1));
    const hmtx = Buffer.alloc(4 * glyphs.length);
    let end = 0;
    for (const [at, glyph] of glyphs.entries()) {
      end += glyph.length;
      loca.writeUInt32BE(end, 4 * (at + 1));
      hmtx.writeUInt16BE(this.#advanceUnits(sources[at] ?? 0), 4 * at);
      // The left bearing is the left end of the outline in every font of this kind.
      hmtx.writeInt16BE(glyph.length === 0 ? 0 : glyph.readInt16BE(2), 4 * at + 2);
    }
    return fontBytes([
      ['glyf', Buffer.concat(glyphs)],
      ['head', patched(this.#table('head'), [50, LONG_OFFSETS])],
      ['hhea', patched(this.#table('hhea'), [34, glyphs.length])],
      ['hmtx', hmtx],
      ['loca', loca],
      ['maxp', patched(this.#table('maxp'), [4, glyphs.length], [28, MAX_PARTS], [30, MAX_DEPTH])],
    ]);
  }

  #collect(outlines: readonly Outline[]): { glyphs: Buffer[]; sources: Outline[] } {
    const sources = [...outlines];
    const glyphs: Buffer[] = [];
    const parts = new Map<number, number>();
    const place = (part: number): number => {
      const known = parts.get(part);
      if (known !== undefined) return known;
      parts.set(part, sources.length);
      return sources.push(part) - 1;
    };
    // Grows while composite glyphs name their parts.
    for (let at = 0; at < sources.length; at++) {
      const source = sources[at] ?? 0;
      const glyph =
        typeof source === 'number' ? renumbered(this.#glyph(source), place) : this.#compose(source.parts, place);
      glyphs.push(padded(glyph));
    }
    return { glyphs, sources };
  }

  #compose(parts: Composite['parts'], place: (part: number) => number): Buffer {
    const visible = parts
      .map((part) => ({ ...part, bytes: this.#glyph(part.glyph) }))
      .filter(({ bytes }) => bytes.length > 0);
    if (visible.length === 0) return Buffer.alloc(0);
    const glyph = Buffer.alloc(10 + 8 * visible.length);
    glyph.writeInt16BE(-1, 0);
    const edge = (at: number, by: 'x' | 'y') => visible.map((part) => part.bytes.readInt16BE(at) + part[by]);
    glyph.writeInt16BE(Math.min(...edge(2, 'x')), 2);
    glyph.writeInt16BE(Math.min(...edge(4, 'y')), 4);
    glyph.writeInt16BE(Math.max(...edge(6, 'x')), 6);
    glyph.writeInt16BE(Math.max(...edge(8, 'y')), 8);
    for (const [at, part] of visible.entries()) {
      const more = at + 1 < visible.length ? HAS_MORE : 0;
      glyph.writeUInt16BE(ARGS_ARE_WORDS | ARGS_ARE_OFFSETS | more, 10 + 8 * at);
      glyph.writeUInt16BE(place(part.glyph), 12 + 8 * at);
      glyph.writeInt16BE(part.x, 14 + 8 * at);
      glyph.writeInt16BE(part.y, 16 + 8 * at);
    }
    return glyph;
  }

  #glyph(glyph: number): Buffer {
    let outline = this.#glyphs.get(glyph);
    if (outline === undefined) {
      outline = this.#file.read('glyf', this.#offset(glyph), this.#offset(glyph + 1));
      this.#glyphs.set(glyph, outline);
    }
    return outline;
  }

  #offset(glyph: number): number {
    return this.#isLong ? this.#loca.readUInt32BE(4 * glyph) : 2 * this.#loca.readUInt16BE(2 * glyph);
  }

  #table(tag: string): Buffer {
    return this.#file.read(tag);
  }

  #scaled(units: number): number {
    return Math.round((units * 1000) / this.#unitsPerEm);
  }
}

/** The outline with the parts of a composite glyph named by the numbers `place` gives them. */
function renumbered(outline: Buffer, place: (part: number) => number): Buffer {
  if (outline.length === 0 || outline.readInt16BE(0) >= 0) return outline;
  const copy = Buffer.from(outline);
  for (let at = 10, flags = HAS_MORE; flags & HAS_MORE; at += partLength(flags)) {
    flags = copy.readUInt16BE(at);
    if (flags & HAS_INSTRUCTIONS) throw new Error('The font has instructions, which are not carried over.');
    copy.writeUInt16BE(place(copy.readUInt16BE(at + 2)), at + 2);
  }
  return copy;
}

function partLength(flags: number): number {
  const scale = flags & HAS_SCALE ? 2 : flags & HAS_TWO_SCALES ? 4 : flags & HAS_MATRIX ? 8 : 0;
  return 4 + (flags & ARGS_ARE_WORDS ? 4 : 2) + scale;
}

/** Each pair is an offset and the 16-bit number that is to stand there. */
function patched(table: Buffer, ...numbers: readonly [number, number][]): Buffer {
  const copy = Buffer.from(table);
  for (const [at, value] of numbers) copy.writeUInt16BE(value, at);
  return copy;
}
