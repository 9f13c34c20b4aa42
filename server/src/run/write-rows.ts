import { type FileHandle, open } from 'node:fs/promises';
import { Fault } from '../base/errors.ts';
import { CsvRows, type CsvText } from '../format/csv-rows.ts';
import type { ByteSink } from '../format/sink.ts';
import type { Session } from '../source/engine.ts';
import { ScanBroken } from '../source/scan.ts';
import type { Writing } from './segment-sql.ts';
import { ZstdSegmentSink } from './zstd-segment.ts';

/** Writes a segment's file and gives its rows as the engine tells them. */
export async function writeRows(session: Session, writing: Writing): Promise<number> {
  const { select, path, written } = writing;
  if (typeof written === 'string') return session.copy({ select, path, options: written });
  try {
    return await writeScanned(session, { ...writing, written });
  } catch (error) {
    if (!(error instanceof ScanBroken)) throw error;
    // What ended the scan the engine tells only when it writes by itself.
    await session.copy({ select, path, options: 'format csv' });
    throw new Fault('run.short', error.message, { cause: error });
  }
}

async function writeScanned(
  session: Session,
  { select, path, written, zstdLevel }: Writing & { readonly written: CsvText },
): Promise<number> {
  await using file = await open(path, 'w', 0o644);
  const sink = zstdLevel === null ? textSink(file) : new ZstdSegmentSink(file, zstdLevel);
  return await session.scan(select, async ({ layouts, vectors }) => {
    const text = new CsvRows(layouts, written);
    let rows = 0;
    for await (const some of vectors) {
      for (const bytes of text.write(some)) await sink.write(bytes);
      rows += some.rows;
    }
    await sink.end();
    return rows;
  });
}

function textSink(file: FileHandle): ByteSink {
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    },
    end: async () => {},
  };
}
