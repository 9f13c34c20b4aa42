import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { cuts, MOMENTS, messages, partsOf, takeAll } from '../../../test/copy-messages.ts';
import { fc } from '../../../test/draws.ts';
import { type JsonMember, MAX_HEADS_BYTES } from '../source.ts';
import { CopyJson } from './copy-json.ts';
import { COPY_JSON_WASM_BASE64 } from './copy-json.wasm.ts';
import type { Stamp } from './stamps.ts';

/** A value as the server's text format sends it, and as it stands in JSON; `\N` is for all. */
interface Cell {
  readonly sent: string;
  readonly json: string;
}

interface Kind {
  readonly is: JsonMember['is'];
  readonly stamp: Stamp;
  readonly cells: fc.Arbitrary<Cell>;
}

const LETTERS: Readonly<Record<string, string>> = {
  ...{ '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\' },
};

/** As CopyAttributeOutText of PostgreSQL does. */
function sentText(text: string): string {
  return text.replace(/[\b\f\n\r\t\v\\]/g, (letter) => LETTERS[letter] ?? '');
}

/** As the engine's to_json does: other than JavaScript, with digits in upper case. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(/\\\\|\\u00(..)/g, (written, digits?: string) =>
    digits === undefined ? written : `\\u00${digits.toUpperCase()}`,
  );
}

const NULL: Cell = { sent: '\\N', json: 'null' };

/** Short ones, some longer than sixteen bytes, of what is written otherwise and what is not. */
const texts = fc
  .array(fc.constantFrom(...'\b\f\n\r\t\v\\"\x01\x1f\x7f/aN.,é😀\u2028', 'fifteen letters', 'sixteen letters.'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

const json = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, ' ', '\t'))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

const moments = (zone: '' | 'Z'): readonly Cell[] => [
  ...MOMENTS.map(([sent, text]) => ({ sent: zone === '' ? sent : `${sent}+00`, json: `"${text}${zone}"` })),
  { sent: `0044-03-15 12:00:00${zone === '' ? '' : '+00'} BC`, json: `"-000043-03-15T12:00:00.000000${zone}"` },
  ...['infinity', '-infinity'].map((text) => ({ sent: text, json: `"${text}"` })),
];

const KINDS: readonly Kind[] = [
  { is: 'string', stamp: null, cells: texts.map((text) => ({ sent: sentText(text), json: jsonString(text) })) },
  { is: 'bare', stamp: null, cells: fc.constantFrom('-1.50', '0', 'true').map((text) => ({ sent: text, json: text })) },
  { is: 'json', stamp: null, cells: json.map((text) => ({ sent: sentText(text), json: text.replaceAll('\n', ' ') })) },
  { is: 'string', stamp: 'timestamp', cells: fc.constantFrom(...moments('')) },
  { is: 'string', stamp: 'instant', cells: fc.constantFrom(...moments('Z')) },
];

const table = fc
  .array(fc.tuple(fc.constantFrom(...KINDS), fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 6 })
  .chain((columns) => {
    const cells = columns.map(([kind]) => fc.oneof(kind.cells, fc.constant(NULL)));
    return fc.record({
      stamps: fc.constant(columns.map(([{ stamp }]) => stamp)),
      members: fc.constant(
        columns.map(([{ is }, name], at) => ({ head: `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`, is })),
      ),
      rows: fc.array(fc.tuple(...cells), { maxLength: 8 }),
      after: fc.constantFrom<'' | ','>('', ','),
    });
  });

const lineOf = (cells: readonly Cell[]) => `${cells.map(({ sent }) => sent).join('\t')}\n`;

test('rows become lines of JSON wherever the bytes part', () => {
  const taker = new CopyJson();
  fc.assert(
    fc.property(table, cuts, ({ stamps, members, rows, after }, lengths) => {
      const lines = rows.map((cells) => cells.map(({ json }, at) => `${members[at]?.head}${json}`).join(''));
      taker.begin({ as: 'json', members, after }, stamps);
      const taken = takeAll(taker, partsOf(messages(rows.map(lineOf)), lengths));
      assert.equal(taken, lines.map((line) => `${line}}${after}\n`).join(''));
      assert.equal(taker.count, rows.length);
      assert.equal(taker.left.length, 0);
    }),
    { numRuns: 1000 },
  );
});

test('messages may hold several rows, or parts of one', () => {
  const taker = new CopyJson();
  const members = [
    { head: '{"a":', is: 'string' },
    { head: ',"b":', is: 'json' },
  ] as const;
  taker.begin({ as: 'json', members, after: '' }, [null, null]);
  const taken = takeAll(taker, [messages(['x\t1\ny', '"', '\\\\\t[', '2]\n\\N', '\t3\nz\t\\N', '\n'])]);
  assert.equal(taken, '{"a":"x","b":1}\n{"a":"y\\"\\\\","b":[2]}\n{"a":null,"b":3}\n{"a":"z","b":null}\n');
  assert.equal(taker.count, 4);
});

test('what was before is forgotten', () => {
  const taker = new CopyJson();
  const rows = {
    as: 'json',
    members: [
      { head: '{"a":', is: 'string' },
      { head: ',"b":', is: 'bare' },
    ],
    after: '',
  } as const;
  for (const before of ['', 'x', 'x\t', 'x\t1', '\\N']) {
    taker.begin(rows, [null, null]);
    takeAll(taker, [messages([`y\t2\n${before}`])]);
    taker.begin(rows, [null, null]);
    assert.equal(takeAll(taker, [messages(['z\t3\n'])]), '{"a":"z","b":3}\n');
    assert.equal(taker.count, 1);
  }
});

test('a long head has room wherever the rows before it end', () => {
  const taker = new CopyJson();
  const head = `,"${'h'.repeat(MAX_HEADS_BYTES - 20)}":`;
  const members = [
    { head: '{"a":', is: 'string' },
    { head, is: 'string' },
  ] as const;
  taker.begin({ as: 'json', members, after: '' }, [null, null]);
  // Six bytes of JSON for one: the rows' memory is full amid the read.
  for (let length = 30_000; length < 65_000; length += 97) {
    const taken = takeAll(taker, [messages([`${'\x01'.repeat(length)}\tb\n`])]);
    assert.equal(taken.length, 6 * length + head.length + 12);
    assert.ok(taken.endsWith(`\\u0001"${head}"b"}\n`));
  }
});

test('rows that become far longer than a read come whole', () => {
  const taker = new CopyJson();
  const heads = Array.from({ length: 1000 }, (_, at) => `${at === 0 ? '{' : ','}"${String(at).padStart(40, '.')}":`);
  const members = heads.map((head) => ({ head, is: 'string' }) as const);
  const rows = Array.from({ length: 40 }, () => heads.map(() => ({ sent: '', json: '""' })));
  taker.begin(
    { as: 'json', members, after: '' },
    heads.map(() => null),
  );
  const wide = takeAll(taker, partsOf(messages(rows.map(lineOf)), [65_536]));
  assert.equal(wide, `${heads.map((head) => `${head}""`).join('')}}\n`.repeat(40));
  const controls = '\x01'.repeat(200_000);
  taker.begin({ as: 'json', members: [{ head: '{"a":', is: 'string' }], after: '' }, [null]);
  const long = takeAll(taker, partsOf(messages([`${controls}\n`, `${'"'.repeat(70_000)}\n`]), [65_536]));
  assert.equal(long, `{"a":"${'\\u0001'.repeat(200_000)}"}\n{"a":"${'\\"'.repeat(70_000)}"}\n`);
});

test('names that have no room, and rows of other columns, are refused', () => {
  const taker = new CopyJson();
  const member = (length: number) => ({ head: `{${'a'.repeat(length)}`, is: 'bare' }) as const;
  taker.begin({ as: 'json', members: [member(MAX_HEADS_BYTES - 1)], after: '' }, [null]);
  assert.equal(takeAll(taker, [messages(['1\n'])]).length, MAX_HEADS_BYTES + 3);
  assert.throws(() => taker.begin({ as: 'json', members: [member(MAX_HEADS_BYTES)], after: '' }, [null]), RangeError);
  for (const row of ['1\t2\n', '1\n2\t3\n']) {
    taker.begin({ as: 'json', members: [member(1)], after: '' }, [null]);
    assert.throws(() => takeAll(taker, [messages([row])]), /unreachable/);
  }
  taker.begin({ as: 'json', members: [member(1), member(1)], after: '' }, [null, null]);
  assert.throws(() => takeAll(taker, [messages(['1\n'])]), /unreachable/);
  // No JSON that the server lets in.
  for (const row of ['"\x01"\n', '"\\b"\n', '"\\v"\n']) {
    taker.begin({ as: 'json', members: [{ head: '{"a":', is: 'json' }], after: '' }, [null]);
    assert.throws(() => takeAll(taker, [messages([row])]), /unreachable/);
  }
  for (const row of ['\\', 'a\\']) {
    taker.begin({ as: 'json', members: [member(1)], after: '' }, [null]);
    assert.throws(() => takeAll(taker, [messages([row])]), /unreachable/);
  }
});

test('copy-json.wasm.ts is what its parts assemble to', async () => {
  const { base64, file } = await assemble(
    'COPY_JSON_WASM_BASE64',
    ...['copy-json.wat', 'copy-messages.wat'].map((wat) => new URL(wat, import.meta.url)),
  );
  assert.ok(base64 === COPY_JSON_WASM_BASE64, `copy-json.wasm.ts is out of date; it should hold:\n${file}\n`);
});
