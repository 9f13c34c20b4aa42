import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { fc } from '../../../test/draws.ts';
import { landedText, textLanded } from '../../../test/landed.ts';
import { CsvLines } from './csv-lines.ts';
import { CSV_LINES_WASM_BASE64 } from './csv-lines.wasm.ts';
import { BadLine } from './line-files.ts';

const piece = fc.constantFrom('"', '""', '\n', '\r', '\r\n', '\u0001', '\u0002', '\u0003', '1', ' ', '\t', '\0', 'é');
const text = fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 40 })), { maxLength: 8 });

/** How a cell stands in the file, and in what landed. */
interface Drawn {
  readonly cell: string;
  readonly landed: string;
}

const blanks = fc.constantFrom('', '', '', ' ', '  ');
const quoted = fc.tuple(text, blanks, blanks).map(([parts, before, behind]): Drawn => {
  const cell = `"${parts.join('').replaceAll('"', '""')}"`;
  return { cell: `${before}${cell}${behind}`, landed: landedText(cell) };
});
const bare = text.map((parts): Drawn => {
  const cell = parts
    .join('')
    .replaceAll(/[\r\n,]/g, '')
    .replace(/^ *"/, 'x"');
  return { cell, landed: landedText(cell) };
});

const drawing = fc.record({
  rows: fc.array(fc.array(fc.oneof(quoted, bare), { minLength: 2, maxLength: 4 }), { maxLength: 12 }),
  ends: fc.array(fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n\n'), { minLength: 1, maxLength: 3 }),
  lines: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
  most: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
});

interface Feeding {
  readonly lines?: readonly number[];
  readonly most?: readonly number[];
  readonly delimiter?: string;
}

/** Feeds so many lines at a time, asks for so many rows at a time, and gives what landed. */
function landed(file: string, columns: number, { lines: chunks = [9], most = [9], delimiter = ',' }: Feeding = {}) {
  using lines = new CsvLines(delimiter, columns);
  const all = Buffer.from(file);
  let [rows, calls, out] = [0, 0, ''];
  for (let at = 0, turn = 0; at < all.length; turn++) {
    let end = at;
    for (let count = chunks[turn % chunks.length] ?? 1; count > 0 && end < all.length; count--)
      end = all.indexOf('\n', end) + 1;
    lines.makeRoom(Math.max(end - at, 100));
    all.copy(lines.room, 0, at, end);
    for (let from = 0; from < end - at; ) {
      const read = lines.write(from, end - at, most[calls++ % most.length] ?? 1);
      rows += read.rows;
      from = read.at;
      out += Buffer.from(lines.takeWritten()).toString();
    }
    at = end;
  }
  return { rows, out, longest: lines.longest, isQuoted: lines.isQuoted };
}

test('rows land without line ends in them, wherever lines and rows are parted', () => {
  fc.assert(
    fc.property(drawing, ({ rows, ends, lines, most }) => {
      const written = rows.map((cells, at) => cells.map(({ cell }) => cell).join(',') + (ends[at % ends.length] ?? ''));
      const wanted = rows.map((cells) => {
        const row = cells.map((cell) => cell.landed).join(',');
        return `1,${row},${Number(row !== textLanded(row))}\n`;
      });
      const result = landed(`\n${written.join('')}`, 2, { lines, most });
      assert.equal(result.out, wanted.join(''));
      assert.equal(result.rows, rows.length);
      assert.equal(result.isQuoted, false);
      const lengths = rows.map((cells, at) => {
        const end = (ends[at % ends.length] ?? '').startsWith('\r') ? 2 : 1;
        return Buffer.byteLength(cells.map(({ cell }) => cell).join(',')) + end;
      });
      assert.equal(result.longest, Math.max(0, ...lengths));
    }),
    { numRuns: 1000 },
  );
});

test('a blank line is a row of a single column only', () => {
  assert.equal(landed('\n\r\nx\n\n', 1).out, '1,,0\n1,,0\n1,x,0\n1,,0\n');
  assert.equal(landed('\n\r\nx,\n\n', 2).out, '1,x,,0\n');
});

test('blanks, too, may stand between cells', () => {
  assert.equal(landed('a "b\nc" "d"\n', 3, { delimiter: ' ' }).out, '1 a "b\u0001c" "d" 1\n');
  assert.equal(landed('a,|"b\n|"|c\n', 3, { delimiter: '|' }).out, '1|a,|"b\u0001|"|c|1\n');
});

test('blanks around quotes do not land, wherever the room for rows ends', () => {
  for (let length = 524_200; length < 524_290; length++) {
    const text = 'x'.repeat(length);
    assert.ok(landed(`${text},    "a"   ,b\n`, 2).out === `1,${text},"a",b,0\n`, `${length}`);
  }
  const blanks = ' '.repeat(200);
  assert.equal(landed(`x,${blanks}"y"\n`, 2).out, '1,x,"y",0\n');
  assert.throws(() => landed(`x,${blanks} "y"\n`, 2), { words: 'has more than 200 blanks before a quote' });
});

test('rows that are longer than there is room for come in parts', () => {
  const long = '\u0001\n'.repeat(700_000);
  const { rows, out, longest } = landed(`"${long}","a"\nb,c\n`, 2, { lines: [1_000_000] });
  assert.equal(rows, 2);
  assert.equal(longest, long.length + 7);
  assert.ok(out === `1,"${'\u00031\u0001'.repeat(700_000)}","a",1\n1,b,c,0\n`);
});

test('what cannot be read is told with its place', () => {
  for (const [file, at, words] of [
    ['a,b\n1,x\ry\n', 7, /carriage return/],
    ['a,b\n\rx,y\n', 4, /carriage return/],
    ['a,b\n"p"q,y\n', 7, /behind a closing quote/],
    ['a,b\n"p" q,y\n', 7, /behind a closing quote/],
  ] as const) {
    assert.throws(
      () => landed(file, 2),
      (error) => error instanceof BadLine && words.test(error.words) && Math.abs(error.at - at) <= 1,
      JSON.stringify(file),
    );
  }
  assert.equal(landed('a,b\n1,"x\ny,z\n', 2, { lines: [1] }).isQuoted, true);
});

test('csv-lines.wasm.ts is what csv-lines.wat assembles to', async () => {
  const { base64, file } = await assemble('CSV_LINES_WASM_BASE64', new URL('csv-lines.wat', import.meta.url));
  assert.ok(base64 === CSV_LINES_WASM_BASE64, `csv-lines.wasm.ts is out of date; it should hold:\n${file}\n`);
});
