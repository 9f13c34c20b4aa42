import assert from 'node:assert/strict';
import type { Taker } from '../src/source/postgres/taker.ts';
import { fc } from './draws.ts';

/** Lengths of the parts in which bytes come. */
export const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });

/** Rows as the messages of a COPY. */
export function messages(rows: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    rows.flatMap((row) => {
      const body = typeof row === 'string' ? Buffer.from(row) : row;
      const header = Buffer.from('d....');
      header.writeUInt32BE(body.length + 4, 1);
      return [header, body];
    }),
  );
}

/** Parts of the bytes, in order: as long as told, then of the length told last. */
export function partsOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengths[Math.min(parts.length, lengths.length - 1)] ?? bytes.length;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** Every row, each part being read as a socket does: right into the input where there is one. */
export function takeAll(taker: Taker & { readonly input?: Buffer }, parts: readonly Buffer[]): string {
  const taken: Buffer[] = [];
  for (const part of parts) {
    let unread = taker.input?.subarray(0, part.copy(taker.input)) ?? part;
    while (unread.length > 0) {
      unread = unread.subarray(taker.receive(unread));
      takeRows(taker, taken);
      taker.keep();
    }
  }
  return Buffer.concat(taken).toString();
}

function takeRows(taker: Taker, taken: Buffer[]): void {
  do {
    assert.equal(taker.take(), false);
    taken.push(Buffer.from(taker.rows));
    taker.drop(taker.rows.length);
  } while (taken.at(-1)?.length !== 0);
}
