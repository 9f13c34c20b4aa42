import { type InstantPattern, ISO, instantText } from './instant.ts';
import { jsonText, type NonFinite } from './json.ts';
import type { ColumnType } from './type.ts';

/** What a format's user may choose about the text of values; the same words in every format. */
export interface TextOptions {
  readonly instants: InstantPattern;
  readonly bigIntegers: 'number' | 'string';
  readonly nonFinite: NonFinite;
}

export const DEFAULT_TEXT: TextOptions = { instants: ISO, bigIntegers: 'number', nonFinite: 'fail' };

/**
 * SQL (DuckDB) that gives a value's plain text, as CSV and XML cells hold it. `expression` is of the
 * type's engine type; NULL stays NULL. Nested values are their JSON text.
 */
export function plainText(expression: string, type: ColumnType, options: TextOptions): string {
  switch (type.is) {
    case 'text':
      return expression;
    case 'float':
      return finiteOr(expression, nonFiniteText(expression));
    case 'decimal':
      return decimalText(expression, type);
    case 'bytes':
      return `base64(${expression})`;
    case 'date':
      return dateText(expression);
    case 'time':
      return timeText(expression);
    case 'timestamp':
      return type.unit === 'ns' ? nanosecondText(expression) : instantText(expression, 'timestamp', ISO);
    case 'instant':
      return instantText(expression, 'instant', options.instants);
    case 'list':
    case 'struct':
    case 'map':
      // In a text cell JSON's own rule against NaN has no reader to protect, but the text must stay JSON.
      return jsonText(expression, type, options);
    default:
      return `(${expression})::varchar`;
  }
}

/** SQL: the float's shortest text that reads back equal when it is finite, else `otherwise`. */
export function finiteOr(expression: string, otherwise: string): string {
  return `case when isfinite(${expression}) then (${expression})::varchar when ${expression} is not null then ${otherwise} end`;
}

/** SQL: `NaN`, `Infinity` or `-Infinity`. */
export function nonFiniteText(expression: string): string {
  return `case when isnan(${expression}) then 'NaN' when ${expression} > 0 then 'Infinity' else '-Infinity' end`;
}

/** A decimal without whole digits is `.5` in the engine, which JSON readers refuse. */
function decimalText(expression: string, { precision, scale }: ColumnType & { is: 'decimal' }): string {
  const text = `(${expression})::varchar`;
  return precision === scale ? `replace(${text}, '.', '0.')` : text;
}

function dateText(expression: string): string {
  return `case when ${expression} between date '0001-01-01 (BC)' and date '9999-12-31' then strftime(${expression}, '%Y-%m-%d') when isfinite(${expression}) then printf('%s%06d', case when year(${expression}) < 0 then '-' else '+' end, abs(year(${expression}))) || strftime(${expression}, '-%m-%d') else (${expression})::varchar end`;
}

function timeText(expression: string): string {
  // Adding to a date would turn 24:00:00, which the engine allows, into 00:00:00.
  return `case when ${expression} = time '24:00:00' then '24:00:00.000000' else strftime(date '2000-01-01' + (${expression}), '%H:%M:%S.%f') end`;
}

function nanosecondText(expression: string): string {
  return `case when isfinite(${expression}) then strftime(${expression}, '%Y-%m-%dT%H:%M:%S.%n') else (${expression})::varchar end`;
}
