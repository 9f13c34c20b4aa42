import { identifier, literal } from '../column/sql.ts';
import { checkedJson, plainText, type TextOptions } from '../column/text.ts';
import type { Column, ColumnType } from '../column/type.ts';
import { DELIMITER, QUOTE } from './avro-cursor.ts';

/** What the engine stores for an infinite instant; Parquet files hold the same. */
const INFINITE = '9223372036854775807';

/**
 * SQL: a column's cell in the segments that `avro-rows.ts` reads: the text that is cheapest to make Avro bytes of.
 * Points in time are counts since 1970, bytes are base64, booleans 1 and 0. Nested values are `2[a,b,` (a list, its
 * length first), `{a,b,` (a struct, fields in order) and `1[k,v,` (a map), with the delimiter for the commas: it ends
 * every part. NULL is an empty part, and text, JSON, bytes and map keys stand in quotes, with quotes inside doubled.
 */
export function avroCell({ name, type }: Column): string {
  return cell(identifier(name), type, 0);
}

function cell(expression: string, type: ColumnType, depth: number): string {
  switch (type.is) {
    case 'bool':
      return `(${expression})::utinyint`;
    case 'float':
      // A FLOAT's own short text would be rounded twice on its way back, to double and then to float.
      return `(${expression})::double`;
    case 'json':
      // The engine decides this once, not for every row: what is JSON to it already passes as it came.
      return `case when typeof(${expression}) = 'JSON' then (${expression})::varchar else ${checkedJson(expression)} end`;
    case 'bytes':
      return `base64(${expression})`;
    case 'date':
      return `(${expression} - date '1970-01-01')`;
    case 'time':
      return `epoch_us(${expression})`;
    case 'timestamp':
      return type.unit === 'ns' ? `epoch_ns(${expression})` : orInfinite(expression, `epoch_us(${expression})`);
    case 'instant':
      return orInfinite(expression, type.unit === 'ms' ? milliseconds(expression) : `epoch_us(${expression})`);
    case 'list':
      return listText(expression, type.of, depth);
    case 'struct':
      return structText(expression, type, depth);
    case 'map':
      return mapText(expression, type, depth);
    default:
      return expression;
  }
}

/** The engine's epoch functions give NULL for infinities. */
function orInfinite(expression: string, epoch: string): string {
  return `coalesce(${epoch}, case when isinf(${expression}) then case when ${expression} > '2000-01-01' then ${INFINITE} else -${INFINITE} end end)`;
}

/** Whole milliseconds that have passed: the engine's epoch_ms goes up before 1970. */
function milliseconds(expression: string): string {
  const micros = `epoch_us(${expression})`;
  return `(${micros} // 1000 - (${micros} % 1000 < 0)::bigint)`;
}

const END = literal(String.fromCharCode(DELIMITER));
const MARK = literal(String.fromCharCode(QUOTE));

/** COPY options of segments: a row a line, NULL as an empty cell and empty text in quotes. */
export const AVRO_SEGMENT = `format csv, header false, delimiter ${END}, quote ${MARK}, escape ${MARK}, nullstr '', new_line '\\n'`;

/** SQL: the text of a value inside a nested one; NULL for NULL. */
function part(expression: string, type: ColumnType, depth: number): string {
  const text = cell(expression, type, depth);
  if (type.is === 'text' || type.is === 'json') return inQuotes(text);
  return type.is === 'bytes' ? `(${MARK} || ${text} || ${MARK})` : `(${text})::varchar`;
}

function inQuotes(text: string): string {
  return `(${MARK} || replace(${text}, ${MARK}, ${MARK} || ${MARK}) || ${MARK})`;
}

function listText(expression: string, of: ColumnType, depth: number): string {
  const item = `item${depth}`;
  const items = `list_transform(${expression}, lambda ${item}: concat(${part(item, of, depth + 1)}, ${END}))`;
  return `(len(${expression}) || '[' || array_to_string(${items}, ''))`;
}

function structText(expression: string, { fields }: ColumnType & { is: 'struct' }, depth: number): string {
  const parts = fields.map(({ name, type }) => part(`struct_extract(${expression}, ${literal(name)})`, type, depth));
  return `case when ${expression} is not null then concat('{', ${parts.map((text) => `${text}, ${END}`).join(', ')}) end`;
}

/** Map keys are the plain text of the key's type, as docs/values.md has it: Avro knows no others. */
function mapText(expression: string, { key, value }: ColumnType & { is: 'map' }, depth: number): string {
  const entry = `entry${depth}`;
  const keyText = inQuotes(plainText(`${entry}.key`, key, KEY_TEXT));
  const parts = `concat(${keyText}, ${END}, ${part(`${entry}.value`, value, depth + 1)}, ${END})`;
  const entries = `list_transform(map_entries(${expression}), lambda ${entry}: ${parts})`;
  return `(cardinality(${expression}) || '[' || array_to_string(${entries}, ''))`;
}

const KEY_TEXT: TextOptions = { instants: 'iso', bigIntegers: 'number', nonFinite: 'string' };
