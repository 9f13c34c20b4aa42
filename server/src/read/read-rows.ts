import { readFile } from 'node:fs/promises';

/** A row by column names, as parsed from JSON; frozen, since several callers may be given the same one. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * The rows of a file of JSON lines. A number no JavaScript number holds exactly comes as its text:
 * integers from 2^53 on, decimals and numbers in JSON columns of more digits than that.
 */
export async function readRows(path: string): Promise<readonly Row[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return Object.freeze(lines.slice(0, -1).map((line) => JSON.parse(line, exactly) as Row));
}

function exactly(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === 'number') return isHeld(value, context?.source ?? '') ? value : context?.source;
  return Object.freeze(value);
}

/** Whether a number prints again as what it was read from, apart from how zeros and the exponent are written. */
function isHeld(value: number, source: string): boolean {
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value);
  return digitsOf(String(value)) === digitsOf(source);
}

function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
