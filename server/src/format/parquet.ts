import { identifier } from '../column/sql.ts';
import { checkedJson, DEFAULT_TEXT, jsonText } from '../column/text.ts';
import { type Column, engineType, isNested } from '../column/type.ts';
import type { Format } from './format.ts';
import type { ParquetOptions } from './options.ts';

/** What COPY calls each compression of pages. */
const CODECS = { snappy: 'snappy', zstd: 'zstd', none: 'uncompressed' } as const;

/** Parquet, every type its own; JSON columns are annotated strings. */
export const parquet: Format<ParquetOptions> = {
  extension: 'parquet',
  mediaType: 'application/vnd.apache.parquet',
  compressible: false,

  check() {},

  segment(columns, options) {
    return {
      expressions: columns.map((column) => ({ sql: value(column, options), name: column.name })),
      written: `format parquet, compression ${CODECS[options.compression]}, row_group_size ${options.rowGroupRows}`,
    };
  },

  joining() {
    return { by: 'parquet' };
  },
};

function value({ name, type }: Column, options: ParquetOptions): string {
  const column = identifier(name);
  if (options.nested === 'text' && isNested(type))
    return jsonText(column, type, { ...DEFAULT_TEXT, nonFinite: 'string' });
  // A live source's lists of JSON come as text; to the engine any other cast is none.
  if (isNested(type)) return `(${column})::${engineType(type)}`;
  if (type.is !== 'json') return column;
  if (options.nested === 'text') return checkedJson(column);
  // The engine decides this once, not for every row: what is JSON to it already passes as it came.
  return `case when typeof(${column}) = 'JSON' then (${column})::json else (${checkedJson(column)})::json end`;
}
