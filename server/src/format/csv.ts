import { refuse } from '../base/errors.ts';
import { identifier, literal } from '../column/sql.ts';
import { DEFAULT_TEXT, plainText } from '../column/text.ts';
import type { Column } from '../column/type.ts';
import type { Format } from './format.ts';
import type { CsvOptions } from './options.ts';

/** First characters a spreadsheet takes for a formula, full-width forms included (OWASP, CSV Injection). */
const FORMULA_STARTS = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/** RFC 4180, by default with LF, with NULL as an empty cell and empty text as "". */
export const csv: Format<CsvOptions> = {
  extension: 'csv',
  mediaType: 'text/csv; charset=utf-8',
  compressible: true,

  check(columns, options) {
    if (options.nullText?.includes(options.delimiter)) {
      throw refuse('/format/nullText', 'The delimiter may not stand in nullText.');
    }
    const [only] = columns;
    if (columns.length === 1 && only?.nullable && options.nullText === undefined) {
      throw refuse(
        '/format/nullText',
        `A CSV of the one column ${only.name} cannot tell NULL from a blank line; set nullText.`,
      );
    }
  },

  segment(columns, options) {
    const lineEnd = options.lineEnd === 'crlf' ? '\\r\\n' : '\\n';
    return {
      expressions: columns.map((column) => ({ sql: cell(column, options), name: column.name })),
      copy: `format csv, header false, delimiter ${literal(options.delimiter)}, quote '"', escape '"', nullstr ${literal(options.nullText ?? '')}, new_line '${lineEnd}'`,
    };
  },

  joining(columns, options) {
    const names = columns.map((column) => headerCell(column.name, options));
    const lineEnd = options.lineEnd === 'crlf' ? '\r\n' : '\n';
    const head = `${options.bom ? '\u{feff}' : ''}${options.header ? names.join(options.delimiter) + lineEnd : ''}`;
    return { by: 'text', head, empty: head, tail: '', separatorBytes: 0, isQuoted: true };
  },
};

function cell(column: Column, options: CsvOptions): string {
  // JSON text of nested values is read by JSON readers, which know no NaN.
  const text = plainText(identifier(column.name), column.type, {
    ...DEFAULT_TEXT,
    instants: options.instants,
    nonFinite: 'string',
  });
  if (options.decimalComma && (column.type.is === 'decimal' || column.type.is === 'float')) {
    return `replace(${text}, '.', ',')`;
  }
  if (!options.formulaGuard || column.type.is !== 'text') return text;
  return `case when left(${text}, 1) in (${FORMULA_STARTS.map(literal).join(', ')}) then '''' || ${text} else ${text} end`;
}

function headerCell(name: string, options: CsvOptions): string {
  const guarded = options.formulaGuard && FORMULA_STARTS.some((start) => name.startsWith(start)) ? `'${name}` : name;
  const isPlain = !/["\r\n]|^\s|\s$/.test(guarded) && !guarded.includes(options.delimiter);
  return isPlain ? guarded : `"${guarded.replaceAll('"', '""')}"`;
}
