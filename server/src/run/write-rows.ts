import { closeSync, openSync, writeSync } from 'node:fs';
import type { Layout } from '../column/vectors.ts';
import { CsvRows } from '../format/csv-rows.ts';
import type { RowsText } from '../format/format.ts';
import { JsonRows } from '../format/json-rows.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { VectorRows } from '../format/vector-rows.ts';
import { XmlRows } from '../format/xml-rows.ts';
import type { Session } from '../source/engine.ts';
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
  using segment = new ScannedSegment({ ...writing, written }, heldBytes);
  const rows = await session.scan(writing, (some, layouts) => {
    for (const piece of segment.begin(layouts).write(some)) segment.write(piece);
  });
  return { rows, held: segment.end() };
}

/** Text of rows and where it goes. The engine waits while rows are taken, so what is written is waited for, too. */
class ScannedSegment implements Disposable {
  readonly #writing: Writing & { readonly written: RowsText };
  readonly #heldBytes: number;
  #text: VectorRows | null = null;
  #sink: TextSink | ZstdSegmentSink | null = null;

  constructor(writing: Writing & { readonly written: RowsText }, heldBytes: number) {
    this.#writing = writing;
    this.#heldBytes = heldBytes;
  }

  /** What makes text of rows that stand in memory like that. */
  begin(layouts: readonly Layout[]): VectorRows {
    this.#text ??= this.#begin(layouts);
    return this.#text;
  }

  write(piece: Uint8Array): void {
    this.#sink?.write(piece);
  }

  end(): HeldSegment | null {
    this.write(this.begin([]).rest());
    this.#sink?.end();
    return this.#sink?.held ?? null;
  }

  [Symbol.dispose](): void {
    this.#sink?.[Symbol.dispose]();
  }

  #begin(layouts: readonly Layout[]): VectorRows {
    const { written, path, zstdLevel: level } = this.#writing;
    const text = rowsOf(layouts, written);
    const heldBytes = this.#heldBytes;
    this.#sink =
      level === null
        ? new TextSink(path)
        : new ZstdSegmentSink(path, { level, heldBytes, counter: new RowCounter(written.as === 'csv', text.memory) });
    return text;
  }
}

function rowsOf(layouts: readonly Layout[], written: RowsText): VectorRows {
  switch (written.as) {
    case 'csv':
      return new CsvRows(layouts, written);
    case 'json':
      return new JsonRows(layouts, written);
    case 'xml':
      return new XmlRows(layouts, written);
  }
}

class TextSink implements Disposable {
  readonly held = null;
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w', 0o644);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  end(): void {}

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
