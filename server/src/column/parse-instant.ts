import { refuse } from '../base/errors.ts';

const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)))?$/;

const ALLOWED =
  'an ISO 8601 instant with a zone (2026-01-31T12:00:00Z, 2026-01-31T12:00:00+02:00) or a date (UTC midnight)';

/**
 * Reads an instant and gives it as `2026-01-31T12:00:00.000000Z`, exact to the microsecond.
 * Throws `request.invalid` at `pointer` for one without zone, finer than a microsecond or impossible.
 */
export function parseInstant(value: unknown, pointer: string): string {
  const match = typeof value === 'string' ? INSTANT.exec(value) : null;
  if (!match) throw refuse(pointer, `Allowed is ${ALLOWED}.`);
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', , sign, zoneHour, zoneMinute] =
    match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const epochMs = Date.parse(local);
  // Date.parse rolls 31 February over into March; the text it gives back must be the one it was given.
  if (Number.isNaN(epochMs) || new Date(epochMs).toISOString().slice(0, 19) !== local.slice(0, 19)) {
    throw refuse(pointer, `There is no such date or time; allowed is ${ALLOWED}.`);
  }
  const micros = fraction.padEnd(9, '0');
  if (!micros.endsWith('000'))
    throw refuse(pointer, 'Instants are exact to the microsecond; allowed are up to six decimals.');
  const offsetMs = zoneOffsetMs(sign, zoneHour, zoneMinute, pointer);
  return `${secondsText(epochMs - offsetMs, pointer)}.${micros.slice(0, 6)}Z`;
}

function zoneOffsetMs(sign: string | undefined, hour = '00', minute = '00', pointer: string): number {
  if (Number(hour) > 15 || Number(minute) > 59) throw refuse(pointer, 'The zone is at most 15:59 from UTC.');
  return (sign === '-' ? -1 : 1) * (Number(hour) * 60 + Number(minute)) * 60_000;
}

function secondsText(epochMs: number, pointer: string): string {
  const text = new Date(epochMs).toISOString();
  if (!/^(?!0000)\d{4}-/.test(text)) throw refuse(pointer, 'The year must lie from 0001 to 9999.');
  return text.slice(0, 19);
}
