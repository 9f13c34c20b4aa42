import { ISO } from '../column/instant.ts';
import { identifier } from '../column/sql.ts';
import { jsonHead, jsonText, type TextOptions } from '../column/text.ts';
import { type Column, isNested } from '../column/type.ts';
import type { SegmentSql } from './format.ts';
import { isWritten } from './vector-rows.ts';

/** Options that JSON and JSONL share. */
export interface JsonRowOptions extends TextOptions {
  readonly nested: 'structure' | 'text';
}

/** A row as one line of JSON, members in column order, with `after` behind it. */
export function jsonSegment(columns: readonly Column[], options: JsonRowOptions, after: '' | ','): SegmentSql {
  const cells = columns.map((column) => cell(column, options));
  return {
    expressions: cells.map(({ sql }, at) => ({ sql, name: columns[at]?.name ?? '' })),
    written: {
      as: 'json',
      members: cells.map(({ isString }, at) => ({ head: jsonHead(columns[at]?.name ?? '', at), isString })),
      end: `}${after}\n`,
    },
  };
}

interface Cell {
  /** SQL of the value itself where `json-rows.ts` makes the text of it, else of its text. */
  readonly sql: string;
  readonly isString: boolean;
}

function cell({ name, type }: Column, options: JsonRowOptions): Cell {
  const value = identifier(name);
  if (type.is === 'text') return { sql: value, isString: true };
  if (type.is === 'json' || isNested(type))
    return { sql: jsonText(value, type, options), isString: options.nested === 'text' };
  if (!isWritten(type, options.instants === ISO)) return { sql: jsonText(value, type, options), isString: false };
  const isBare = type.is === 'bool' || type.is === 'decimal' || type.is === 'integer';
  const isBig = type.is === 'integer' && type.bits === 64 && options.bigIntegers === 'string';
  return { sql: value, isString: !isBare || isBig };
}
