import { identifier } from '../../column/sql.ts';
import type { LiveColumn } from '../source.ts';

/** What a value is in a binary COPY, mostly by the server's own names of types; text is any type whose bytes are its text. */
export type CellKind = keyof typeof KIND;

/** As copy-cells.wat has them. */
export const KIND = {
  ...{ text: 0, jsonb: 1, bool: 2, int2: 3, int4: 4, int8: 5, oid: 6 },
  ...{ uuid: 7, date: 8, timestamp: 9, timestamptz: 10, decimal: 11 },
} as const;

const TEXTS = ['text', 'varchar', 'bpchar', 'name', 'json'];

/** A column of a binary COPY: its SQL, and what comes of it. */
export interface Cell {
  readonly sql: string;
  readonly kind: CellKind;
}

/** The cell whose text is the column's plain one; of a column that has none, or where `isText`, it comes as text. */
export function cellOf({ name, plain, natural }: LiveColumn, isText: boolean): Cell {
  if (plain === null) throw new Error(`The relation has no plain text of column ${name}.`);
  const column = identifier(name);
  // One without bounds is text, and may be no number.
  const kind = natural?.startsWith('numeric(') ? 'decimal' : natural;
  if (kind !== null && TEXTS.includes(kind)) return { sql: column, kind: 'text' };
  if (kind !== null && (kind === 'jsonb' || !isText) && isKind(kind)) return { sql: column, kind };
  // A cast to text would give some types another text than their own, and of NULL concat makes an empty one.
  return { sql: `case when (${plain}) is not null then pg_catalog.concat(${plain}) end`, kind: 'text' };
}

function isKind(name: string): name is CellKind {
  return Object.hasOwn(KIND, name);
}

/** Whether values that are no text could hold the delimiter, or be taken for NULL. */
export function mayNeedQuotes(delimiter: string, nullText: string): boolean {
  return '+-.:'.includes(delimiter) || /^[0-9a-fti+-]/i.test(nullText);
}
