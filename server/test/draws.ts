import fc from 'fast-check';

/**
 * The same random values in every run, so that a change is judged by what it changed. DRAYAGE_SEED
 * takes another number; the soak draws anew each time.
 */
const SEED = Number(process.env.DRAYAGE_SEED ?? 20_261_121);

const isSoak = process.env.DRAYAGE_SOAK !== undefined;

if (!isSoak) fc.configureGlobal({ seed: SEED });

/** How often a test draws: a few times, or many in the soak. */
export function draws({ few, many }: { readonly few: number; readonly many: number }): number {
  return isSoak ? many : few;
}

/** Any Unicode scalar; `unit: 'binary'` of the library looks a million of them up first, which takes a second. */
const character = fc.nat({ max: 0x10_f7ff }).map((at) => String.fromCodePoint(at < 0xd800 ? at : at + 0x800));

/** Names that every JavaScript object has already. */
const INHERITED = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];

/** Any text without half surrogates, of so many characters. */
export function anyText({ minLength = 0, maxLength = 10 } = {}): fc.Arbitrary<string> {
  const drawn = fc.string({ unit: character, minLength, maxLength });
  const inherited = INHERITED.filter(({ length }) => length >= minLength && length <= maxLength);
  if (inherited.length === 0) return drawn;
  return fc.oneof({ weight: 19, arbitrary: drawn }, { weight: 1, arbitrary: fc.constantFrom(...inherited) });
}

export { fc };
