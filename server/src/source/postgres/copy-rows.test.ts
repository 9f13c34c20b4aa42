import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { fc } from '../../../test/draws.ts';
import { CopyRows } from './copy-rows.ts';
import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';
import type { Stamp } from './stamps.ts';

/** What PostgreSQL sends of a moment, and what is promised of it. */
const MOMENTS: readonly (readonly [string, string])[] = [
  ['2026-01-31 23:59:59.123456', '2026-01-31T23:59:59.123456'],
  ['2026-01-31 23:59:59.12345', '2026-01-31T23:59:59.123450'],
  ['2026-01-31 23:59:59.1', '2026-01-31T23:59:59.100000'],
  ['2026-01-31 00:00:00', '2026-01-31T00:00:00.000000'],
  ['10000-01-01 00:00:00', '+010000-01-01T00:00:00.000000'],
  ['294246-12-31 23:59:59.5', '+294246-12-31T23:59:59.500000'],
];

interface Cell {
  readonly stamp: Stamp;
  readonly sent: string;
  readonly text: string;
}

const MOMENT_CELLS: readonly Cell[] = [
  ...MOMENTS.flatMap(([sent, text]): Cell[] => [
    { stamp: 'timestamp', sent, text },
    { stamp: 'instant', sent: `${sent}+00`, text: `${text}Z` },
  ]),
  { stamp: 'timestamp', sent: '0044-03-15 12:00:00.25 BC', text: '-000043-03-15T12:00:00.250000' },
  { stamp: 'instant', sent: '0044-03-15 12:00:00.25+00 BC', text: '-000043-03-15T12:00:00.250000Z' },
  { stamp: 'instant', sent: '0001-12-31 23:00:00+00 BC', text: '0000-12-31T23:00:00.000000Z' },
  ...['infinity', '-infinity', '', 'NULL'].flatMap((same): Cell[] => [
    { stamp: 'instant', sent: same, text: same },
    { stamp: 'timestamp', sent: same, text: same },
  ]),
];

/** Cells that stay as they are, however much they look like moments. */
const OTHER_CELLS: readonly Cell[] = [
  '"2026-01-31 00:00:00, ""x""; \n2026-01-31 00:00:00"',
  '2026-01-31 00:00:00+00',
  '0f8fad5b-d9cb-469f-a165-70867728950e',
  'fifteen bytes..',
  'sixteen bytes...',
  '"fourteen byte"',
  `"${'{""a"":1,'.repeat(40)}"`,
  'x'.repeat(1300),
  '',
].map((same) => ({ stamp: null, sent: same, text: same }));

/** The same kind in every row of a column. */
const columnCells = fc.constantFrom<Stamp>('timestamp', 'instant', null).map((kind) => ({
  kind,
  cells: [...MOMENT_CELLS, ...OTHER_CELLS].filter(({ stamp }) => stamp === kind),
}));

const table = fc.array(columnCells, { minLength: 1, maxLength: 6 }).chain((columns) =>
  fc.record({
    stamps: fc.constant(columns.map(({ kind }) => kind)),
    rows: fc.array(fc.tuple(...columns.map(({ cells }) => fc.constantFrom(...cells))), { maxLength: 8 }),
    delimiter: fc.constantFrom(',', ';', '\t'),
  }),
);

/** Rows as the messages of a COPY. */
function messages(rows: readonly string[]): Buffer {
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
function partsOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengths[Math.min(parts.length, lengths.length - 1)] ?? bytes.length;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** Every row, each part being read as a socket does: right into the input. */
function takeAll(taker: CopyRows, parts: readonly Buffer[]): string {
  const taken: Buffer[] = [];
  for (const part of parts) {
    let unread = taker.input.subarray(0, part.copy(taker.input));
    while (unread.length > 0) {
      unread = unread.subarray(taker.receive(unread));
      assert.equal(taker.take(), false);
      taken.push(Buffer.from(taker.rows));
      taker.drop(taker.rows.length);
      taker.keep();
    }
  }
  return Buffer.concat(taken).toString();
}

test('moments are rewritten wherever the bytes part, and nothing else is', () => {
  const taker = new CopyRows();
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(table, lengths, fc.boolean(), ({ stamps, rows, delimiter }, cuts, areRewritten) => {
      const lines = (key: 'sent' | 'text') => rows.map((row) => `${row.map((cell) => cell[key]).join(delimiter)}\n`);
      taker.begin(areRewritten ? stamps : null, delimiter);
      const taken = takeAll(taker, partsOf(messages(lines('sent')), cuts));
      assert.equal(taken, lines(areRewritten ? 'text' : 'sent').join(''));
      assert.equal(taker.messages, rows.length);
      assert.equal(taker.left.length, 0);
    }),
    { numRuns: 1000 },
  );
});

test('a full read is taken to its last byte, whatever stands in it', () => {
  const taker = new CopyRows();
  for (const { stamp, sent, text } of MOMENT_CELLS) {
    const rows = Math.ceil((3 * taker.input.length) / (sent.length + 6));
    const bytes = messages(Array.from({ length: rows }, () => `${sent}\n`));
    taker.begin([stamp], ',');
    assert.equal(takeAll(taker, partsOf(bytes, [taker.input.length])), `${text}\n`.repeat(rows));
    assert.equal(taker.messages, rows);
  }
});

test('a row that is larger than a read, and one of moments alone, come whole', () => {
  const taker = new CopyRows();
  const long = `"${'a""b,'.repeat(70_000)}"`;
  const moments = Array.from({ length: 1600 }, () => '2026-01-31 00:00:00');
  taker.begin([null, 'timestamp', null], ',');
  const row = (moment: string) => `${long},${moment},${long}\n`;
  const sent = messages([row('2026-01-31 00:00:00'), row('')]);
  assert.equal(takeAll(taker, partsOf(sent, [65_536])), row('2026-01-31T00:00:00.000000') + row(''));
  taker.begin(
    moments.map(() => 'timestamp'),
    ',',
  );
  const wide = `${moments.join(',')}\n`;
  assert.equal(
    takeAll(taker, partsOf(messages([wide, wide]), [60_000])),
    wide.replaceAll('31 00:00:00', '31T00:00:00.000000').repeat(2),
  );
});

test('another message is left to the caller, behind the rows before it', () => {
  const taker = new CopyRows();
  taker.begin(['timestamp'], ',');
  const bytes = Buffer.concat([messages(['2026-01-31 00:00:00\n']), Buffer.from('c\0\0\0\u0004')]);
  assert.equal(taker.receive(bytes), bytes.length);
  assert.equal(taker.take(), true);
  assert.equal(taker.rows.toString(), '2026-01-31T00:00:00.000000\n');
  taker.drop(taker.rows.length);
  assert.equal(taker.take(), true);
  assert.equal(taker.left.toString(), 'c\0\0\0\u0004');
  taker.skip(taker.left.length);
  assert.equal(taker.take(), false);
});

test('what is longer than any moment is refused before it fills the memory', () => {
  const taker = new CopyRows();
  taker.begin(['instant'], ',');
  taker.receive(messages([`${'9'.repeat(100)}\n`]).subarray(0, 90));
  assert.equal(taker.take(), false);
  assert.throws(() => taker.keep(), RangeError);
});

test('copy-rows.wasm.ts is what copy-rows.wat assembles to', async () => {
  const { base64, file } = await assemble('COPY_ROWS_WASM_BASE64', new URL('copy-rows.wat', import.meta.url));
  assert.ok(base64 === COPY_ROWS_WASM_BASE64, `copy-rows.wasm.ts is out of date; it should hold:\n${file}\n`);
});
