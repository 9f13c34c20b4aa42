import { Fault, type FaultRecord, recordOf } from '../../base/errors.ts';
import { makeDocument } from './document.ts';
import type { PdfOptions } from './options.ts';
import { readRecord } from './record.ts';
import { textOf } from './values.ts';

/** Rows to be made documents of. */
export interface Batch {
  /** Lines of JSON, a row each, without line ends. */
  readonly lines: readonly string[];
  /** Number of the first row in the output, counted from 1. */
  readonly firstRow: number;
  readonly layout: PdfOptions;
}

export interface BatchDocument {
  /** Name of its file. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: number;
  /** Of the record, in lower-case hex. */
  readonly sha256: string;
}

export type BatchResult = { readonly documents: readonly BatchDocument[] } | { readonly fault: FaultRecord };

/** A row of 4 MB is a document of 1,000 pages and takes 120 MB of heap. */
const MAX_ROW_LENGTH = 4 * 1024 * 1024;

/** What the library of RFC 8785 says. */
const LONE_SURROGATE = 'Lone surrogate is not allowed';

const NAME = /^[A-Za-z0-9._-]{1,200}$/;
const ALLOWED_NAME = 'allowed are 1 to 200 letters from A to Z, digits, points, hyphens and underscores';

/** Never throws: what goes wrong is in the result, which crosses a thread. */
export function setBatch({ lines, firstRow, layout }: Batch): BatchResult {
  try {
    return { documents: lines.map((line, at) => setRow(line, firstRow + at, layout)) };
  } catch (error) {
    return { fault: recordOf(error) };
  }
}

function setRow(line: string, row: number, layout: PdfOptions): BatchDocument {
  if (line.length > MAX_ROW_LENGTH) {
    throw new Fault('value.refused', `Row ${row} is too long for a document: allowed are 4 MB of JSON.`);
  }
  try {
    const record = readRecord(line);
    const name = nameOf(record.values[layout.name], row, layout.name);
    const { bytes, pages } = makeDocument(record, name, layout);
    return { name: `${name}.pdf`, bytes: Uint8Array.from(bytes), pages, sha256: record.sha256 };
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Fault('value.refused', `Row ${row} is nested too deep for a document.`, { cause: error });
    }
    if (error instanceof Error && error.message === LONE_SURROGATE) {
      throw new Fault('value.refused', `Row ${row} has half of a surrogate pair, which RFC 8785 allows in no record.`);
    }
    throw error;
  }
}

function nameOf(value: unknown, row: number, column: string): string {
  const name = textOf(value);
  if (name !== null && NAME.test(name)) return name;
  const found = name === null ? 'NULL' : JSON.stringify(name.slice(0, 60));
  throw new Fault('value.refused', `Row ${row} cannot name a document by ${column}: it is ${found}; ${ALLOWED_NAME}.`);
}
