const [LAST_DAY, LAST_MICRO] = [2 ** 31 - 1, 2n ** 63n - 1n];
const DAY_MICROS = 86_400_000_000n;

/** The text of a day since 1970 in any year: `-000043-03-15`; the engine's extremes are `infinity` and `-infinity`. */
export function unusualDate(day: number): string {
  return Math.abs(day) === LAST_DAY ? infinite(day < 0) : dateText(day);
}

/** The text of microseconds since 1970 in any year; of the engine's extremes as `unusualDate` has it. */
export function unusualMoment(micros: bigint, isInstant: boolean): string {
  const isInfinite = micros === LAST_MICRO || micros === -LAST_MICRO;
  return isInfinite ? infinite(micros < 0n) : momentText(micros, isInstant);
}

/** The texts of moments without end. */
export function infinite(isPast: boolean): string {
  return isPast ? '-infinity' : 'infinity';
}

/** The text of a day since 1970 in any year. */
export function dateText(day: number): string {
  // Howard Hinnant, chrono-Compatible Low-Level Date Algorithms: eras of 400 years that begin in March.
  const days = day + 719468;
  const era = Math.floor(days / 146097);
  const ofEra = days - era * 146097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const ofMonth = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  const calendarYear = year + era * 400 + (month < 10 ? 0 : 1);
  return `${yearText(calendarYear)}-${padded(((month + 2) % 12) + 1, 2)}-${padded(ofMonth, 2)}`;
}

/** The text of microseconds since 1970 in any year. */
export function momentText(micros: bigint, isInstant: boolean): string {
  const ofDay = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  const seconds = Number(ofDay / 1_000_000n);
  const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const time = [hour, minute, second].map((part) => padded(part, 2)).join(':');
  const date = dateText(Number((micros - ofDay) / DAY_MICROS));
  return `${date}T${time}.${padded(Number(ofDay % 1_000_000n), 6)}${isInstant ? 'Z' : ''}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return padded(year, 4);
  return `${year < 0 ? '-' : '+'}${padded(Math.abs(year), 6)}`;
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
