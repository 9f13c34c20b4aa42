import secureJson from 'secure-json-parse';
import { Fault, refuse } from '../base/errors.ts';
import { pointerOf } from './issue.ts';

/** Where a number may have more digits than a 64-bit float surely keeps; few bodies have to be looked at closer. */
const LONG_NUMBER = /\d[\d.]{15}|\d[eE]/;

/** A number that a 64-bit float does not hold as it was written. */
class InexactNumber {}

/** Far beyond what any body needs, and far below what a walk by recursion takes. */
const MAX_DEPTH = 200;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a JSON body. Throws `request.malformed` for what is no JSON, and `request.invalid` with the
 * place of a number or text that would change on the way in, or of what lies too deep.
 */
export function readJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  const value = parseText(text, null);
  refuseFlaw(value);
  if (!LONG_NUMBER.test(text)) return value;
  const exact = parseText(text, revive);
  refuseFlaw(exact);
  return exact;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new Fault('request.malformed', 'The body is not valid UTF-8.', { cause: error });
  }
}

function parseText(text: string, reviver: typeof revive | null): unknown {
  try {
    return secureJson.parse(text, reviver, { protoAction: 'error', constructorAction: 'error' });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (error.message.includes('forbidden prototype'))
      throw refuse('', 'The names __proto__ and constructor.prototype are not allowed.');
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

function refuseFlaw(value: unknown): void {
  const flaw = findFlaw(value, []);
  if (flaw) throw refuse(pointerOf(flaw.path), flaw.message);
}

interface Flaw {
  readonly path: readonly string[];
  readonly message: string;
}

function findFlaw(value: unknown, path: readonly string[]): Flaw | null {
  const message = flawOf(value, path.length);
  if (message !== null) return { path, message };
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = key.isWellFormed() ? findFlaw(inner, [...path, key]) : { path, message: `A name in it is ${ILL}.` };
    if (found) return found;
  }
  return null;
}

const ILL = 'not well-formed Unicode: half of a surrogate pair stands alone';

/** Text inside JSON never equals a number there. */
const INEXACT =
  'This number has more digits than JSON numbers keep; send it as a string where a column of integers or decimals is meant. Values inside JSON are compared with whole numbers below 2^53 and numbers of up to 15 digits alone.';

function flawOf(value: unknown, depth: number): string | null {
  if (value instanceof InexactNumber) return INEXACT;
  if (typeof value === 'string' && !value.isWellFormed()) return `The text is ${ILL}.`;
  return depth > MAX_DEPTH ? `This lies deeper than ${MAX_DEPTH} levels.` : null;
}
