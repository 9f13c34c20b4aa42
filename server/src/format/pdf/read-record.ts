import { inflateSync } from 'node:zlib';
import { INFO_OBJECT, RECORD_OBJECT } from './document.ts';
import { sealOf } from './objects.ts';
import { hashRecord } from './record.ts';

/** What a PDF's bytes say of themselves. */
export interface CheckedDocument {
  /** What is wrong with it, or null. */
  readonly problem: string | null;
  /** Of the attached record, in lower-case hex; null where there is none to be read. */
  readonly sha256: string | null;
}

/** More than any row may have. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

const TAIL_BYTES = 300;
const TAIL =
  /trailer\n<<\/Size (\d+)\/Root (\d+) 0 R\/Info (\d+) 0 R\/ID\[<([0-9a-f]{32})><([0-9a-f]{32})>\]>>\nstartxref\n(\d+)\n%%EOF\n$/;
const ATTACHED = /^1 0 obj\n<<\/Filter\/FlateDecode\/Length (\d+)\/Type\/EmbeddedFile[^\n]*>>\nstream\n/;
const DECLARED = /^2 0 obj\n[^\n]*\/RecordSHA256\(([0-9a-f]{64})\)/;

const NOT_OURS = 'it is not a document of this service, or was saved by another program';

export function isPdf(start: Uint8Array): boolean {
  return Buffer.from(start.subarray(0, 5)).toString('latin1') === '%PDF-';
}

/** Checks the attached record against the hash in the document, and every byte against the document's seal. */
export function checkDocument(bytes: Buffer): CheckedDocument {
  const ends = readTail(bytes);
  if (ends === null) return { problem: NOT_OURS, sha256: null };
  const record = readRecordAt(bytes, ends.table);
  const declared = DECLARED.exec(textAt(bytes, ends.table, INFO_OBJECT))?.[1];
  if (record === null || declared === undefined) return { problem: 'its record cannot be read', sha256: null };
  const sha256 = hashRecord(record);
  return { problem: problemOf(bytes, { ...ends, sha256, declared }), sha256 };
}

interface Ends {
  /** Where the table of objects begins, and where the trailer does. */
  readonly table: number;
  readonly trailer: number;
  readonly size: number;
  readonly root: number;
  readonly info: number;
  readonly id: string;
  readonly seal: string;
}

function readTail(bytes: Buffer): Ends | null {
  const start = Math.max(0, bytes.length - TAIL_BYTES);
  const match = TAIL.exec(bytes.toString('latin1', start));
  if (match === null) return null;
  const [, size, root, info, id = '', seal = '', table] = match;
  return {
    ...{ table: Number(table), trailer: start + match.index, size: Number(size) },
    ...{ root: Number(root), info: Number(info), id, seal },
  };
}

function problemOf(bytes: Buffer, found: Ends & { readonly sha256: string; readonly declared: string }): string | null {
  const { sha256, declared, id, seal, trailer, table, size, root, info } = found;
  if (sha256 !== declared) return `its record has the SHA-256 ${sha256}, not ${declared}`;
  const isTailSound = root === size - 1 && info === INFO_OBJECT && id === sha256.slice(0, id.length);
  const isTableSound = bytes.toString('latin1', table, trailer).startsWith(`xref\n0 ${size}\n`);
  if (isTailSound && isTableSound && sealOf(bytes.subarray(0, trailer)) === seal) return null;
  return 'its record is as it was, the document around it is not';
}

function readRecordAt(bytes: Buffer, table: number): Buffer | null {
  const [head = '', length] = ATTACHED.exec(textAt(bytes, table, RECORD_OBJECT)) ?? [];
  if (length === undefined) return null;
  const start = offsetOf(bytes, table, RECORD_OBJECT) + head.length;
  try {
    return inflateSync(bytes.subarray(start, start + Number(length)), { maxOutputLength: MAX_RECORD_BYTES });
  } catch {
    return null;
  }
}

/** How an object begins; empty where the table does not lead to one. */
function textAt(bytes: Buffer, table: number, object: number): string {
  const start = offsetOf(bytes, table, object);
  return bytes.toString('latin1', start, start + HEAD_BYTES);
}

/** Titles of 200 characters in hex, and what stands around them. */
const HEAD_BYTES = 4096;

/** Entries of the table have 20 bytes; the first is no object. */
function offsetOf(bytes: Buffer, table: number, object: number): number {
  const entries = bytes.indexOf('\n', table + 'xref\n'.length) + 1;
  return Number(bytes.toString('latin1', entries + 20 * object, entries + 20 * object + 10)) || bytes.length;
}
