import { identifier } from '../column/sql.ts';
import { jsonObject, jsonOrNull, type TextOptions } from '../column/text.ts';
import { type Column, isNested } from '../column/type.ts';
import { RAW_LINES, type SegmentSql } from './format.ts';

/** Options that JSON and JSONL share. */
export interface JsonRowOptions extends TextOptions {
  readonly nested: 'structure' | 'text';
}

/**
 * A row as one line of JSON, members in column order, with `after` behind it. Forced quotes, where the
 * quote is none, put nothing around a row and spare the writer a look at its every byte: a sixth of all time.
 */
export function jsonSegment(columns: readonly Column[], options: JsonRowOptions, after: '' | ','): SegmentSql {
  const members = columns.map((column) => ({ name: column.name, json: member(column, options) }));
  return { expressions: [{ sql: jsonObject(members, after), name: null }], written: RAW_LINES };
}

function member({ name, type }: Column, options: JsonRowOptions): string {
  const json = jsonOrNull(identifier(name), type, options);
  if (options.nested === 'structure' || !(isNested(type) || type.is === 'json')) return json;
  return `case when ${identifier(name)} is null then 'null' else to_json(${json})::varchar end`;
}
