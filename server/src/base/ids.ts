import { randomBytes } from 'node:crypto';

/** Crockford's alphabet: no i, l, o, u. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

const TIME_DIGITS = 10;
const RANDOM_BYTES = 10;

/** What ids begin with. */
export type IdKind = 'job' | 'run' | 'file' | 'notice' | 'audit' | 'req';

/**
 * A new id, such as `run_06f2…`: the milliseconds of `now` (ISO instant), then 80 random bits. Ids of
 * later milliseconds sort after earlier ones, and nobody can guess one.
 */
export function newId(kind: IdKind, now: string): string {
  return `${idBound(kind, now)}${base32(randomBytes(RANDOM_BYTES))}`;
}

/** What ids made from this instant on are not below, as text. */
export function idBound(kind: IdKind, instant: string): string {
  let time = Date.parse(instant);
  let digits = '';
  for (let at = 0; at < TIME_DIGITS; at++) {
    digits = `${DIGITS[time % 32]}${digits}`;
    time = Math.floor(time / 32);
  }
  return `${kind}_${digits}`;
}

/** Whether the text has the form of an id; one that has not is answered like one that nobody has. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && /^[a-z]+_[0-9a-hjkmnp-tv-z]{26}$/.test(text);
}

/** Five bits a digit; a multiple of five bytes has no rest. */
export function base32(bytes: Uint8Array): string {
  let digits = '';
  for (let at = 0; at < bytes.length; at += 5) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 5);
    const bits = [
      a >> 3,
      (a << 2) | (b >> 6),
      b >> 1,
      (b << 4) | (c >> 4),
      (c << 1) | (d >> 7),
      d >> 2,
      (d << 3) | (e >> 5),
      e,
    ];
    digits += bits.map((five) => DIGITS[five & 31]).join('');
  }
  return digits;
}
