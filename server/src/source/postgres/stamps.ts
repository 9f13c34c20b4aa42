/** What a column of moments is: with a zone, which is UTC, or without; null for every other column. */
export type Stamp = 'instant' | 'timestamp' | null;

const FRACTION_DIGITS = 6;

/** Whether moments stand unquoted beside this delimiter and NULL, and can be told from it. */
export function areClear(delimiter: string, nullText: string): boolean {
  return !/[-+:. \d]/.test(delimiter) && /^([A-Za-z\\]{1,7}|)$/.test(nullText);
}

/** PostgreSQL's text of a moment of any year as docs/values.md has it; what is no moment stays as it is. */
export function rewriteStamp(text: string): string {
  const [, year, day, time, fraction = '', zone, era] =
    /^(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(\+00)?( BC)?$/.exec(text) ?? [];
  if (year === undefined) return text;
  // There is no year 0 in PostgreSQL: 1 BC is year 0 of ISO.
  const number = era === undefined ? Number(year) : 1 - Number(year);
  const digits = String(Math.abs(number));
  const written =
    number >= 0 && number <= 9999 ? digits.padStart(4, '0') : `${number < 0 ? '-' : '+'}${digits.padStart(6, '0')}`;
  return `${written}-${day}T${time}.${fraction.padEnd(FRACTION_DIGITS, '0')}${zone === undefined ? '' : 'Z'}`;
}
