import { isEpoch } from './instant.ts';
import { literal } from './sql.ts';
import { finiteOr, nonFiniteText, plainText, type TextOptions } from './text.ts';
import type { ColumnType } from './type.ts';

/** What to do with NaN and infinities, which JSON cannot carry. */
export type NonFinite = 'fail' | 'null' | 'string';

/** Marks errors the engine raises on our behalf; what follows is a reason from REFUSALS. */
export const REFUSAL_MARK = 'drayage-refused:';

export const REFUSALS = {
  nonFinite: 'NaN and infinities cannot be written as JSON numbers; set nonFinite to null or string',
  notJson: 'the text is not valid JSON',
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
        ? inQuotes(`(${expression})::varchar`)
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
    case 'instant': {
      const text = plainText(expression, type, options);
      return isEpoch(options.instants)
        ? `case when isfinite(${expression}) then ${text} else ${inQuotes(text)} end`
        : inQuotes(text);
    }
    default:
      return inQuotes(plainText(expression, type, options));
  }
}

/** SQL: JSON text with `null` in place of NULL. */
export function jsonOrNull(expression: string, type: ColumnType, options: TextOptions, depth = 0): string {
  return `coalesce(${jsonText(expression, type, options, depth)}, 'null')`;
}

/** SQL: one row as a JSON object. */
export function jsonObject(members: readonly { readonly name: string; readonly json: string }[]): string {
  const parts = members.map(
    ({ name, json }, at) => `${literal(`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`)}, ${json}`,
  );
  return `concat(${parts.join(', ')}, '}')`;
}

function inQuotes(expression: string): string {
  return `('"' || ${expression} || '"')`;
}

function nonFiniteJson(expression: string, nonFinite: NonFinite): string {
  if (nonFinite === 'null') return `'null'`;
  if (nonFinite === 'string') return inQuotes(nonFiniteText(expression));
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
  const withoutSurrogates = `regexp_replace(${text}, '\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '?', 'g')`;
  const outsideStrings = `regexp_replace(${text}, '"(?:[^"\\\\]|\\\\.)*"', '""', 'g')`;
  const isLax = `regexp_matches(${outsideStrings}, ',\\s*[\\]}]|[Nn][Aa][Nn]|[Ii][Nn][Ff]')`;
  const oneLine = `translate(${text}, chr(10) || chr(13), '  ')`;
  return `case when ${expression} is null then null when not json_valid(${text}) and not json_valid(${withoutSurrogates}) then ${refusal('notJson')} when ${mayBeUnusual(text)} then case when ${isLax} then ${refusal('notJson')} else ${oneLine} end else ${text} end`;
}

/** Plain searches that rule out line ends, NaN, Infinity and trailing commas in a fifth of a regular expression's time. */
function mayBeUnusual(text: string): string {
  const words = ['nan', 'inf'].map((word) => `contains(lower(${text}), '${word}')`);
  const ends = [',}', ',]', ' }', ' ]'].map((end) => `contains(${text}, '${end}')`);
  const spaces = [9, 10, 13].map((code) => `contains(${text}, chr(${code}))`);
  return [...words, ...ends, ...spaces].join(' or ');
}

function refusal(reason: keyof typeof REFUSALS): string {
  return `error('${REFUSAL_MARK}${reason}')`;
}
