import { DrawFuncs, type Font } from 'harfbuzzjs';
import { LRUCache } from 'lru-cache';
import { type Box, type Metrics, subsetBytes } from './font-file.ts';
import { noPoints, type Points, writeGlyph } from './glyph.ts';

/** A glyph of a font, or several as one; `x`, `y` and `advance` in the font's units. */
export type Outline = number | Composite;

interface Composite {
  readonly parts: readonly { readonly glyph: number; readonly x: number; readonly y: number }[];
  readonly advance: number;
}

/** More than a font can have. */
const GLYPHS_A_FONT = 0x10000;

/** Outlines are drawn as they are needed, and so many kept. */
const MAX_GLYPHS = 4000;

/** Flags of a part of a composite glyph. */
const ARGS_ARE_WORDS = 0x0001;
const ARGS_ARE_OFFSETS = 0x0002;
const HAS_MORE = 0x0020;

/** Outlines of fonts of one family and weight as one font, and TrueType fonts of some of them. */
export class Outlines {
  readonly #fonts: Font[] = [];
  readonly #glyphs = new LRUCache<number, Buffer>({ max: MAX_GLYPHS });

  /** Gives what is to be added to the numbers of the font's glyphs. */
  add(font: Font): number {
    return GLYPHS_A_FONT * (this.#fonts.push(font) - 1);
  }

  /** Lengths in thousandths of an em, the same in all fonts of a family. */
  get metrics(): Pick<Metrics, 'ascent' | 'descent' | 'capHeight'> {
    const font = this.#fontOf(0);
    const { ascender, descender } = font.hExtents();
    const capHeight = Buffer.from(font.face.referenceTable('OS/2') ?? []).readInt16BE(CAP_HEIGHT_AT);
    const scaled = (units: number) => Math.round((units * 1000) / font.face.upem);
    return { ascent: scaled(ascender), descent: scaled(descender), capHeight: scaled(capHeight) };
  }

  /** Advance of a glyph in thousandths of an em. */
  advance(outline: Outline): number {
    return Math.round((this.#advanceUnits(outline) * 1000) / this.#fontOf(0).face.upem);
  }

  /** A font whose glyph n is `outlines[n]`; what they are made of stands behind them. `outlines[0]` is to be 0. */
  subset(outlines: readonly Outline[]): { readonly program: Buffer; readonly box: Box } {
    const { glyphs, sources } = this.#collect(outlines);
    const advances = sources.map((source) => this.#advanceUnits(source));
    const { upem } = this.#fontOf(0).face;
    return subsetBytes(glyphs, advances, { ...this.metrics, unitsPerEm: upem });
  }

  #advanceUnits(outline: Outline): number {
    if (typeof outline !== 'number') return Math.max(0, outline.advance);
    return this.#fontOf(outline).glyphHAdvance(outline % GLYPHS_A_FONT);
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
      glyphs.push(typeof source === 'number' ? this.#glyph(source) : this.#compose(source.parts, place));
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
      // A copy: what it is cut from is five times as long.
      outline = Buffer.from(writeGlyph(draw(this.#fontOf(glyph), glyph % GLYPHS_A_FONT)));
      this.#glyphs.set(glyph, outline);
    }
    return outline;
  }

  #fontOf(glyph: number): Font {
    const font = this.#fonts[Math.floor(glyph / GLYPHS_A_FONT)];
    if (font === undefined) throw new Error('No font has the glyph.');
    return font;
  }
}

/** Where OS/2 tells the height of capital letters. */
const CAP_HEIGHT_AT = 88;

let drawn = noPoints();

function put(x: number, y: number, isOn: boolean): void {
  drawn.xs.push(x);
  drawn.ys.push(y);
  drawn.isOn.push(isOn);
}

function takeBack(): void {
  drawn.xs.pop();
  drawn.ys.pop();
  drawn.isOn.pop();
}

const pen = new DrawFuncs();
pen.setMoveToFunc((x, y) => put(x, y, true));
pen.setLineToFunc((x, y) => put(x, y, true));
pen.setQuadraticToFunc((cx, cy, x, y) => {
  if (isBetween(cx, cy)) takeBack();
  put(cx, cy, false);
  put(x, y, true);
});
pen.setClosePathFunc(() => {
  const first = drawn.ends.at(-1) ?? 0;
  const last = drawn.xs.length - 1;
  if (last > first && drawn.xs[last] === drawn.xs[first] && drawn.ys[last] === drawn.ys[first]) takeBack();
  drawn.ends.push(drawn.xs.length);
});

/** Whether the last point is the middle of what bends the curve before it and of this: then it need not be said. */
function isBetween(x: number, y: number): boolean {
  const { xs, ys, isOn, ends } = drawn;
  const last = xs.length - 1;
  if (last - 1 <= (ends.at(-1) ?? 0) || isOn[last - 1] !== false) return false;
  const off = (places: readonly number[], next: number) =>
    Math.abs(2 * (places[last] ?? 0) - (places[last - 1] ?? 0) - next);
  return off(xs, x) < MIDDLE && off(ys, y) < MIDDLE;
}

const MIDDLE = 0.1;

function draw(font: Font, glyph: number): Points {
  drawn = noPoints();
  font.drawGlyph(glyph, pen);
  return { ...drawn, xs: drawn.xs.map(Math.round), ys: drawn.ys.map(Math.round) };
}
