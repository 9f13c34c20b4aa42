import { type FileHandle, open } from 'node:fs/promises';
import { Fault } from '../base/errors.ts';
import { CsvRows, type CsvText } from '../format/csv-rows.ts';
import type { Session } from '../source/engine.ts';
import type { Writing } from './segment-sql.ts';

/** Writes a segment's file and gives its rows as the engine tells them. */
export async function writeRows(session: Session, { select, path, written }: Writing): Promise<number> {
  if (typeof written === 'string') return session.copy({ select, path, options: written });
  try {
    return await writeScanned(session, { select, path, written });
  } catch (error) {
    // What ended the scan the engine tells only when it writes by itself.
    if (error instanceof Fault && error.code === 'run.short')
      await session.copy({ select, path, options: 'format csv' });
    throw error;
  }
}

async function writeScanned(
  session: Session,
  { select, path, written }: Writing & { readonly written: CsvText },
): Promise<number> {
  await using file = await open(path, 'w', 0o644);
  return await session.scan(select, async ({ layouts, vectors }) => {
    const text = new CsvRows(layouts, written);
    let rows = 0;
    for await (const some of vectors) {
      for (const bytes of text.write(some)) await writeWhole(file, bytes);
      rows += some.rows;
    }
    return rows;
  });
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
