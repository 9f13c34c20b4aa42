import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../test/assemble.ts';
import type { Vectors } from '../column/vectors.ts';
import { CsvRows } from './csv-rows.ts';
import { CSV_ROWS_WASM_BASE64 } from './csv-rows.wasm.ts';

const HIGH = 2 ** 47;
const PLAIN = { as: 'csv', delimiter: ',', lineEnd: '\n', nullText: '', decimalPoint: '.' } as const;

/** One column of texts that stand at these addresses of the engine's memory, and what of that is read. */
class Texts implements Vectors {
  readonly rows: number;
  readonly read: [address: number, length: number][] = [];
  readonly #values: Buffer;
  readonly #memory: Buffer;

  constructor(texts: readonly (readonly [text: string, address: number])[]) {
    this.rows = texts.length;
    this.#values = Buffer.alloc(texts.length * 16);
    this.#memory = Buffer.alloc(Math.max(...texts.map(([text, address]) => address - HIGH + text.length)));
    texts.forEach(([text, address], row) => {
      this.#values.writeUInt32LE(text.length, row * 16);
      if (text.length <= 12) this.#values.write(text, row * 16 + 4);
      else {
        this.#values.writeBigUInt64LE(BigInt(address), row * 16 + 8);
        this.#memory.write(text, address - HIGH);
      }
    });
  }

  values(): Uint8Array {
    return this.#values;
  }

  validity(): null {
    return null;
  }

  beyond(values: Uint8Array, offset: number, length: number): Uint8Array {
    assert.equal(values, this.#values);
    const address = Number(this.#values.readBigUInt64LE(offset));
    this.read.push([address, length]);
    return this.#memory.subarray(address - HIGH, address - HIGH + length);
  }
}

function textOf(vectors: Vectors): string {
  const rows = new CsvRows([{ is: 'text' }], PLAIN);
  return [...Array.from(rows.write(vectors), String), rows.rest()].join('');
}

test('texts within a page of each other are read at once, whatever their order; short ones are not', () => {
  const ends = 5000 + 20 + 4095 + 30;
  const texts = new Texts([
    ['a'.repeat(20), HIGH + 5000],
    ['b'.repeat(12), HIGH],
    ['c'.repeat(30), HIGH + ends - 30],
    ['d'.repeat(13), HIGH + 950],
    ['e'.repeat(50), HIGH + ends + 4096],
    ['f'.repeat(50), HIGH],
  ]);
  const lines = [...'abcdef'].map((letter, at) => letter.repeat([20, 12, 30, 13, 50, 50][at] ?? 0));
  assert.equal(textOf(texts), lines.map((line) => `${line}\n`).join(''));
  assert.deepEqual(texts.read, [
    [HIGH + 950, ends - 950],
    [HIGH + ends + 4096, 50],
    [HIGH, 50],
  ]);
});

test('many texts out of order are read in order of where they stand', () => {
  for (const { gap, reads } of [
    { gap: 2000, reads: 1 },
    { gap: 20_000, reads: 500 },
  ]) {
    const place = (row: number) => (row * 7919) % 500;
    const line = (row: number) => `${row} `.padEnd(100, 'x');
    const texts = new Texts(Array.from({ length: 500 }, (_, row) => [line(row), HIGH + place(row) * gap] as const));
    assert.equal(textOf(texts), Array.from({ length: 500 }, (_, row) => `${line(row)}\n`).join(''));
    // The first ones are read before it is seen that they are out of order.
    const sorted = texts.read.slice(64);
    assert.equal(sorted.length <= reads, true, `${sorted.length} reads`);
    assert.deepEqual(
      sorted,
      sorted.toSorted(([one], [other]) => one - other),
    );
  }
});

test('texts that are sorted are read at once within a page of each other, and where one holds others', () => {
  const far = Array.from({ length: 66 }, (_, row) => [`${row} `.padEnd(20, 'f'), HIGH + (66 - row) * 20_000] as const);
  const parent = Array.from({ length: 300 }, (_, at) => String.fromCharCode(97 + (at % 26))).join('');
  const at = HIGH + 2_000_000;
  const texts = new Texts([
    ...far,
    ['n'.repeat(20), at + 300 + 4095 + 20 + 4096],
    [parent.slice(100, 130), at + 100],
    ['m'.repeat(20), at + 300 + 4095],
    [parent, at],
    [parent.slice(270, 290), at + 270],
  ]);
  const lines = [...far.map(([text]) => text), 'n'.repeat(20), parent.slice(100, 130), 'm'.repeat(20), parent];
  assert.equal(textOf(texts), [...lines, parent.slice(270, 290)].map((line) => `${line}\n`).join(''));
  assert.deepEqual(texts.read.slice(-2), [
    [at, 300 + 4095 + 20],
    [at + 300 + 4095 + 20 + 4096, 20],
  ]);
});

test('a row of nothing but quotes has room', () => {
  const quotes = '"'.repeat(1_000_000);
  assert.ok(textOf(new Texts([[quotes, HIGH]])) === `"${quotes}${quotes}"\n`);
});

/** Texts of these lengths, one behind the other. */
function textsOf(lengths: readonly number[], letter: string): { texts: Texts; text: string } {
  let at = HIGH;
  const lines = lengths.map((length) => letter.repeat(length));
  const texts = new Texts(
    lines.map((line) => {
      at += line.length;
      return [line, at - line.length] as const;
    }),
  );
  return { texts, text: lines.map((line) => (letter === '"' ? `"${line}${line}"\n` : `${line}\n`)).join('') };
}

test('text comes in pieces of one size, however long the rows are', () => {
  const rows = new CsvRows([{ is: 'text' }], PLAIN);
  const pieces: string[] = [];
  let expected = '';
  for (const [letter, ...lengths] of [
    ['a', 1, 2 ** 20 - 4, 5],
    ['b', 2 ** 21, 7],
    // More than one slice; a row for which there is no room where text waits; one that fills what waits to the byte.
    ['c', ...Array.from({ length: 60 }, (_, row) => 9000 * row + 1)],
    ['"', 3_000_000, 20],
    ['d', 5_000_000],
    ['e', 4_500_000, 4_600_000],
    ['f', 13],
  ] as const) {
    const { texts, text } = textsOf(lengths, letter);
    expected += text;
    for (const piece of rows.write(texts)) pieces.push(String(piece));
  }
  const missing = 2 ** 20 - (expected.length % 2 ** 20);
  for (const length of [missing + 3 * 2 ** 20 - 1, 100]) {
    const { texts, text } = textsOf([length], 'g');
    expected += text;
    for (const piece of rows.write(texts)) pieces.push(String(piece));
  }
  assert.ok(pieces.every(({ length }) => length === 2 ** 20));
  assert.equal(String(rows.rest()).length, 101);
  assert.ok([...pieces, rows.rest()].join('') === expected);
});

test('there is room for rows of quotes behind what waits', () => {
  const rows = new CsvRows([{ is: 'text' }], PLAIN);
  const { texts: waiting, text } = textsOf([2 ** 20 - 30], 'a');
  const { texts: quotes, text: quoted } = textsOf(new Array(2040).fill(1000), '"');
  const pieces = [waiting, quotes, waiting, quotes].flatMap((texts) => Array.from(rows.write(texts), String));
  assert.ok([...pieces, rows.rest()].join('') === (text + quoted).repeat(2));
});

test('rows that need room for a long NULL text and do not take it lose nothing', () => {
  const nullText = 'N'.repeat(5 * 2 ** 20);
  const rows = new CsvRows([{ is: 'text' }], { ...PLAIN, nullText });
  const texts = new Texts(Array.from({ length: 7 }, () => ['abc', HIGH] as const));
  Object.assign(texts, { validity: () => Uint8Array.of(0b1110111) });
  const pieces = [texts, texts, texts].flatMap((each) => Array.from(rows.write(each), String));
  const lines = Array.from({ length: 7 }, (_, row) => (row === 3 ? nullText : 'abc')).join('\n');
  assert.ok([...pieces, rows.rest()].join('') === `${lines}\n`.repeat(3));
});

test('what stands where there is no value is not looked at', () => {
  const texts = new Texts([
    ['a'.repeat(20), HIGH],
    ['none'.repeat(5), HIGH + 2 ** 20],
    ['', HIGH],
  ]);
  Object.assign(texts, { validity: () => Uint8Array.of(0b101) });
  texts.values().fill(255, 16, 32);
  assert.equal(textOf(texts), `${'a'.repeat(20)}\n\n""\n`);
  assert.deepEqual(texts.read, [[HIGH, 20]]);
});

test('quotes are doubled wherever they stand', () => {
  const lengths = Array.from({ length: 50 }, (_, length) => length);
  const texts = lengths.flatMap((length) => [
    '"'.repeat(length),
    ...lengths.slice(0, length).map((at) => `${'x'.repeat(at)}"${'y'.repeat(length - at - 1)}`),
    ...[3, 7].map((every) => Array.from({ length }, (_, at) => (at % every ? ',' : '"')).join('')),
  ]);
  const given = new Texts(texts.map((text, row) => [text, HIGH + row * 64] as const));
  const quoted = (text: string) =>
    text === '' || /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"\n` : `${text}\n`;
  assert.equal(textOf(given), texts.map(quoted).join(''));
});

test('the assembled module is that of the .wat files', async () => {
  const wats = ['csv-rows.wat', 'vector-rows.wat', '../column/csv-text.wat', '../column/value-text.wat'].map(
    (name) => new URL(name, import.meta.url),
  );
  const { base64, file } = await assemble('CSV_ROWS_WASM_BASE64', ...wats);
  assert.equal(CSV_ROWS_WASM_BASE64, base64, `csv-rows.wasm.ts is to hold:\n${file}`);
});
