import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { cuts, MOMENTS, messages, partsOf, takeAll } from '../../../test/copy-messages.ts';
import { fc } from '../../../test/draws.ts';
import { CopyRows } from './copy-rows.ts';
import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';
import type { Stamp } from './stamps.ts';

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

test('moments are rewritten wherever the bytes part, and nothing else is', () => {
  const taker = new CopyRows();
  fc.assert(
    fc.property(table, cuts, fc.boolean(), ({ stamps, rows, delimiter }, lengths, areRewritten) => {
      const lines = (key: 'sent' | 'text') => rows.map((row) => `${row.map((cell) => cell[key]).join(delimiter)}\n`);
      taker.begin(areRewritten ? stamps : null, delimiter);
      const taken = takeAll(taker, partsOf(messages(lines('sent')), lengths));
      assert.equal(taken, lines(areRewritten ? 'text' : 'sent').join(''));
      assert.equal(taker.count, rows.length);
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
    assert.equal(taker.count, rows);
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
  const { base64, file } = await assemble(
    'COPY_ROWS_WASM_BASE64',
    ...['copy-rows.wat', 'copy-messages.wat'].map((wat) => new URL(wat, import.meta.url)),
  );
  assert.ok(base64 === COPY_ROWS_WASM_BASE64, `copy-rows.wasm.ts is out of date; it should hold:\n${file}\n`);
});
