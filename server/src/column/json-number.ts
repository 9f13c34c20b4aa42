import { literal } from './sql.ts';

const NUMBER = '-?[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?';

/** What stands before a number outside strings, then the number; at the end of the text, nothing. */
const NUMBERS = `((?:"(?:[^"\\\\]|\\\\.)*"|[^"0-9-])*)(${NUMBER}|$)`;

/** Characters of every mark. */
export const MARK_LENGTH = 12;

/** A mark nobody can guess who does not know the seed, as sha-256 in hex. */
export function markOf(digest: string): string {
  return `\u{f8d7}${digest.slice(0, MARK_LENGTH - 2)}#`;
}

/**
 * SQL: JSON text with every number outside a string put into a string behind the mark. The engine
 * parses JSON numbers into 64-bit floats, which would turn 12345678901234.5678 into …568.
 */
export function markNumbers(text: string, mark: string): string {
  return `regexp_replace(${text}, ${literal(NUMBERS)}, ${literal(`\\1"${mark}\\2"`)}, 'g')`;
}

/** How many characters the last match, at the end of the text, leaves behind it. */
export const MARKED_REST = MARK_LENGTH + 2;

/** SQL: JSON text with marked numbers as they were. */
export function unmarkNumbers(text: string, mark: string): string {
  return `regexp_replace(${text}, ${literal(`"${mark}(${NUMBER})"`)}, '\\1', 'g')`;
}
