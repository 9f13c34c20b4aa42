import { numberAt } from './zstd-fse.ts';

/** What a code stands for (RFC 8878, section 3.1.1.3.2.1.1): its baseline and as many bits more. */
export interface Codes {
  readonly baselines: readonly number[];
  readonly bitCounts: readonly number[];
}

export const LITERALS_LENGTH_CODES: Codes = codes(0, [
  ...Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);

export const MATCH_LENGTH_CODES: Codes = codes(3, [
  ...Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);

/** The default distributions (section 3.1.1.3.2.2). */
export const LITERALS_LENGTH_DEFAULTS: readonly number[] = [
  ...[4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1],
  ...[-1, -1, -1, -1],
];
export const OFFSET_DEFAULTS: readonly number[] = [
  ...[1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ...[-1, -1, -1, -1, -1],
];
export const MATCH_LENGTH_DEFAULTS: readonly number[] = [
  ...[1, 4, 3, 2, 2, 2, 2, 2, 2],
  ...Array<number>(37).fill(1),
  ...[-1, -1, -1, -1, -1, -1, -1],
];

/** Every code begins where the one before ends. */
function codes(first: number, bitCounts: readonly number[]): Codes {
  const baselines: number[] = [];
  let baseline = first;
  for (const bitCount of bitCounts) {
    baselines.push(baseline);
    baseline += 2 ** bitCount;
  }
  return { baselines, bitCounts };
}

/** The code of a length, and its bits. */
export function codeOf(
  { baselines, bitCounts }: Codes,
  length: number,
): { readonly code: number; readonly bitCount: number; readonly bits: number } {
  const code = baselines.findLastIndex((baseline) => baseline <= length);
  return { code, bitCount: numberAt(bitCounts, code), bits: length - numberAt(baselines, code) };
}
