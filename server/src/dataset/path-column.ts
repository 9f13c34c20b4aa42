import { createHash } from 'node:crypto';
import { MARKED_REST, markNumbers, markOf, unmarkNumbers } from '../column/json-number.ts';
import { identifier, literal } from '../column/sql.ts';
import { escapePointer } from './filter.ts';

/** A value inside a JSON column as a text column. */
export interface PathColumn {
  readonly name: string;
  /** What CSV calls it in place of the name. */
  readonly label?: string | undefined;
  readonly column: string;
  /** Names from the column inwards; at least one. */
  readonly path: readonly string[];
  /** TRUE and FALSE instead of true and false. */
  readonly capitals?: boolean | undefined;
}

/**
 * SQL (DuckDB) of the value as text: strings as they are, true, false, numbers with the digits they were
 * written with, lists and objects as compact JSON. Nothing there and JSON null are NULL.
 */
export function pathText({ column: name, path, capitals = false }: Omit<PathColumn, 'name'>): string {
  const column = identifier(name);
  const at = literal(path.map((each) => `/${escapePointer(each)}`).join(''));
  const mark = markOf(createHash('sha256').update(`${name}\n${at}`).digest('hex'));
  const marked = markNumbers(`(${column})::varchar`, mark);
  const exact = unmarkNumbers(
    `json_extract(left(${marked}, length(${marked}) - ${MARKED_REST}), ${at})::varchar`,
    mark,
  );
  const type = `json_type(${column}, ${at})`;
  const plain = `json_extract_string(${column}, ${at})`;
  const shouted = capitals ? `when ${type} = 'BOOLEAN' then upper(${plain}) ` : '';
  return `case ${shouted}when ${type} in ('VARCHAR', 'BOOLEAN') then ${plain} when ${type} <> 'NULL' then ${exact} end`;
}
