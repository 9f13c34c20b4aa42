import assert from 'node:assert/strict';
import type { RowTaker } from '../src/source/postgres/row-taker.ts';
import { fc } from './draws.ts';

/** What PostgreSQL sends of a moment, and what is promised of it. */
export const MOMENTS: readonly (readonly [sent: string, text: string])[] = [
  ['2026-01-31 23:59:59.123456', '2026-01-31T23:59:59.123456'],
  ['2026-01-31 23:59:59.12345', '2026-01-31T23:59:59.123450'],
  ['2026-01-31 23:59:59.1', '2026-01-31T23:59:59.100000'],
  ['2026-01-31 00:00:00', '2026-01-31T00:00:00.000000'],
  ['10000-01-01 00:00:00', '+010000-01-01T00:00:00.000000'],
  ['294246-12-31 23:59:59.5', '+294246-12-31T23:59:59.500000'],
];

/** Lengths of the parts in which bytes come. */
export const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });

/** Rows as the messages of a COPY. */
export function messages(rows: readonly string[]): Buffer {
  return Buffer.concat(
    rows.flatMap((row) => {
      const body = Buffer.from(row);
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

/** Every row, each part being read as a socket does: right into the input. */
export function takeAll(taker: RowTaker, parts: readonly Buffer[]): string {
  const taken: Buffer[] = [];
  for (const part of parts) {
    let unread = taker.input.subarray(0, part.copy(taker.input));
    while (unread.length > 0) {
      unread = unread.subarray(taker.receive(unread));
      takeRows(taker, taken);
      taker.keep();
    }
  }
  return Buffer.concat(taken).toString();
}

function takeRows(taker: RowTaker, taken: Buffer[]): void {
  do {
    assert.equal(taker.take(), false);
    taken.push(Buffer.from(taker.rows));
    taker.drop(taker.rows.length);
  } while (taken.at(-1)?.length !== 0);
}
