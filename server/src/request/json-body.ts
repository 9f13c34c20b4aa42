import secureJson from 'secure-json-parse';
import { Fault, refuse } from '../base/errors.ts';
import { pointerOf } from './issue.ts';

/** Where a number may have more digits than a 64-bit float surely keeps; few bodies have to be looked at closer. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]/;

/** A number that a 64-bit float does not hold as it was written. */
class InexactNumber {}

/**
 * Reads a JSON body. Throws `request.malformed` for what is no JSON, and `request.invalid` with the
 * place of a number that would change on the way in.
 */
export function readJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  const value = parseText(text);
  const path = LONG_NUMBER.test(text) ? findInexact(value, []) : null;
  if (path) throw refuse(pointerOf(path), 'This number has more digits than JSON numbers keep; send it as a string.');
  return value;
}

function parseText(text: string): unknown {
  try {
    return secureJson.parse(text, LONG_NUMBER.test(text) ? revive : null, {
      protoAction: 'error',
      constructorAction: 'error',
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Fault('request.malformed', 'The body is not valid JSON.', { cause: error });
  }
}

function revive(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return isExact(value, context.source) ? value : new InexactNumber();
}

function isExact(value: number, source: string): boolean {
  if (Number.isInteger(value) && /^-?\d+$/.test(source)) return Number.isSafeInteger(value);
  const digits = source
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  return Number.isFinite(value) && digits.length <= 15;
}

function findInexact(value: unknown, path: readonly string[]): readonly string[] | null {
  if (value instanceof InexactNumber) return path;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = findInexact(inner, [...path, key]);
    if (found) return found;
  }
  return null;
}
