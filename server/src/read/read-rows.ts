import { readFile } from 'node:fs/promises';
import { exactly } from '../column/exact-json.ts';

/** A row by column names, as parsed from JSON; frozen, since several callers may be given the same one. */
export type Row = Readonly<Record<string, unknown>>;

/** The rows of a file of JSON lines. A number no JavaScript number holds exactly comes as its text. */
export async function readRows(path: string): Promise<readonly Row[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return Object.freeze(lines.slice(0, -1).map((line) => JSON.parse(line, frozen) as Row));
}

function frozen(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return Object.freeze(exactly(key, value, context));
}
