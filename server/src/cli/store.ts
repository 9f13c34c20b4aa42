import { readEnvironment } from '../base/config.ts';
import { Fault } from '../base/errors.ts';
import { Db } from '../db/db.ts';

/** Works on the tables beside a server that may be running. Throws when they are not of this version. */
export async function withStore<T>(act: (db: Db) => Promise<T>): Promise<T> {
  const { dataFolder, databaseUrl: url } = readEnvironment();
  await using db = await Db.open({ dataFolder, url });
  const pending = await db.pendingMigrations();
  if (pending.length > 0)
    throw new Fault(
      'maintenance',
      'The database is not of this version; run drayage migrate, or start the server once.',
    );
  return await act(db);
}

/** Rows as a table of aligned columns, or as JSON. */
export function printRows(rows: readonly Readonly<Record<string, unknown>>[], asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => textOf(row[name])))];
  const widths = names.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? '').length)));
  for (const line of cells)
    process.stdout.write(
      `${line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return Array.isArray(value) ? value.join(',') : String(value);
}
