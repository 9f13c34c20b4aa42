import { refuse } from '../base/errors.ts';
import { mayNeedQuotes } from '../column/csv-text.ts';
import { ISO } from '../column/instant.ts';
import { identifier, literal } from '../column/sql.ts';
import { DEFAULT_TEXT, plainText } from '../column/text.ts';
import type { Column } from '../column/type.ts';
import type { Format } from './format.ts';
import type { CsvOptions } from './options.ts';
import { isWritten } from './vector-rows.ts';

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
    return {
      expressions: columns.map((column) => ({ sql: cell(column, options), name: column.name })),
      written: {
        as: 'csv',
        delimiter: options.delimiter,
        lineEnd: lineEndOf(options),
        nullText: options.nullText ?? '',
        decimalPoint: options.decimalComma ? ',' : '.',
      },
    };
  },

  joining(columns, options) {
    const names = columns.map((column) => headerCell(column.label ?? column.name, options));
    const lineEnd = lineEndOf(options);
    const head = `${options.bom ? '\u{feff}' : ''}${options.header ? names.join(options.delimiter) + lineEnd : ''}`;
    return { by: 'text', head, empty: head, tail: '', separatorBytes: 0, isQuoted: true };
  },
};

function lineEndOf({ lineEnd }: CsvOptions): '\n' | '\r\n' {
  return lineEnd === 'crlf' ? '\r\n' : '\n';
}

/** SQL of the value itself where `vector-rows.ts` makes the text of it, else of its text. */
function cell(column: Column, options: CsvOptions): string {
  if (isMadeHere(column, options)) return identifier(column.name);
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

/** Whether `csv-rows.ts` makes the text of a value, with quotes where it needs some. */
function isMadeHere({ type }: Column, options: CsvOptions): boolean {
  if (type.is === 'json') return true;
  if (type.is === 'text') return !options.formulaGuard;
  const { delimiter, decimalComma, nullText = '' } = options;
  if (mayNeedQuotes(delimiter, nullText) || (decimalComma && delimiter === ',')) return false;
  return isWritten(type, options.instants === ISO);
}

function headerCell(name: string, options: CsvOptions): string {
  const guarded = options.formulaGuard && FORMULA_STARTS.some((start) => name.startsWith(start)) ? `'${name}` : name;
  const isPlain = !/["\r\n]|^\s|\s$/.test(guarded) && !guarded.includes(options.delimiter);
  return isPlain ? guarded : `"${guarded.replaceAll('"', '""')}"`;
}
