import { identifier } from '../column/sql.ts';
import { jsonObject, jsonOrNull, type TextOptions } from '../column/text.ts';
import { type Column, isNested } from '../column/type.ts';

/** Options that JSON and JSONL share. */
export interface JsonRowOptions extends TextOptions {
  readonly nested: 'structure' | 'text';
}

/** SQL: a row as one line of JSON, members in column order. */
export function jsonRow(columns: readonly Column[], options: JsonRowOptions): string {
  return jsonObject(columns.map((column) => ({ name: column.name, json: member(column, options) })));
}

function member({ name, type }: Column, options: JsonRowOptions): string {
  const json = jsonOrNull(identifier(name), type, options);
  if (options.nested === 'structure' || !(isNested(type) || type.is === 'json')) return json;
  return `case when ${identifier(name)} is null then 'null' else to_json(${json})::varchar end`;
}
