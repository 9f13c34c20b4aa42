import { literal } from '../column/sql.ts';

/** Longest row that is read where nothing else is known, in bytes. The reader holds a few buffers of this size for each thread. */
const ROW_BYTES = 16 * 1024 * 1024;

/** How rows that landed are written. */
interface CsvDialect {
  readonly delimiter: string;
  /** No row has more bytes, its end included. */
  readonly rowBytes?: number;
}

/** SQL of a scan of what landed (paths in brackets, or a placeholder): every column text, an empty cell NULL, a quoted empty cell ''. */
export function csvScan(
  files: string,
  names: readonly string[],
  { delimiter, rowBytes = ROW_BYTES }: CsvDialect,
): string {
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  return `read_csv(${files}, auto_detect = false, header = false, columns = {${columns}}, delim = ${literal(delimiter)}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, null_padding = false, strict_mode = true, max_line_size = ${rowBytes}, buffer_size = ${rowBytes}, new_line = '\\n')`;
}
