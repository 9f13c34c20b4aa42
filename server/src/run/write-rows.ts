import { type FileHandle, open } from 'node:fs/promises';
import { Fault } from '../base/errors.ts';
import { CsvRows, type CsvText } from '../format/csv-rows.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { ByteSink } from '../format/sink.ts';
import type { Session } from '../source/engine.ts';
import { ScanBroken } from '../source/scan.ts';
import type { Writing } from './segment-sql.ts';
import { type HeldSegment, ZstdSegmentSink } from './zstd-segment.ts';

/** A segment that was written. */
export interface Written {
  /** As the engine or the live source tells them. */
  readonly rows: number;
  /** What is to be joined; null where the segment's file is. */
  readonly held: HeldSegment | null;
}

/** Writes a segment's file, or keeps blocks of Zstandard up to `heldBytes` in memory in its place. */
export async function writeRows(session: Session, writing: Writing, heldBytes = 0): Promise<Written> {
  const { select, path, written } = writing;
  if (typeof written === 'string') return { rows: await session.copy({ select, path, options: written }), held: null };
  try {
    return await writeScanned(session, { ...writing, written }, heldBytes);
  } catch (error) {
    if (!(error instanceof ScanBroken)) throw error;
    // What ended the scan the engine tells only when it writes by itself.
    await session.copy({ select, path, options: 'format csv' });
    throw new Fault('run.short', error.message, { cause: error });
  }
}

async function writeScanned(
  session: Session,
  { path, written, zstdLevel: level, ...scanned }: Writing & { readonly written: CsvText },
  heldBytes: number,
): Promise<Written> {
  return session.scan(scanned, async ({ layouts, vectors }) => {
    const text = new CsvRows(layouts, written);
    await using sink =
      level === null
        ? await TextSink.open(path)
        : new ZstdSegmentSink(path, { level, heldBytes, counter: new RowCounter(true, text.memory) });
    let rows = 0;
    for await (const some of vectors) {
      for (const piece of text.write(some)) await sink.write(piece);
      rows += some.rows;
    }
    await sink.write(text.rest());
    await sink.end();
    return { rows, held: sink.held };
  });
}

class TextSink implements ByteSink, AsyncDisposable {
  readonly held = null;
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<TextSink> {
    return new TextSink(await open(path, 'w', 0o644));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten;
  }

  async end(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
