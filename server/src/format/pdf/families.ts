/** Noto fonts (OFL) of npm packages, and what of them those leave out. */

export type Script = keyof typeof FAMILIES;

/** Files of one weight each, or the list of the parts of a variable font. */
export type Family = { readonly name: string } & (
  | { readonly regular: string; readonly bold?: string }
  | { readonly parts: string }
);

export const FAMILIES = {
  /** Latin, Greek, Cyrillic and Devanagari. */
  sans: {
    name: 'NotoSans',
    regular: import.meta.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
    bold: import.meta.resolve('@expo-google-fonts/noto-sans/600SemiBold/NotoSans_600SemiBold.ttf'),
  },
  emoji: {
    name: 'NotoEmoji',
    regular: import.meta.resolve('@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf'),
  },
  arabic: {
    name: 'NotoSansArabic',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-arabic/unicode.json'),
  },
  hebrew: {
    name: 'NotoSansHebrew',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-hebrew/unicode.json'),
  },
  armenian: {
    name: 'NotoSansArmenian',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-armenian/unicode.json'),
  },
  georgian: {
    name: 'NotoSansGeorgian',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-georgian/unicode.json'),
  },
  bengali: {
    name: 'NotoSansBengali',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-bengali/unicode.json'),
  },
  gujarati: {
    name: 'NotoSansGujarati',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-gujarati/unicode.json'),
  },
  gurmukhi: {
    name: 'NotoSansGurmukhi',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-gurmukhi/unicode.json'),
  },
  tamil: {
    name: 'NotoSansTamil',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-tamil/unicode.json'),
  },
  telugu: {
    name: 'NotoSansTelugu',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-telugu/unicode.json'),
  },
  kannada: {
    name: 'NotoSansKannada',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-kannada/unicode.json'),
  },
  malayalam: {
    name: 'NotoSansMalayalam',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-malayalam/unicode.json'),
  },
  sinhala: {
    name: 'NotoSansSinhala',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-sinhala/unicode.json'),
  },
  thai: {
    name: 'NotoSansThai',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-thai/unicode.json'),
  },
  lao: {
    name: 'NotoSansLao',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-lao/unicode.json'),
  },
  khmer: {
    name: 'NotoSansKhmer',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-khmer/unicode.json'),
  },
  ethiopic: {
    name: 'NotoSansEthiopic',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-ethiopic/unicode.json'),
  },
  sc: {
    name: 'NotoSansSC',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-sc/unicode.json'),
  },
  tc: {
    name: 'NotoSansTC',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-tc/unicode.json'),
  },
  jp: {
    name: 'NotoSansJP',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-jp/unicode.json'),
  },
  kr: {
    name: 'NotoSansKR',
    parts: import.meta.resolve('@fontsource-variable/noto-sans-kr/unicode.json'),
  },
  rareHan: {
    name: 'NotoSansSC',
    regular: new URL('../../../fonts/noto-sans-sc-rare-400.woff2', import.meta.url).href,
  },
  oldHangul: {
    name: 'NotoSansKR',
    regular: new URL('../../../fonts/noto-sans-kr-rare-400.woff2', import.meta.url).href,
  },
} as const satisfies Readonly<Record<string, Family>>;

/** The fonts asked for Han, the first first: they share code points but not all shapes. */
export const HAN = {
  simplified: ['sc', 'tc', 'jp', 'kr'],
  traditional: ['tc', 'sc', 'jp', 'kr'],
  japanese: ['jp', 'sc', 'tc', 'kr'],
  korean: ['kr', 'sc', 'tc', 'jp'],
} as const satisfies Readonly<Record<string, readonly Script[]>>;
