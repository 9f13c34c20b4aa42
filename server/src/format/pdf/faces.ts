import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Blob, Font, Face as HarfBuzzFace, Variation } from 'harfbuzzjs';
import { FAMILIES, type Family, type Script } from './families.ts';
import { Outlines } from './outlines.ts';
import { unpackWoff2 } from './woff2.ts';

/** A family of fonts in one weight, which a document shows as one font. */
export interface Face {
  /** Name of the font as PDFs show it. */
  readonly name: string;
  /** Whether bold text is made of it by a thicker stroke, since there is no bold file. */
  readonly isThickened: boolean;
  readonly outlines: Outlines;
  /** The file that has the character, read when text first needs it. */
  partFor(codePoint: number): FacePart | null;
}

/** One font file in one weight. */
export interface FacePart {
  readonly font: Font;
  readonly unitsPerEm: number;
  /** What is to be added to the numbers of its glyphs. */
  readonly firstGlyph: number;
  has(codePoint: number): boolean;
}

export type Weight = 'regular' | 'bold';

const SUFFIXES = { regular: 'Regular', bold: 'SemiBold' } as const;
const WEIGHTS = { regular: 400, bold: 600 } as const;

const loaded = new Map<string, Face>();

export function faceOf(script: Script, weight: Weight): Face {
  const key = `${script} ${weight}`;
  let face = loaded.get(key);
  if (face === undefined) {
    const family: Family = FAMILIES[script];
    const isThickened = weight === 'bold' && 'regular' in family && family.bold === undefined;
    face = isThickened ? { ...faceOf(script, 'regular'), isThickened } : makeFace(family, weight);
    loaded.set(key, face);
  }
  return face;
}

function makeFace(family: Family, weight: Weight): Face {
  const outlines = new Outlines();
  const urlOf = 'regular' in family ? () => family[weight] ?? family.regular : partUrls(family.parts);
  const parts = new Map<string, FacePart>();
  const partAt = (url: string) => {
    let part = parts.get(url);
    if (part === undefined) {
      part = makePart(url, weight, outlines);
      parts.set(url, part);
    }
    return part;
  };
  return {
    name: `${family.name}-${SUFFIXES[weight]}`,
    isThickened: false,
    outlines,
    partFor: (codePoint) => {
      const url = urlOf(codePoint);
      const part = url === undefined ? null : partAt(url);
      return part?.has(codePoint) ? part : null;
    },
  };
}

function makePart(url: string, weight: Weight, outlines: Outlines): FacePart {
  const { face, known } = fileAt(url);
  const font = new Font(face);
  // Says nothing to a font of one weight.
  font.setVariations([new Variation('wght', WEIGHTS[weight])]);
  const firstGlyph = outlines.add(font);
  return { font, unitsPerEm: face.upem, firstGlyph, has: (codePoint) => known.has(codePoint) };
}

interface OpenFile {
  readonly face: HarfBuzzFace;
  readonly known: ReadonlySet<number>;
}

/** Both weights of a variable font share its bytes. */
const files = new Map<string, OpenFile>();

function fileAt(url: string): OpenFile {
  let file = files.get(url);
  if (file === undefined) {
    const bytes = readFileSync(fileURLToPath(url));
    const face = new HarfBuzzFace(new Blob(url.endsWith('.woff2') ? unpackWoff2(bytes) : bytes));
    file = { face, known: new Set(face.collectUnicodes()) };
    files.set(url, file);
  }
  return file;
}

/** Parts for scripts that NotoSans has whole. */
const IN_SANS = /^(?:latin|cyrillic|greek|vietnamese)/;

const partLists = new Map<string, (codePoint: number) => string | undefined>();

/** Finds the part with a character in the list of them: names of parts with their code points, as CSS writes them. */
function partUrls(list: string): (codePoint: number) => string | undefined {
  let find = partLists.get(list);
  if (find === undefined) {
    const stem = /([^/]+)\/unicode\.json$/.exec(list)?.[1];
    const urls = new Map<number, string>();
    const lists = JSON.parse(readFileSync(fileURLToPath(list), 'utf8')) as Record<string, string>;
    for (const [part, ranges] of Object.entries(lists)) {
      if (IN_SANS.test(part)) continue;
      const url = new URL(`files/${stem}-${part.replace(/[[\]]/g, '')}-wght-normal.woff2`, list).href;
      for (const range of ranges.split(',')) place(urls, range, url);
    }
    find = (codePoint) => urls.get(codePoint);
    partLists.set(list, find);
  }
  return find;
}

/** A range is `U+4e00` or `U+4e00-4e02`. */
function place(urls: Map<number, string>, range: string, url: string): void {
  const dash = range.indexOf('-');
  const first = Number.parseInt(range.slice(2, dash < 0 ? undefined : dash), 16);
  const last = dash < 0 ? first : Number.parseInt(range.slice(dash + 1), 16);
  for (let codePoint = first; codePoint <= last; codePoint++) {
    if (!urls.has(codePoint)) urls.set(codePoint, url);
  }
}
