import { fileURLToPath } from 'node:url';
import { Blob, Font, Face as HarfBuzzFace } from 'harfbuzzjs';
import { FontFile } from './font-file.ts';
import { TrueType } from './true-type.ts';

/** One font file, read when text first needs it. */
export interface Face {
  /** Name of the font as PDFs show it. */
  readonly name: string;
  /** Whether bold text is made of it by a thicker stroke, since there is no bold file. */
  readonly isThickened: boolean;
  readonly font: Font;
  readonly outlines: TrueType;
  readonly unitsPerEm: number;
  has(codePoint: number): boolean;
}

export type Weight = 'regular' | 'bold';
export type Script = 'sans' | 'arabic' | 'hebrew' | 'emoji' | 'sc' | 'jp' | 'kr';

/** Bold files of Han and Hangul would take as much memory again as the regular ones (22 MB). */
const FILES: Readonly<Record<Script, { readonly name: string } & Readonly<Partial<Record<Weight, string>>>>> = {
  sans: {
    name: 'NotoSans',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
    bold: import.meta.resolve('@expo-google-fonts/noto-sans/600SemiBold/NotoSans_600SemiBold.ttf'),
  },
  arabic: {
    name: 'NotoSansArabic',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf'),
    bold: import.meta.resolve('@expo-google-fonts/noto-sans-arabic/600SemiBold/NotoSansArabic_600SemiBold.ttf'),
  },
  hebrew: {
    name: 'NotoSansHebrew',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans-hebrew/400Regular/NotoSansHebrew_400Regular.ttf'),
    bold: import.meta.resolve('@expo-google-fonts/noto-sans-hebrew/600SemiBold/NotoSansHebrew_600SemiBold.ttf'),
  },
  emoji: {
    name: 'NotoEmoji',
    regular: import.meta.resolve('@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf'),
  },
  sc: {
    name: 'NotoSansSC',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf'),
  },
  jp: {
    name: 'NotoSansJP',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf'),
  },
  kr: {
    name: 'NotoSansKR',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans-kr/400Regular/NotoSansKR_400Regular.ttf'),
  },
};

const loaded = new Map<string, Face>();

/** Reads a file once in the life of the process. */
export function faceOf(script: Script, weight: Weight): Face {
  const files = FILES[script];
  const url = files[weight] ?? files.regular ?? '';
  const key = `${url} ${weight}`;
  let face = loaded.get(key);
  if (face === undefined) {
    const isThickened = files[weight] === undefined;
    face = isThickened ? { ...faceOf(script, 'regular'), isThickened } : load(`${files.name}-${SUFFIXES[weight]}`, url);
    loaded.set(key, face);
  }
  return face;
}

const SUFFIXES = { regular: 'Regular', bold: 'SemiBold' } as const;

function load(name: string, url: string): Face {
  const file = new FontFile(fileURLToPath(url));
  const face = new HarfBuzzFace(new Blob(file.withoutOutlines()));
  const known = new Set(face.collectUnicodes());
  return {
    name,
    isThickened: false,
    font: new Font(face),
    outlines: new TrueType(file),
    unitsPerEm: face.upem,
    has: (codePoint) => known.has(codePoint),
  };
}
