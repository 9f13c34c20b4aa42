import { Direction, Buffer as HarfBuzzBuffer, shape } from 'harfbuzzjs';
import { LRUCache } from 'lru-cache';
import { type Face, type FacePart, faceOf, type Weight } from './faces.ts';
import type { Script } from './families.ts';
import type { Outline } from './outlines.ts';

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
  const shaped = itemsOf(word, style).map((item) => ({
    face: item.face,
    start: item.start,
    end: item.end,
    clusters: clustersOf({ word, ...item }, isRtl),
  }));
  return isRtl ? shaped : joined(shaped);
}

/** Neighbours of one face as one: Han is spread over many files. */
function joined(items: readonly ShapedText[]): ShapedText[] {
  const all: ShapedText[] = [];
  for (const item of items) {
    const last = all.at(-1);
    if (last?.face !== item.face) all.push(item);
    else all[all.length - 1] = { ...last, end: item.end, clusters: [...last.clusters, ...item.clusters] };
  }
  return all;
}

interface Item {
  readonly face: Face;
  readonly part: FacePart;
  readonly start: number;
  end: number;
}

function clustersOf({ word, start, end, part }: Item & { readonly word: string }, isRtl: boolean): Cluster[] {
  buffer.reset();
  buffer.addText(word, start, end - start);
  buffer.guessSegmentProperties();
  buffer.setDirection(isRtl ? Direction.RTL : Direction.LTR);
  shape(part.font, buffer);
  const groups = groupsOf(buffer.getGlyphInfosAndPositions());
  const starts = groups.map(([glyph]) => glyph?.cluster ?? end);
  return groups.flatMap((glyphs, at) => {
    const next = isRtl ? starts[at - 1] : starts[at + 1];
    const begin = starts[at] ?? end;
    const units = glyphs.reduce((sum, { xAdvance = 0 }) => sum + xAdvance, 0);
    const advance = (units * 1000) / part.unitsPerEm;
    const outline = outlineOf(glyphs, units, part.firstGlyph);
    const cluster = { at: begin, text: word.slice(begin, next ?? end), advance, outline };
    return isRtl ? apart(cluster, part.unitsPerEm) : [cluster];
  });
}

/**
 * Readers turn around what runs from right to left, even the text of one glyph. So its marks come before its letter,
 * with nothing to show, each with its share of the width: what stands in one place, poppler takes for two words.
 */
function apart(cluster: Cluster, unitsPerEm: number): Cluster[] {
  const [letter = '', ...marks] = cluster.text;
  if (marks.length === 0) return [cluster];
  const { at, outline, advance } = cluster;
  const share = Math.floor((advance * unitsPerEm) / 1000 / (marks.length + 1));
  const before = share * marks.length;
  const parts = typeof outline === 'number' ? [{ glyph: outline, x: 0, y: 0 }] : outline.parts;
  const rest = Math.round((advance * unitsPerEm) / 1000) - before;
  const seen: Outline = {
    parts: parts.map((part) => ({ ...part, x: within(part.x - before) })),
    advance: within(rest),
  };
  const width = (share * 1000) / unitsPerEm;
  return [
    ...marks.reverse().map((text) => ({ at, text, advance: width, outline: { parts: [], advance: share } })),
    { at, text: letter, advance: advance - width * marks.length, outline: seen },
  ];
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

function outlineOf(glyphs: readonly ShapedGlyph[], advance: number, firstGlyph: number): Outline {
  const [first] = glyphs;
  if (glyphs.length === 1 && first && !first.xOffset && !first.yOffset) return firstGlyph + first.codepoint;
  let pen = 0;
  const parts = glyphs.slice(0, MAX_PARTS).map(({ codepoint, xAdvance = 0, xOffset = 0, yOffset = 0 }) => {
    const part = { glyph: firstGlyph + codepoint, x: within(pen + xOffset), y: within(yOffset) };
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
/** A character, or letters and marks that one character stands for in composed text, which is where its file is found. */
const UNITS = /[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\u3041-\u30ff][\u3099\u309a]|./gsu;
/** What takes the font of what stands before it: marks, and the dandas that scripts of India share. */
const STICKS = /^[\p{M}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}\u0964\u0965]$/u;
const INVISIBLE = /^\p{Default_Ignorable_Code_Point}$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
/** Asks for the emoji of a character that is also a plain sign. */
const EMOJI_STYLE = 0xfe0f;

function itemsOf(word: string, style: TextStyle): Item[] {
  if (ASCII.test(word)) return [{ ...box(style.weight), start: 0, end: word.length }];
  const items: Item[] = [];
  for (const { 0: unit, index: start } of word.matchAll(UNITS)) {
    const end = start + unit.length;
    const last = items.at(-1);
    const chosen = last && sticks(unit, last.part) ? last : choosePart(unit, word.codePointAt(end), style);
    if (last?.part === chosen.part && last.face === chosen.face) last.end = end;
    else items.push({ face: chosen.face, part: chosen.part, start, end });
  }
  return items;
}

function sticks(unit: string, part: FacePart): boolean {
  return STICKS.test(unit) && (part.has(unit.codePointAt(0) ?? 0) || INVISIBLE.test(unit));
}

/** The first font that has the character; the first of all, with its box, where none has it. */
function choosePart(unit: string, next: number | undefined, { weight, han }: TextStyle) {
  const isEmoji = EMOJI.test(unit) || next === EMOJI_STYLE;
  const codePoint = unit.normalize('NFC').codePointAt(0) ?? 0;
  for (const script of isEmoji ? EMOJI_FIRST : []) {
    const found = partOf(script, weight, codePoint);
    if (found) return found;
  }
  for (const scripts of [BEFORE_HAN, han, AFTER_HAN]) {
    for (const script of scripts) {
      const found = partOf(script, weight, codePoint);
      if (found) return found;
    }
  }
  return box(weight);
}

interface Choice {
  readonly face: Face;
  readonly part: FacePart;
}

function partOf(script: Script, weight: Weight, codePoint: number): Choice | null {
  const face = faceOf(script, weight);
  const part = face.partFor(codePoint);
  return part && { face, part };
}

/** What has every letter of ASCII, and the box for what no font has. */
function box(weight: Weight): Choice {
  const choice = partOf('sans', weight, 0x20);
  if (choice === null) throw new Error('The font of Latin is not whole.');
  return choice;
}

const EMOJI_FIRST: readonly Script[] = ['emoji'];
const BEFORE_HAN: readonly Script[] = [
  ...['sans', 'arabic', 'hebrew', 'armenian', 'georgian', 'bengali', 'gujarati', 'gurmukhi'],
  ...['tamil', 'telugu', 'kannada', 'malayalam', 'sinhala', 'thai', 'lao', 'khmer', 'ethiopic'],
] as const;
const AFTER_HAN: readonly Script[] = ['rareHan', 'oldHangul', 'emoji'];
