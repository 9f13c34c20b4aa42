import { refuse } from '../base/errors.ts';
import { parseInstant } from '../column/parse-instant.ts';
import { type ColumnType, nameOf } from '../column/type.ts';
import type { Dataset } from './dataset.ts';
import type { Test, Verb } from './filter.ts';
import { filterSql } from './filter-sql.ts';

/** A half-open stretch of time: start ≤ t < end, as `2026-01-31T12:00:00.000000Z`; null is an open side. */
export interface Window {
  readonly start: string | null;
  readonly end: string | null;
}

export interface WindowAsk {
  readonly start?: unknown;
  readonly end?: unknown;
  /** Moves what lies before the lookback to its bound instead of refusing it; the window may then be empty. */
  readonly clamp?: boolean | undefined;
}

const DAY_MS = 86_400_000;

/**
 * Reads a window. An open start begins where the dataset's lookback does; a start before that is
 * refused. Throws `request.invalid`. `now` is an ISO instant.
 */
export function readWindow(ask: WindowAsk, dataset: Dataset, now: string): Window {
  const start = ask.start === undefined ? null : parseInstant(ask.start, '/window/start');
  const end = ask.end === undefined ? null : parseInstant(ask.end, '/window/end');
  if (start === null && end === null && dataset.lookbackDays === null) return { start, end };
  if (dataset.time === null) throw refuse('/window', `${dataset.name} has no time column, so it takes no window.`);
  if (ask.clamp) return clamped({ start, end }, lookbackBound(dataset, now));
  if (start !== null && end !== null && end <= start) throw refuse('/window/end', 'The end must lie after the start.');
  const bounded = withinLookback(start, dataset, now);
  if (bounded !== null && end !== null && end <= bounded)
    throw refuse('/window/end', `${dataset.name} offers the last ${dataset.lookbackDays} days, from ${bounded}.`);
  return { start: bounded, end };
}

function withinLookback(start: string | null, dataset: Dataset, now: string): string | null {
  const bound = lookbackBound(dataset, now);
  if (start !== null && bound !== null && start < bound) {
    throw refuse('/window/start', `${dataset.name} offers the last ${dataset.lookbackDays} days, from ${bound}.`);
  }
  return start ?? bound;
}

/** Where the dataset's rows begin to be offered; null where they always are. */
function lookbackBound({ lookbackDays }: Dataset, now: string): string | null {
  if (lookbackDays === null) return null;
  return parseInstant(new Date(Date.parse(now) - lookbackDays * DAY_MS).toISOString(), '/window/start');
}

/** Both ends at or after the bound, the end never before the start. */
function clamped({ start, end }: Window, bound: string | null): Window {
  const first = bound !== null && (start === null || start < bound) ? bound : start;
  return { start: first, end: first !== null && end !== null && end < first ? first : end };
}

/** SQL conditions (DuckDB) that keep the window's rows. */
export function windowConditions(window: Window, dataset: Dataset): string[] {
  return windowTests(window, dataset).map(filterSql);
}

/** The window as tests on the time column. A row without a time lies in no window. */
export function windowTests(window: Window, dataset: Dataset): readonly Test[] {
  const column = dataset.columns.find(({ name }) => name === dataset.time);
  if (!column) return [];
  const side = (verb: Verb, instant: string | null, pointer: string): Test[] =>
    instant === null
      ? []
      : [{ is: 'test', column, path: [], verb, operand: bound(instant, column.type, pointer), pointer }];
  return [...side('gte', window.start, '/window/start'), ...side('lt', window.end, '/window/end')];
}

/** A side of the window as an operand of the column's type. */
function bound(instant: string, type: ColumnType, pointer: string): string {
  if (type.is === 'instant') return instant;
  if (type.is === 'timestamp') return instant.slice(0, -1);
  if (type.is !== 'date')
    throw refuse(pointer, `The time column is of type ${nameOf(type)}; windows need an instant, timestamp or date.`);
  if (!instant.endsWith('T00:00:00.000000Z'))
    throw refuse(pointer, 'The time column holds dates, so windows are cut at UTC midnight.');
  return instant.slice(0, 10);
}
