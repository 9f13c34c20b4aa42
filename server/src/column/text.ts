import { type InstantPattern, ISO, instantText, type Quote } from './instant.ts';
import { literal } from './sql.ts';
import type { ColumnType } from './type.ts';

/** What to do with NaN and infinities, which JSON cannot carry. */
type NonFinite = 'fail' | 'null' | 'string';

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
    case 'list':
    case 'struct':
    case 'map':
      // In a text cell JSON's own rule against NaN has no reader to protect, but the text must stay JSON.
      return jsonText(expression, type, options);
    default:
      return timeText(expression, type, options, '') ?? `(${expression})::varchar`;
  }
}

/** SQL: the float's text, which reads back equal, when it is finite, else `otherwise`. */
function finiteOr(expression: string, otherwise: string): string {
  return `case when isfinite(${expression}) then (${expression})::varchar when ${expression} is not null then ${otherwise} end`;
}

/** SQL: `NaN`, `Infinity` or `-Infinity`. */
function nonFiniteText(expression: string): string {
  return `case when isnan(${expression}) then 'NaN' when ${expression} > 0 then 'Infinity' else '-Infinity' end`;
}

/** A decimal without whole digits is `.5` in the engine, which JSON readers refuse. */
function decimalText(expression: string, { precision, scale }: ColumnType & { is: 'decimal' }): string {
  const text = `(${expression})::varchar`;
  return precision === scale ? `replace(${text}, '.', '0.')` : text;
}

/** SQL: the text of a date or time between two `quote`s, which are free inside a pattern; null for other types. */
function timeText(expression: string, type: ColumnType, options: TextOptions, quote: Quote): string | null {
  switch (type.is) {
    case 'date':
      return dateText(expression, quote);
    case 'time':
      return dayTimeText(expression, quote);
    case 'timestamp':
      return type.unit === 'ns' ? nanosecondText(expression, quote) : instantText(expression, 'timestamp', ISO, quote);
    case 'instant':
      return instantText(expression, 'instant', options.instants, quote);
    default:
      return null;
  }
}

function dateText(expression: string, quote: Quote): string {
  return `case when ${expression} between date '0001-01-01 (BC)' and date '9999-12-31' then strftime(${expression}, '${quote}%Y-%m-%d${quote}') when isfinite(${expression}) then printf('${quote}%s%06d', case when year(${expression}) < 0 then '-' else '+' end, abs(year(${expression}))) || strftime(${expression}, '-%m-%d${quote}') when ${expression} is not null then concat('${quote}', ${expression}, '${quote}') end`;
}

function dayTimeText(expression: string, quote: Quote): string {
  // Adding to a date would turn 24:00:00, which the engine allows, into 00:00:00.
  return `case when ${expression} = time '24:00:00' then '${quote}24:00:00.000000${quote}' else strftime(date '2000-01-01' + (${expression}), '${quote}%H:%M:%S.%f${quote}') end`;
}

function nanosecondText(expression: string, quote: Quote): string {
  const text = `case when isfinite(${expression}) then strftime(${expression}, '%Y-%m-%dT%H:%M:%S.%n') else (${expression})::varchar end`;
  // The engine writes what follows %n over its last three digits.
  return quote === '' ? text : inQuotes(expression, text);
}

/** Marks errors the engine raises on our behalf; what follows is a reason from REFUSALS. */
export const REFUSAL_MARK = 'drayage-refused:';

export const REFUSALS = {
  nonFinite: 'NaN and infinities cannot be written as JSON numbers; set nonFinite to null or string',
  notJson: 'the text is not valid JSON',
  notXml: 'the text holds a character XML cannot carry; set controlChars to replace',
} as const;

/**
 * SQL (DuckDB) that gives a value as JSON text, exact at any depth: the engine's own to_json would
 * print FLOAT 0.1 as 0.10000000149011612 and parse JSON columns anew. NULL stays NULL.
 */
export function jsonText(expression: string, type: ColumnType, options: TextOptions, depth = 0): string {
  switch (type.is) {
    case 'bool':
      return `(${expression})::varchar`;
    case 'decimal':
      return plainText(expression, type, options);
    case 'integer':
      return type.bits === 64 && options.bigIntegers === 'string'
        ? inQuotes(expression, `(${expression})::varchar`)
        : `(${expression})::varchar`;
    case 'float':
      return finiteOr(expression, nonFiniteJson(expression, options.nonFinite));
    case 'text':
      return `to_json(${expression})::varchar`;
    case 'json':
      return sourceJson(expression);
    case 'list':
      return `('[' || array_to_string(${transform(expression, type.of, options, depth)}, ',') || ']')`;
    case 'struct':
      return structText(expression, type, options, depth);
    case 'map':
      return mapText(expression, type, options, depth);
    default:
      return timeText(expression, type, options, '"') ?? inQuotes(expression, plainText(expression, type, options));
  }
}

/** SQL: JSON text with `null` in place of NULL. */
export function jsonOrNull(expression: string, type: ColumnType, options: TextOptions, depth = 0): string {
  return `coalesce(${jsonText(expression, type, options, depth)}, 'null')`;
}

/** SQL: one row as a JSON object. */
export function jsonObject(members: readonly { readonly name: string; readonly json: string }[]): string {
  const parts = members.map(({ name, json }, at) => `${literal(jsonHead(name, at))}, ${json}`);
  return `concat(${parts.join(', ')}, '}')`;
}

/** A member's name and what stands before and behind it, the member being `at` from 0: `{"name":`, `,"name":`. */
export function jsonHead(name: string, at: number): string {
  return `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`;
}

/** SQL: a value's text in quotes, NULL for NULL. One concat copies the text once, where `||` does for each quote. */
function inQuotes(expression: string, text: string): string {
  return `case when ${expression} is not null then concat('"', ${text}, '"') end`;
}

function nonFiniteJson(expression: string, nonFinite: NonFinite): string {
  if (nonFinite === 'null') return `'null'`;
  if (nonFinite === 'string') return inQuotes(expression, nonFiniteText(expression));
  return refusal('nonFinite');
}

function transform(expression: string, of: ColumnType, options: TextOptions, depth: number): string {
  const item = `item${depth}`;
  return `list_transform(${expression}, lambda ${item}: ${jsonOrNull(item, of, options, depth + 1)})`;
}

function structText(
  expression: string,
  type: ColumnType & { is: 'struct' },
  options: TextOptions,
  depth: number,
): string {
  const members = type.fields.map((field) => ({
    name: field.name,
    json: jsonOrNull(`struct_extract(${expression}, ${literal(field.name)})`, field.type, options, depth),
  }));
  return `case when ${expression} is not null then ${jsonObject(members)} end`;
}

function mapText(expression: string, type: ColumnType & { is: 'map' }, options: TextOptions, depth: number): string {
  const entry = `entry${depth}`;
  const key = `to_json(${plainText(`${entry}.key`, type.key, options)})::varchar`;
  const value = jsonOrNull(`${entry}.value`, type.value, options, depth + 1);
  return `('{' || array_to_string(list_transform(map_entries(${expression}), lambda ${entry}: ${key} || ':' || ${value}), ',') || '}')`;
}

/**
 * The source text of a JSON value, never parsed and printed again (that would turn 1.10 into 1.1).
 * Raw line ends stand outside strings in valid JSON and become spaces, so that a row stays one line.
 * The engine's parser also takes NaN, Infinity and trailing commas and refuses lone surrogate
 * escapes; a JSON reader does the opposite, so both are checked apart.
 */
function sourceJson(expression: string): string {
  const text = `(${expression})::varchar`;
  return checkedJson(expression, `translate(${text}, chr(10) || chr(13), '  ')`);
}

/**
 * SQL: the text of a JSON value, refused when it is not JSON, exactly as the source has it unless
 * `ifUnusual` says what takes its place where it may hold line ends.
 */
export function checkedJson(expression: string, ifUnusual = `(${expression})::varchar`): string {
  const text = `(${expression})::varchar`;
  // Escapes are taken two characters at a time: "\\ud83d" is a backslash and five letters.
  const withoutSurrogates = `regexp_replace(${text}, '\\\\(?:["\\\\/bfnrt]|u[dD][89a-fA-F][0-9a-fA-F]{2})', '?', 'g')`;
  const outsideStrings = `regexp_replace(${text}, '"(?:[^"\\\\]|\\\\.)*"', '""', 'g')`;
  const isLax = `regexp_matches(${outsideStrings}, ',\\s*[\\]}]|[Nn][Aa][Nn]|[Ii][Nn][Ff]')`;
  const looked = `case when not json_valid(${text}) and not json_valid(${withoutSurrogates}) then ${refusal('notJson')} when ${isLax} then ${refusal('notJson')} else ${ifUnusual} end`;
  return `case when not json_valid(${text}) or ${mayBeUnusual(text)} then ${looked} else ${text} end`;
}

/**
 * Plain searches that rule out line ends, NaN, Infinity and trailing commas in less time than a regular
 * expression. Only bare `and` and `or` stop at the first answer: under `not` the engine works out every term.
 */
function mayBeUnusual(text: string): string {
  const found = (sql: string) => `contains(${text}, ${sql})`;
  const ends = ["',}'", "',]'", "' }'", "' ]'", 'chr(9)', 'chr(10)', 'chr(13)'].map(found);
  const words = ['nan', 'inf'].map((word) => `contains(lower(${text}), '${word}')`);
  // Lower case costs as much as six searches, and both words have an n.
  return `${ends.join(' or ')} or ((${found("'n'")} or ${found("'N'")}) and (${words.join(' or ')}))`;
}

/** A cast that fails with the mark in its words: the engine takes its function error() for volatile, and none inside try. */
export function refusal(reason: keyof typeof REFUSALS): string {
  return `('${REFUSAL_MARK}${reason}'::integer)::varchar`;
}
