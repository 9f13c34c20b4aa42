import bidiFactory, { type Bidi } from 'bidi-js';
import { lineBreaks } from './line-breaks.ts';
import { type Cluster, type ShapedText, shapeText, type TextStyle } from './shape.ts';

/** Text on one line, from left to right. */
export interface Line {
  readonly items: readonly ShapedText[];
  /** In thousandths of an em. */
  readonly width: number;
  /** Whether the paragraph runs from right to left, so that its lines stand on the right. */
  readonly isRtl: boolean;
}

// Its types are those of a module, its code is CommonJS.
const bidi = (bidiFactory as unknown as () => Bidi)();

/** Without any of these all text runs from left to right. */
const MAY_BE_RTL = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe\ud802\ud803\ud83a\ud83b]/;

interface LeveledText extends ShapedText {
  readonly level: number;
}

interface Paragraph {
  readonly text: string;
  readonly level: number;
  /** In the order of the text. */
  readonly items: readonly LeveledText[];
}

/** Breaks text without line ends into lines no wider than `width` (thousandths of an em), in the order of UAX #9. */
export function setParagraph(text: string, width: number, style: TextStyle): Line[] {
  const paragraph = shapeParagraph(text, style);
  const total = paragraph.items.reduce((sum, { clusters }) => sum + widthOf(clusters), 0);
  const ends = total <= width ? [text.length] : lineEnds(paragraph, width);
  let start = 0;
  let first = 0;
  return ends.map((end) => {
    const visible = trimmedEnd(text, start, end);
    while ((paragraph.items[first]?.end ?? end) <= start && first < paragraph.items.length) first++;
    const line = cutLine(paragraph, { start, end: visible, first });
    start = end;
    return line;
  });
}

function shapeParagraph(text: string, style: TextStyle): Paragraph {
  if (!MAY_BE_RTL.test(text)) {
    return { text, level: 0, items: shapeText(text, 0, false, style).map((item) => ({ ...item, level: 0 })) };
  }
  const { levels, paragraphs } = bidi.getEmbeddingLevels(text);
  const items: LeveledText[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    const level = levels[start] ?? 0;
    for (end = start + 1; end < text.length && levels[end] === level; ) end++;
    for (const item of shapeText(text.slice(start, end), start, level % 2 === 1, style)) items.push({ ...item, level });
  }
  return { text, level: paragraphs[0]?.level ?? 0, items };
}

function widthOf(clusters: readonly Cluster[]): number {
  let width = 0;
  for (const { advance } of clusters) width += advance;
  return width;
}

/** Where lines end: at the last place of UAX #14 that fits, else, in a word wider than a line, before the first letter that does not. */
function lineEnds({ text, items }: Paragraph, width: number): number[] {
  const { before, isStart } = measure(text, items);
  const between = (start: number, end: number) => (before[end] ?? 0) - (before[start] ?? 0);
  const ends: number[] = [];
  let start = 0;
  let fitting = 0;
  for (const place of lineBreaks(text)) {
    while (between(start, trimmedEnd(text, start, place)) > width) {
      let end = fitting;
      if (end <= start) {
        for (end = start + 1; end < place && (!isStart[end] || between(start, nextStart(isStart, end)) <= width); )
          end++;
      }
      ends.push(end);
      start = end;
    }
    fitting = place;
  }
  if (start < text.length) ends.push(text.length);
  return ends;
}

function nextStart(isStart: Uint8Array, at: number): number {
  let next = at + 1;
  while (next < isStart.length - 1 && !isStart[next]) next++;
  return next;
}

/** Width of the text before each position, and where clusters begin. */
function measure(text: string, items: readonly ShapedText[]): { before: Float64Array; isStart: Uint8Array } {
  const before = new Float64Array(text.length + 1);
  const isStart = new Uint8Array(text.length + 1);
  for (const { clusters } of items) {
    for (const { at, advance } of clusters) {
      before[at + 1] = (before[at + 1] ?? 0) + advance;
      isStart[at] = 1;
    }
  }
  for (let at = 1; at < before.length; at++) before[at] = (before[at] ?? 0) + (before[at - 1] ?? 0);
  return { before, isStart };
}

function trimmedEnd(text: string, start: number, end: number): number {
  let trimmed = end;
  while (trimmed > start && text[trimmed - 1] === ' ') trimmed--;
  return trimmed;
}

interface LineBounds {
  readonly start: number;
  readonly end: number;
  /** Index of the first item that may reach into the line. */
  readonly first: number;
}

function cutLine({ items, level }: Paragraph, { start, end, first }: LineBounds): Line {
  const inside: LeveledText[] = [];
  for (let at = first; at < items.length; at++) {
    const item = items[at] as LeveledText;
    if (item.start >= end) break;
    if (item.end <= start) continue;
    const isWhole = item.start >= start && item.end <= end;
    inside.push(
      isWhole ? item : { ...item, clusters: item.clusters.filter((each) => each.at >= start && each.at < end) },
    );
  }
  const width = inside.reduce((sum, { clusters }) => sum + widthOf(clusters), 0);
  return { items: reordered(inside), width, isRtl: level % 2 === 1 };
}

/** Rule L2 of UAX #9: from the highest level down to the lowest odd one, turn what stands at it or above around. */
function reordered(items: LeveledText[]): LeveledText[] {
  const highest = items.reduce((max, { level }) => Math.max(max, level), 0);
  const line = [...items];
  for (let level = highest; level > 0; level--) {
    for (let start = 0; start < line.length; start++) {
      let end = start;
      while (end < line.length && (line[end]?.level ?? 0) >= level) end++;
      turnAround(line, start, end);
      start = end;
    }
  }
  return line;
}

function turnAround(items: LeveledText[], start: number, end: number): void {
  for (let left = start, right = end - 1; left < right; left++, right--) {
    const item = items[left] as LeveledText;
    items[left] = items[right] as LeveledText;
    items[right] = item;
  }
}
