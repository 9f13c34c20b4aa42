import type { ColumnType } from '../src/column/type.ts';
import type { Table } from './arbitrary-table.ts';
import { cellOf, MODEL_DEFAULTS, memberOf, oneLine, type Value } from './model.ts';

interface CsvDialect {
  readonly delimiter: string;
  readonly lineEnd: string;
  readonly quotesAll: boolean;
  /** Blanks before and behind quotes. */
  readonly blanks?: string;
}

/** The table as a CSV: NULL is an empty cell, empty text is "". */
export function csvText({ columns, rows }: Table, { delimiter, lineEnd, quotesAll, blanks = '' }: CsvDialect): string {
  const quoted = (text: string) => {
    const isPlain = !quotesAll && text !== '' && !/["\r\n]|^\s|\s$/.test(text) && !text.includes(delimiter);
    return isPlain ? text : `${blanks}"${text.replaceAll('"', '""')}"${blanks}`;
  };
  const lines = Array.from({ length: rows }, (_, row) =>
    columns.map(({ type, values }) => {
      const text = textOf(values[row] ?? null, type);
      return text === null ? '' : quoted(text);
    }),
  );
  return [columns.map(({ name }) => quoted(name)), ...lines].map((cells) => cells.join(delimiter) + lineEnd).join('');
}

function textOf(value: Value, type: ColumnType): string | null {
  if (value === null) return null;
  if (type.is === 'float') return numberText(Number(value));
  return String(cellOf(value, type, MODEL_DEFAULTS));
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The table as JSON lines; NULL is null, or left out behind the first row. */
export function jsonlText({ columns, rows }: Table, leavesOut: boolean): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const members = columns.flatMap(({ name, type, values }) => {
      const value = values[row] ?? null;
      return value === null && leavesOut && row > 0 ? [] : `${JSON.stringify(name)}:${jsonText(value, type)}`;
    });
    return `{${members.join(',')}}\n`;
  });
  return lines.join('');
}

function jsonText(value: Value, type: ColumnType): string {
  if (value === null) return 'null';
  switch (type.is) {
    case 'json':
      return oneLine((value as { readonly text: string }).text);
    case 'float':
      return Number.isFinite(value) ? numberText(Number(value)) : JSON.stringify(String(value));
    case 'list':
      return `[${partsOf(value).map((item) => jsonText(item, type.of))}]`;
    case 'struct':
      return `{${type.fields.map((field, at) => `${JSON.stringify(field.name)}:${jsonText(partsOf(value)[at] ?? null, field.type)}`)}}`;
    case 'map':
      return `{${partsOf(value).map((pair) => `${JSON.stringify(textOf(partsOf(pair)[0] ?? null, type.key))}:${jsonText(partsOf(pair)[1] ?? null, type.value)}`)}}`;
    default:
      return scalarText(value, type);
  }
}

function scalarText(value: Value, type: ColumnType): string {
  const member = memberOf(value, type, MODEL_DEFAULTS);
  if (typeof member !== 'object' || member === null) return JSON.stringify(member);
  if ('n' in member) return member.n;
  return JSON.stringify(textOf(value, type));
}

function partsOf(value: Value): readonly Value[] {
  return value as readonly Value[];
}
