import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { bytes, CELLS, type Cell, copyOf, KINDS, numeric, rowOf } from '../../../test/binary-copy.ts';
import { cuts, messages, partsOf, takeAll } from '../../../test/copy-messages.ts';
import { fc } from '../../../test/draws.ts';
import { type JsonMember, MAX_COLUMNS, MAX_HEADS_BYTES } from '../source.ts';
import type { CellKind } from './cells.ts';
import { JsonCells } from './json-cells.ts';
import { JSON_CELLS_WASM_BASE64 } from './json-cells.wasm.ts';

interface Kind {
  readonly is: JsonMember['is'];
  readonly kind: CellKind;
  readonly cells: fc.Arbitrary<Cell>;
}

/** As the engine's to_json does: other than JavaScript, with digits in upper case. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(/\\\\|\\u00(..)/g, (written, digits?: string) =>
    digits === undefined ? written : `\\u00${digits.toUpperCase()}`,
  );
}

/** Short ones, some longer than sixteen bytes, of what is written otherwise and what is not. */
const texts = fc
  .array(fc.constantFrom(...'\b\f\n\r\t\v\\"\0\x01\x1f\x7f/aN.,é😀\u2028', 'fifteen letters', 'sixteen letters.'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

const json = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, ' ', '\t', '\r\n'))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

const BARE: readonly CellKind[] = ['bool', 'int2', 'int4', 'int8', 'oid', 'decimal'];

const COLUMNS: readonly Kind[] = [
  { is: 'string', kind: 'text', cells: texts.map((text) => [Buffer.from(text), jsonString(text)]) },
  { is: 'json', kind: 'text', cells: json.map((text) => [Buffer.from(text), text.replace(/[\r\n]/g, ' ')]) },
  {
    is: 'json',
    kind: 'jsonb',
    cells: json.map((text) => [Buffer.from(`\u0001${text}`), text.replace(/[\r\n]/g, ' ')]),
  },
  ...KINDS.filter((kind) => kind !== 'text' && kind !== 'jsonb').map((kind): Kind => {
    if (BARE.includes(kind)) return { is: 'bare', kind, cells: CELLS[kind] };
    return { is: 'string', kind, cells: CELLS[kind].map((cell) => cell && [cell[0], `"${cell[1]}"`]) };
  }),
  { is: 'string', kind: 'int8', cells: CELLS.int8.map((cell) => cell && [cell[0], `"${cell[1]}"`]) },
];

const table = fc
  .array(fc.tuple(fc.constantFrom(...COLUMNS), fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 6 })
  .chain((columns) =>
    fc.record({
      kinds: fc.constant(columns.map(([{ kind }]) => kind)),
      members: fc.constant(
        columns.map(([{ is }, name], at) => ({ head: `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`, is })),
      ),
      rows: fc.array(fc.tuple(...columns.map(([{ cells }]) => fc.option(cells))), { maxLength: 8 }),
      after: fc.constantFrom<'' | ','>('', ','),
    }),
  );

const STRING = { head: '{"a":', is: 'string' } as const;

test('cells of every kind become lines of JSON wherever the bytes part', () => {
  const taker = new JsonCells();
  fc.assert(
    fc.property(table, cuts, ({ kinds, members, rows, after }, lengths) => {
      taker.begin(kinds, { as: 'json', members, after });
      const lines = rows.map((cells) => cells.map((cell, at) => `${members[at]?.head}${cell?.[1] ?? 'null'}`).join(''));
      const taken = takeAll(taker, partsOf(copyOf(rows.map(rowOf)), lengths));
      assert.equal(taken, lines.map((line) => `${line}}${after}\n`).join(''));
      assert.equal(taker.count, rows.length);
      assert.equal(taker.left.length, 0);
    }),
    { numRuns: 1000 },
  );
});

test('rows that become far longer than they are come whole', () => {
  const rows = ['\u0001'.repeat(2_000_000), 'a', '"'.repeat(70_000), ''];
  const taker = new JsonCells().begin(['text'], { as: 'json', members: [STRING], after: '' });
  const taken = takeAll(taker, partsOf(copyOf(rows.map((row) => rowOf([[Buffer.from(row), '']]))), [65_536]));
  assert.ok(taken === rows.map((row) => `{"a":${jsonString(row)}}\n`).join(''));
});

test('as many columns and as long heads as there may be have room', () => {
  const head = (at: number) => `${at === 0 ? '{' : ','}"${'n'.repeat(20)}":`;
  const members = Array.from({ length: MAX_COLUMNS }, (_, at) => ({ head: head(at), is: 'bare' }) as const);
  const taker = new JsonCells().begin(
    members.map(() => 'int2'),
    { as: 'json', members, after: ',' },
  );
  const row = rowOf(members.map((): Cell => [bytes(2, -1), '']));
  const line = `${members.map((member) => `${member.head}-1`).join('')}},\n`;
  assert.ok(takeAll(taker, partsOf(copyOf([row, row]), [1000])) === line + line);
  const long = { ...STRING, head: `{"${'n'.repeat(MAX_HEADS_BYTES)}":` };
  assert.throws(() => taker.begin(['text'], { as: 'json', members: [long], after: '' }), RangeError);
});

test('numbers that are none, and control characters within JSON, are refused', () => {
  const taker = new JsonCells();
  const nan = numeric('0');
  nan[4] = 0xc0;
  taker.begin(['decimal'], { as: 'json', members: [{ ...STRING, is: 'bare' }], after: '' });
  assert.throws(() => takeAll(taker, [copyOf([rowOf([[nan, '']])])]), { code: 'value.refused' });
  for (const text of ['"\v"', `"${'x'.repeat(20)}\u0001"`]) {
    taker.begin(['text'], { as: 'json', members: [{ ...STRING, is: 'json' }], after: '' });
    assert.throws(() => takeAll(taker, [copyOf([rowOf([[Buffer.from(text), '']])])]), /unreachable/);
  }
});

test('what was before is forgotten', () => {
  const taker = new JsonCells();
  const sent = copyOf([rowOf([[Buffer.from('x'), '']]), rowOf([null])]);
  for (let length = 0; length <= sent.length; length++) {
    taker.begin(['text'], { as: 'json', members: [STRING], after: '' });
    taker.receive(messages([]));
    taker.receive(sent.subarray(0, length));
    taker.take();
    taker.begin(['text'], { as: 'json', members: [STRING], after: '' });
    assert.equal(takeAll(taker, [sent]), '{"a":"x"}\n{"a":null}\n');
    assert.equal(taker.count, 2);
  }
});

test('json-cells.wasm.ts is what its parts assemble to', async () => {
  const wats = ['json-cells.wat', 'copy-cells.wat', '../../column/json-text.wat', '../../column/value-text.wat'];
  const { base64, file } = await assemble(
    'JSON_CELLS_WASM_BASE64',
    ...wats.map((wat) => new URL(wat, import.meta.url)),
  );
  assert.ok(base64 === JSON_CELLS_WASM_BASE64, `json-cells.wasm.ts is out of date; it should hold:\n${file}\n`);
});
