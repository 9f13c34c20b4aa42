import { identifier } from '../../column/sql.ts';
import type { ColumnType } from '../../column/type.ts';
import type { Sent } from '../source.ts';

/** What a value is in a binary COPY, mostly by the server's own names of types; text is any type whose bytes are its text. */
export type CellKind = keyof typeof KIND;

/** As copy-cells.wat has them. */
export const KIND = {
  ...{ text: 0, jsonb: 1, bool: 2, int2: 3, int4: 4, int8: 5, oid: 6 },
  ...{ uuid: 7, date: 8, timestamp: 9, timestamptz: 10, decimal: 11 },
} as const;

const TEXTS = ['text', 'varchar', 'bpchar', 'name', 'json'];

/** Text or JSON of SQL that is of the type so called. */
export function sentText(sql: string, type: string): Sent {
  if (TEXTS.includes(type)) return { sql, as: 'text' };
  if (type === 'jsonb') return { sql, as: type };
  // A cast to text would give some types another text than their own; of NULL concat makes an empty one, and a row with
  // NULL in it is neither null nor not null.
  return { sql: `case when (${sql}) is distinct from null then pg_catalog.concat(${sql}) end`, as: 'text' };
}

/** A column that is of its natural type, so called by the server; null for what only the engine gives the text of. */
export function sentValue(name: string, type: ColumnType, natural: string): Sent | null {
  const sql = identifier(name);
  switch (type.is) {
    case 'bool':
    case 'integer':
    case 'uuid':
    case 'date':
    case 'timestamp':
    case 'instant':
      return { sql, as: natural };
    case 'decimal':
      return { sql, as: type.is };
    case 'bytes':
      return { sql: `pg_catalog.replace(pg_catalog.encode(${sql}, 'base64'), pg_catalog.chr(10), '')`, as: 'text' };
    case 'time':
      return { sql: `pg_catalog.to_char(${sql}, 'HH24:MI:SS.US')`, as: 'text' };
    default:
      // Of several shortest texts of a float the server and the engine do not choose the same.
      return null;
  }
}

/** Throws for what is of no kind. */
export function kindOf({ as }: Sent): CellKind {
  if (!Object.hasOwn(KIND, as)) throw new Error(`No value is sent as ${as}.`);
  return as as CellKind;
}
