/** Dates and times of the proleptic Gregorian calendar, year 0 being 1 BC, as ISO 8601 counts. */
interface Calendar {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const DAY_MICROS = 86_400_000_000n;

/** Days in 400 years, after which the calendar repeats. */
const CYCLE_DAYS = 146_097;

/** The date of a day, 0 being 1 January 1970: counted off month by month within its cycle of 400 years. */
function calendarOf(days: number): Calendar {
  // 719 528 days lie between 1 January of year 0 and 1970.
  const cycle = Math.floor((days + 719_528) / CYCLE_DAYS);
  let rest = days + 719_528 - cycle * CYCLE_DAYS;
  let year = 0;
  while (rest >= yearDays(year)) {
    rest -= yearDays(year);
    year++;
  }
  let month = 0;
  while (rest >= monthDays(year, month)) {
    rest -= monthDays(year, month);
    month++;
  }
  return { year: cycle * 400 + year, month: month + 1, day: rest + 1 };
}

function yearDays(year: number): number {
  return isLeap(year) ? 366 : 365;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function monthDays(year: number, month: number): number {
  if (month === 1) return isLeap(year) ? 29 : 28;
  return [3, 5, 8, 10].includes(month) ? 30 : 31;
}

/** `2026-01-31`; years outside of 0000–9999 with a sign and six digits or more. */
export function dateOf(days: number): string {
  const { year, month, day } = calendarOf(days);
  return `${yearText(year)}-${digits(month, 2)}-${digits(day, 2)}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return digits(year, 4);
  return `${year < 0 ? '-' : '+'}${digits(Math.abs(year), 6)}`;
}

/** `23:59:59.123456`, and `24:00:00.000000` for the end of the day. */
export function timeOf(micros: bigint): string {
  return clock(micros * 1000n, 6);
}

/** Date and time with `decimals` digits after the second, from a count of such units since 1970. */
export function momentOf(units: bigint, decimals: 6 | 9): string {
  const day = DAY_MICROS * (decimals === 9 ? 1000n : 1n);
  const days = floorDivided(units, day);
  return `${dateOf(Number(days))}T${clock((units - days * day) * (decimals === 9 ? 1n : 1000n), decimals)}`;
}

function clock(nanos: bigint, decimals: 6 | 9): string {
  const seconds = nanos / 1_000_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => digits(part, 2));
  return `${parts.join(':')}.${digits(nanos % 1_000_000_000n, 9).slice(0, decimals)}`;
}

/** The instant by a strftime pattern, for years 1 to 9999: `%f` is microseconds, `%g` milliseconds. */
export function printed(micros: bigint, pattern: string): string {
  const days = floorDivided(micros, DAY_MICROS);
  const { year, month, day } = calendarOf(Number(days));
  const [hour = '', minute = '', second = '', fraction = ''] = clock((micros - days * DAY_MICROS) * 1000n, 6).split(
    /[:.]/,
  );
  const newYear = Array.from({ length: month - 1 }, (_, at) => monthDays(year, at)).reduce(
    (sum, count) => sum + count,
    day,
  );
  const texts: Readonly<Record<string, string>> = {
    '%Y': digits(year, 4),
    '%y': digits(year % 100, 2),
    '%m': digits(month, 2),
    '%d': digits(day, 2),
    '%j': digits(newYear, 3),
    '%H': hour,
    '%I': digits(Number(hour) % 12 || 12, 2),
    '%p': Number(hour) < 12 ? 'AM' : 'PM',
    '%M': minute,
    '%S': second,
    '%f': fraction,
    '%g': fraction.slice(0, 3),
    '%%': '%',
  };
  return pattern.replaceAll(/%./g, (code) => texts[code] ?? code);
}

function floorDivided(count: bigint, by: bigint): bigint {
  return (count - (((count % by) + by) % by)) / by;
}

function digits(number: number | bigint, length: number): string {
  return String(number).padStart(length, '0');
}
