/** One file of the demo data, made by one statement. */
export interface DemoSlice {
  /** File name. */
  readonly file: string;
  /** ISO 8601 instants its rows lie between, half-open; null for rows that have no moment. */
  readonly span: DemoSpan | null;
  /** SELECT that gives the rows in the order they are to stand in. */
  readonly sql: string;
}

export interface DemoSpan {
  readonly start: string;
  readonly end: string;
}

const DAY_MS = 86_400_000;

/** The days from `start` on. */
export function daysFrom(start: string, days: number): DemoSpan {
  return { start, end: new Date(Date.parse(start) + days * DAY_MS).toISOString() };
}

/** The days that lead up to `now`. */
export function daysBefore(now: string, days: number): DemoSpan {
  return daysFrom(new Date(Date.parse(now) - days * DAY_MS).toISOString(), days);
}
