import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { cuts, messages, partsOf, takeAll } from '../../../test/copy-messages.ts';
import { fc } from '../../../test/draws.ts';
import { landedText } from '../../../test/landed.ts';
import { CopyRows } from './copy-rows.ts';
import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';

const controls = fc.integer({ min: 0, max: 32 }).map((code) => String.fromCharCode(code));
const rows = fc.array(
  fc
    .string({ unit: fc.oneof(controls, fc.string({ unit: 'grapheme', maxLength: 20 })), maxLength: 20 })
    .map((text) => `${text}\n`),
  { maxLength: 8 },
);

function landed(row: string): string {
  const text = row.slice(0, -1);
  return `${landedText(text)},${Number(landedText(text) !== text)}\n`;
}

test('rows have no line ends but their own, wherever the bytes part', () => {
  const taker = new CopyRows();
  fc.assert(
    fc.property(rows, cuts, (lines, lengths) => {
      taker.begin();
      assert.equal(takeAll(taker, partsOf(messages(lines), lengths)), lines.map(landed).join(''));
      assert.equal(taker.count, lines.length);
      assert.equal(taker.left.length, 0);
    }),
    { numRuns: 500 },
  );
});

test('a full read is taken to its last byte, and a row that is larger than one', () => {
  const taker = new CopyRows();
  const texts = ['x', 'sixteen letters.'.repeat(4), 'y'.repeat(1300), 'z'.repeat(300_000), '\u0003'.repeat(300_000)];
  for (const row of texts.map((text) => `${text}\n`)) {
    const count = Math.ceil((3 * taker.input.length) / row.length);
    taker.begin();
    const sent = messages(Array.from({ length: count }, () => row));
    assert.ok(takeAll(taker, partsOf(sent, [taker.input.length])) === landed(row).repeat(count));
    assert.equal(taker.count, count);
  }
});

test('another message is left to the caller, behind the rows before it', () => {
  const taker = new CopyRows().begin();
  const bytes = Buffer.concat([messages(['a\n']), Buffer.from('c\0\0\0\u0004')]);
  assert.equal(taker.receive(bytes), bytes.length);
  assert.equal(taker.take(), true);
  assert.equal(taker.rows.toString(), 'a,0\n');
  taker.drop(taker.rows.length);
  assert.equal(taker.take(), true);
  assert.equal(taker.left.toString(), 'c\0\0\0\u0004');
  taker.skip(taker.left.length);
  assert.equal(taker.take(), false);
});

test('copy-rows.wasm.ts is what copy-rows.wat assembles to', async () => {
  const { base64, file } = await assemble('COPY_ROWS_WASM_BASE64', new URL('copy-rows.wat', import.meta.url));
  assert.ok(base64 === COPY_ROWS_WASM_BASE64, `copy-rows.wasm.ts is out of date; it should hold:\n${file}\n`);
});
