import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { bytes, CELLS, type Cell, copyOf, HEADER, KINDS, numeric, rowOf, TRAILER } from '../../../test/binary-copy.ts';
import { cuts, messages, partsOf, takeAll } from '../../../test/copy-messages.ts';
import { fc } from '../../../test/draws.ts';
import type { CellKind } from './cells.ts';
import { CsvCells } from './csv-cells.ts';
import { CSV_CELLS_WASM_BASE64 } from './csv-cells.wasm.ts';

const table = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 6 }).chain((kinds) =>
  fc.record({
    kinds: fc.constant(kinds),
    rows: fc.array(fc.tuple(...kinds.map((kind) => fc.option(CELLS[kind]))), { maxLength: 8 }),
    delimiter: fc.constantFrom(',', ';', '\t', '|', '-', '.', ':', '+'),
    nullText: fc.constantFrom('', 'NULL', '\\N', 'no value here; at all', 'true', 'f', '0', '-1', 'infinity'),
  }),
);

function csvOf(cells: readonly Cell[], delimiter: string, nullText: string): string {
  const written = cells.map((cell) => {
    if (cell === null) return nullText;
    const [, text] = cell;
    const isPlain = text !== nullText && text !== '\\.' && !/["\r\n]/.test(text) && !text.includes(delimiter);
    return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
  });
  return `${written.join(delimiter)}\n`;
}

test('cells of every kind become CSV wherever the bytes part', () => {
  const taker = new CsvCells();
  fc.assert(
    fc.property(table, cuts, ({ kinds, rows, delimiter, nullText }, lengths) => {
      taker.begin(kinds, { delimiter, nullText });
      const taken = takeAll(taker, partsOf(copyOf(rows.map(rowOf)), lengths));
      assert.equal(taken, rows.map((cells) => csvOf(cells, delimiter, nullText)).join(''));
      assert.equal(taker.count, rows.length);
      assert.equal(taker.left.length, 0);
    }),
    { numRuns: 1000 },
  );
});

test('rows of any length come whole, and short ones behind them', () => {
  const taker = new CsvCells();
  const quotes = '"'.repeat(3_000_000);
  const long = 'é'.repeat(1_000_000);
  const rows = [quotes, 'a', long, '', 'x'.repeat(70_000), quotes].map((text): Cell[] => [
    [bytes(4, 7), '7'],
    [Buffer.from(text), text],
  ]);
  taker.begin(['int4', 'text'], { delimiter: ',', nullText: '' });
  const taken = takeAll(taker, partsOf(copyOf(rows.map(rowOf)), [65_536]));
  assert.ok(taken === rows.map((cells) => csvOf(cells, ',', '')).join(''));
});

test('more columns than a region of rows has room for are taken', () => {
  const taker = new CsvCells();
  const cells = Array.from({ length: 1600 }, (): Cell => [bytes(2, -1), '-1']);
  taker.begin(
    cells.map(() => 'int2'),
    { delimiter: ',', nullText: 'N'.repeat(500) },
  );
  const rows = [cells, cells.map(() => null), cells];
  const taken = takeAll(taker, partsOf(copyOf(rows.map(rowOf)), [1000]));
  assert.equal(taken, rows.map((row) => csvOf(row, ',', 'N'.repeat(500))).join(''));
});

test('numbers that are none are refused', () => {
  for (const sign of [0xc000, 0xd000, 0xf000]) {
    const taker = new CsvCells().begin(['decimal'], { delimiter: ',', nullText: '' });
    const nan = Buffer.from([0, 0, 0, 0, sign >> 8, 0, 0, 0]);
    taker.receive(copyOf([rowOf([[nan, '']])]));
    assert.throws(() => taker.take(), { code: 'value.refused' });
  }
});

test('what was under way when a row was refused is forgotten', () => {
  const taker = new CsvCells().begin(['int2', 'decimal'], { delimiter: ',', nullText: '' });
  const nan = Buffer.from([0, 0, 0, 0, 0xc0, 0, 0, 0]);
  const row = (value: Buffer) =>
    copyOf([
      rowOf([
        [bytes(2, 5), ''],
        [value, ''],
      ]),
    ]);
  taker.receive(row(nan));
  assert.throws(() => taker.take());
  taker.begin(['int2', 'decimal'], { delimiter: ',', nullText: '' });
  assert.equal(takeAll(taker, [row(numeric('0.5'))]), '5,0.5\n');
});

test('a row that is too long is refused as soon as it begins', () => {
  const taker = new CsvCells().begin(['text'], { delimiter: ',', nullText: '' });
  const header = Buffer.from('d....');
  header.writeUInt32BE(2 ** 28 + 1, 1);
  taker.receive(Buffer.concat([copyOf([rowOf([[Buffer.from('x'), '']])]).subarray(0, -7), header]));
  assert.equal(taker.take(), false);
  assert.equal(taker.rows.toString(), 'x\n');
  taker.drop(taker.rows.length);
  assert.throws(() => taker.take(), { code: 'value.refused', message: /longer than 256 MiB/ });
});

test('another message is left to the caller, behind the rows before it', () => {
  const taker = new CsvCells().begin(['int2'], { delimiter: ',', nullText: '' });
  taker.receive(Buffer.concat([copyOf([rowOf([[bytes(2, 5), '5']])]), Buffer.from('c\0\0\0\u0004')]));
  assert.equal(taker.take(), true);
  assert.equal(taker.rows.toString(), '5\n');
  taker.drop(taker.rows.length);
  assert.equal(taker.take(), true);
  assert.equal(taker.left.toString(), 'c\0\0\0\u0004');
  taker.skip(taker.left.length);
  assert.equal(taker.take(), false);
});

const five = rowOf([[bytes(2, 5), '5']]);
const BROKEN: readonly (readonly [what: string, kind: CellKind, sent: Buffer])[] = [
  ['another header', 'int2', messages([Buffer.concat([HEADER.with(0, 81), five])])],
  ['flags', 'int2', messages([Buffer.concat([HEADER.with(12, 1), five])])],
  ['more of a header', 'int2', messages([Buffer.concat([HEADER.with(18, 4), five])])],
  ['half a header', 'int2', messages([HEADER.subarray(0, 12)])],
  ['another number of columns', 'int2', copyOf([rowOf([null, null])])],
  ['more than the columns', 'int2', copyOf([Buffer.concat([five, Buffer.alloc(1)])])],
  ['less than the columns', 'int2', copyOf([five.subarray(0, 5)])],
  ['a value of four gigabytes', 'text', copyOf([Buffer.concat([five.subarray(0, 2), bytes(4, -16), five])])],
  ['half a value', 'text', copyOf([five.with(5, 3)])],
  ['more than the end', 'int2', messages([Buffer.concat([HEADER, TRAILER, TRAILER])])],
  ...(['bool', 'int2', 'int4', 'int8', 'oid', 'uuid', 'date', 'timestamp', 'timestamptz', 'decimal'] as const).map(
    (kind) => [`a ${kind} of three bytes`, kind, copyOf([rowOf([[Buffer.alloc(3), '']])])] as const,
  ),
  ['a jsonb of another version', 'jsonb', copyOf([rowOf([[Buffer.from('\u0002{}'), '']])])],
  ['an empty jsonb', 'jsonb', copyOf([rowOf([[Buffer.alloc(0), '']])])],
  [
    'a decimal of other digits',
    'decimal',
    copyOf([rowOf([[Buffer.concat([numeric('1').subarray(0, 8), bytes(2, 10_000)]), '']])]),
  ],
  ['a decimal of too many digits', 'decimal', copyOf([rowOf([[numeric(`1${'0'.repeat(40)}`), '']])])],
  ['a decimal of too small digits', 'decimal', copyOf([rowOf([[numeric(`0.${'0'.repeat(38)}1`), '']])])],
];

for (const [what, kind, sent] of BROKEN) {
  test(`${what} is no row of PostgreSQL's`, () => {
    const taker = new CsvCells().begin([kind], { delimiter: ',', nullText: '' });
    taker.receive(Buffer.from(sent));
    assert.throws(() => taker.take(), /unreachable/);
  });
}

test('csv-cells.wasm.ts is what its parts assemble to', async () => {
  const wats = ['csv-cells.wat', 'copy-cells.wat', '../../column/csv-text.wat', '../../column/value-text.wat'];
  const { base64, file } = await assemble('CSV_CELLS_WASM_BASE64', ...wats.map((wat) => new URL(wat, import.meta.url)));
  assert.ok(base64 === CSV_CELLS_WASM_BASE64, `csv-cells.wasm.ts is out of date; it should hold:\n${file}\n`);
});
