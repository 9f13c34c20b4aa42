import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../test/assemble.ts';
import { CSV_ROWS_WASM_BASE64 } from './csv-rows.wasm.ts';
import { addressAt, spansOf } from './text-spans.ts';

/** Values of text as the engine has them: length and address. */
function values(texts: readonly (readonly [length: number, address: number])[]): Uint32Array {
  const words = new Uint32Array(texts.length * 4);
  texts.forEach(([length, address], row) => {
    words[row * 4] = length;
    words[row * 4 + 2] = address % 2 ** 32;
    words[row * 4 + 3] = Math.floor(address / 2 ** 32);
  });
  return words;
}

function told(words: Uint32Array, from: number, end: number) {
  return spansOf(words, 0, from, end).map(({ rows, lowest, length }) => [[...rows], lowest, length]);
}

const HIGH = 2 ** 47;

test('texts within a page of each other are one span, whatever their order; short ones are in none', () => {
  const words = values([
    [20, HIGH + 5000],
    [12, 7],
    [30, HIGH + 5000 + 20 + 4095],
    [13, HIGH + 950],
    [50, HIGH + 5000 + 20 + 4095 + 30 + 4096],
    [50, HIGH],
  ]);
  assert.equal(addressAt(words, 0), HIGH + 5000);
  assert.deepEqual(told(words, 0, 6), [
    [[0, 2, 3], 3, 5000 + 20 + 4095 + 30 - 950],
    [[4], 4, 50],
    [[5], 5, 50],
  ]);
  assert.deepEqual(told(words, 1, 2), []);
  assert.deepEqual(told(words, 3, 4), [[[3], 3, 13]]);
});

test('many texts out of order are sorted into few spans', () => {
  const texts = Array.from({ length: 500 }, (_, row) => [100, HIGH + ((row * 7919) % 500) * 2000] as const);
  assert.equal(told(values(texts), 0, 500).length, 1);
  const apart = texts.map(([length, address]) => [length, HIGH + (address - HIGH) * 10] as const);
  assert.equal(told(values(apart), 0, 500).length, 500);
});

test('the assembled module is that of the .wat files', async () => {
  const wats = ['csv-rows.wat', 'value-text.wat'].map((name) => new URL(name, import.meta.url));
  const { base64, file } = await assemble('CSV_ROWS_WASM_BASE64', ...wats);
  assert.equal(CSV_ROWS_WASM_BASE64, base64, `csv-rows.wasm.ts is to hold:\n${file}`);
});
