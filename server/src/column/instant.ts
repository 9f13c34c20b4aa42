import { refuse } from '../base/errors.ts';
import { literal } from './sql.ts';

/** How instants are written: `iso`, seconds or smaller since 1970 as a number, or a strftime pattern. */
export type InstantPattern = 'iso' | 'epoch_s' | 'epoch_ms' | 'epoch_us' | `%${string}` | string;

export const ISO = 'iso';

const EPOCHS: Readonly<Record<string, string>> = { epoch_s: 'epoch', epoch_ms: 'epoch_ms', epoch_us: 'epoch_us' };

/** %f is six digits, %g three, %j the day of the year. No names of days or months: they depend on a language. */
const PATTERN = /^(?:%[YmdHMSfgjyIp%]|[ :.,/_TZ+\-0-9()]){1,64}$/;

/** Throws `request.invalid` for a pattern whose text could differ by machine or break a format. */
export function checkInstantPattern(pattern: string, pointer: string): InstantPattern {
  if (pattern === ISO || Object.hasOwn(EPOCHS, pattern)) return pattern;
  if (PATTERN.test(pattern) && pattern.includes('%')) return pattern;
  throw refuse(
    pointer,
    'Allowed are iso, epoch_s, epoch_ms, epoch_us, or a pattern of %Y %m %d %H %M %S %f %g %j %y %I %p with digits, spaces and . , : / _ - + ( ) T Z between.',
  );
}

/** True when instants are written as bare numbers. */
export function isEpoch(pattern: InstantPattern): boolean {
  return Object.hasOwn(EPOCHS, pattern);
}

/**
 * SQL text of a TIMESTAMP expression. ISO: `2026-01-31T23:59:59.123456` and `zone`; years outside
 * 0000–9999 in expanded form (`+010000-…`, `-000043-…`); infinities are `infinity` and `-infinity`.
 */
export function instantText(expression: string, pattern: InstantPattern, zone: '' | 'Z'): string {
  const epoch = EPOCHS[pattern];
  if (epoch === 'epoch') return `(epoch_us(${expression}) // 1000000)::varchar`;
  if (epoch) return `${epoch}(${expression})::varchar`;
  if (pattern !== ISO) {
    return `case when isfinite(${expression}) then strftime(${expression}, ${literal(pattern)}) else (${expression})::varchar end`;
  }
  const year = `year(${expression})`;
  return `case when ${expression} between timestamp '0001-01-01 (BC) 00:00:00' and timestamp '9999-12-31 23:59:59.999999' then strftime(${expression}, '%Y-%m-%dT%H:%M:%S.%f${zone}') when isfinite(${expression}) then printf('%s%06d', case when ${year} < 0 then '-' else '+' end, abs(${year})) || strftime(${expression}, '-%m-%dT%H:%M:%S.%f${zone}') else (${expression})::varchar end`;
}
