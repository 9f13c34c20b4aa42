import { readCells } from '../readers/cells.ts';
import type { Row, Tables } from './rows.ts';

export interface Export {
  readonly app: string;
  readonly table: keyof Tables;
  /** Rows that are wanted, beside those of the app. */
  readonly keeps?: (row: Row) => boolean;
  readonly ids: readonly string[];
  readonly columns: readonly string[];
  /** `rows`: by what they print, once each. `print`: by what they print. Else by these columns of the source. */
  readonly order: 'rows' | 'print' | readonly string[];
}

/** The cells an export must hold, header first, computed row by row. */
export function expected(tables: Tables, { app, table, keeps = () => true, ids, columns, order }: Export): string[][] {
  const printed = ['install_id', 'custom_id', 'advertising_id'].filter((id) => ids.includes(id)).concat(columns);
  const chosen = tables[table].filter((row) => row.app === app && keeps(row));
  const keys = typeof order === 'string' ? printed : order;
  const tie = table === 'installs' ? 'install_id' : 'event_id';
  const sorted = chosen.toSorted((a, b) => compare(a, b, order === 'rows' ? keys : [...keys, tie]));
  const rows = sorted.map((row) => printed.map((name) => cell(row[name], name)));
  const distinct = rows.filter((row, at) => at === 0 || JSON.stringify(row) !== JSON.stringify(rows[at - 1]));
  return [printed, ...(order === 'rows' ? distinct : rows)];
}

function cell(value: Row[string] | undefined, name: string): string {
  if (value === null || value === undefined) return '';
  // Empty text is told from no value.
  if (value === '') return '""';
  return name.endsWith('_date') ? String(value).slice(0, 19) : String(value);
}

/** Text by its bytes, no value last. */
function compare(a: Row, b: Row, keys: readonly string[]): number {
  for (const key of keys) {
    const [left, right] = [a[key] ?? null, b[key] ?? null];
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(String(right)));
    return Number(left) - Number(right);
  }
  return 0;
}

/** Cells of a file with semicolons; empty text in quotes stays `""`. */
export function parseCells(text: string): string[][] {
  return readCells(text, ';');
}
