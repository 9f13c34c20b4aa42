import { Direction, Buffer as HarfBuzzBuffer, shape } from 'harfbuzzjs';
import { LRUCache } from 'lru-cache';
import { type Face, faceOf, type Script, type Weight } from './faces.ts';
import type { Outline } from './true-type.ts';

/** What stands for one or more characters and is never taken apart: a letter with its marks. */
export interface Cluster {
  /** Where its text begins, in UTF-16 units. */
  readonly at: number;
  readonly text: string;
  /** In thousandths of an em. */
  readonly advance: number;
  readonly outline: Outline;
}

/** Neighbouring clusters of one font, from left to right. */
export interface ShapedText {
  readonly face: Face;
  readonly start: number;
  readonly end: number;
  readonly clusters: readonly Cluster[];
}

export interface TextStyle {
  readonly weight: Weight;
  /** The fonts asked for Han, kana and Hangul, the first first. */
  readonly han: readonly Script[];
}

const WORDS = /\S+\s*|\s+/g;

/** Labels and common words stand in every document: with nothing kept, a document takes 1.6 times as long. */
const words = new LRUCache<string, readonly ShapedText[]>({ max: 5_000 });
const MAX_CACHED_LENGTH = 40;
/** Ids, times and hashes would push words out, and what is kept for long is collected late. */
const IS_UNLIKELY_AGAIN = /\d.{3}/;

const buffer = new HarfBuzzBuffer();

/** Sets text of one direction. Positions are counted from `offset`. */
export function shapeText(text: string, offset: number, isRtl: boolean, style: TextStyle): ShapedText[] {
  const shaped: ShapedText[] = [];
  for (const { 0: word, index } of text.matchAll(WORDS)) {
    for (const item of shapeWord(word, isRtl, style)) shaped.push(moved(item, offset + index));
  }
  return shaped;
}

function moved(item: ShapedText, by: number): ShapedText {
  if (by === 0) return item;
  return {
    ...item,
    start: item.start + by,
    end: item.end + by,
    clusters: item.clusters.map((each) => ({ ...each, at: each.at + by })),
  };
}

function shapeWord(word: string, isRtl: boolean, style: TextStyle): readonly ShapedText[] {
  if (word.length > MAX_CACHED_LENGTH || IS_UNLIKELY_AGAIN.test(word)) return shapeItems(word, isRtl, style);
  const key = `${isRtl ? 'r' : 'l'}${style.weight}${style.han[0]} ${word}`;
  let shaped = words.get(key);
  if (shaped === undefined) {
    shaped = shapeItems(word, isRtl, style);
    words.set(key, shaped);
  }
  return shaped;
}

function shapeItems(word: string, isRtl: boolean, style: TextStyle): ShapedText[] {
  return itemsOf(word, style).map(({ face, start, end }) => ({
    face,
    start,
    end,
    clusters: clustersOf({ word, start, end, face }, isRtl),
  }));
}

interface Item {
  readonly face: Face;
  readonly start: number;
  end: number;
}

function clustersOf({ word, start, end, face }: Item & { readonly word: string }, isRtl: boolean): Cluster[] {
  buffer.reset();
  buffer.addText(word, start, end - start);
  buffer.guessSegmentProperties();
  buffer.setDirection(isRtl ? Direction.RTL : Direction.LTR);
  shape(face.font, buffer);
  const groups = groupsOf(buffer.getGlyphInfosAndPositions());
  const starts = groups.map(([glyph]) => glyph?.cluster ?? end);
  return groups.map((glyphs, at) => {
    const next = isRtl ? starts[at - 1] : starts[at + 1];
    const begin = starts[at] ?? end;
    const units = glyphs.reduce((sum, { xAdvance = 0 }) => sum + xAdvance, 0);
    const advance = (units * 1000) / face.unitsPerEm;
    return { at: begin, text: word.slice(begin, next ?? end), advance, outline: outlineOf(glyphs, units) };
  });
}

type ShapedGlyph = ReturnType<HarfBuzzBuffer['getGlyphInfosAndPositions']>[number];

function groupsOf(glyphs: readonly ShapedGlyph[]): ShapedGlyph[][] {
  const groups: ShapedGlyph[][] = [];
  for (const glyph of glyphs) {
    const last = groups.at(-1);
    if (last?.[0]?.cluster === glyph.cluster) last.push(glyph);
    else groups.push([glyph]);
  }
  return groups;
}

function outlineOf(glyphs: readonly ShapedGlyph[], advance: number): Outline {
  const [first] = glyphs;
  if (glyphs.length === 1 && first && !first.xOffset && !first.yOffset) return first.codepoint;
  let pen = 0;
  const parts = glyphs.slice(0, MAX_PARTS).map(({ codepoint, xAdvance = 0, xOffset = 0, yOffset = 0 }) => {
    const part = { glyph: codepoint, x: within(pen + xOffset), y: within(yOffset) };
    pen += xAdvance;
    return part;
  });
  return { parts, advance: within(advance) };
}

/** What a font can say; only heaps of marks on one letter go beyond. */
function within(units: number): number {
  return Math.max(-MAX_UNITS, Math.min(MAX_UNITS, units));
}

/** No letter of any language has more marks; what a text heaps up beyond is not drawn. */
const MAX_PARTS = 32;
const MAX_UNITS = 16_000;

const ASCII = /^[\x20-\x7e]*$/;
/** What takes the font of what stands before it. */
const STICKS = /^[\p{M}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]$/u;
const INVISIBLE = /^\p{Default_Ignorable_Code_Point}$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
/** Asks for the emoji of a character that is also a plain sign. */
const EMOJI_STYLE = 0xfe0f;

function itemsOf(word: string, style: TextStyle): Item[] {
  if (ASCII.test(word)) return [{ face: faceOf('sans', style.weight), start: 0, end: word.length }];
  const items: Item[] = [];
  let start = 0;
  for (const character of word) {
    const end = start + character.length;
    const last = items.at(-1);
    const face = last && sticks(character, last.face) ? last.face : chooseFace(word, start, style);
    if (last?.face === face) last.end = end;
    else items.push({ face, start, end });
    start = end;
  }
  return items;
}

function sticks(character: string, face: Face): boolean {
  return STICKS.test(character) && (face.has(character.codePointAt(0) ?? 0) || INVISIBLE.test(character));
}

/** The first font that has the character at `at`; the first of all, with its box, where none has it. */
function chooseFace(word: string, at: number, { weight, han }: TextStyle): Face {
  const codePoint = word.codePointAt(at) ?? 0;
  const character = String.fromCodePoint(codePoint);
  const isEmoji = EMOJI.test(character) || word.codePointAt(at + character.length) === EMOJI_STYLE;
  const order: readonly Script[] = [...(isEmoji ? EMOJI_FIRST : []), ...BEFORE_HAN, ...han, 'emoji'];
  for (const script of order) {
    const face = faceOf(script, weight);
    if (face.has(codePoint)) return face;
  }
  return faceOf('sans', weight);
}

const EMOJI_FIRST = ['emoji'] as const;
const BEFORE_HAN = ['sans', 'arabic', 'hebrew'] as const;
