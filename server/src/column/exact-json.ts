/**
 * A reviver for `JSON.parse`: a number no JavaScript number holds exactly comes as its text: integers from 2^53 on,
 * decimals of more digits than that.
 */
export function exactly(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const source = context?.source ?? '';
  return isHeld(value, source) ? value : source;
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
