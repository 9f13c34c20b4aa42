import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../../test/assemble.ts';
import { fc } from '../../../test/draws.ts';
import { landedText, textLanded } from '../../../test/landed.ts';
import { JsonLines, type Wanted } from './json-lines.ts';
import { JSON_LINES_WASM_BASE64 } from './json-lines.wasm.ts';
import { BadLine } from './line-files.ts';

/** What JSON has no word for, though many write it. */
const NO_NUMBERS = /^-?Infinity$|^NaN$/;

const blank = fc.constantFrom('', '', '', ' ', '\t', '\r', '  ');

/** A string as JSON, each character spelled in one of the ways there are. */
const spelledText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom(
        '\\"',
        '\\\\',
        '\\/',
        '\\b',
        '\\f',
        '\\n',
        '\\r',
        '\\t',
        '\\u0000',
        '\\u0001',
        '\\u0002',
        '\\u0003',
        '\\u000A',
        '\\u00e9',
        '\\u20AC',
        '\\ud83D\\uDe00',
      ),
      fc.constantFrom('é', '漢', '🚚', "'", ',', '\u007f', '\u2028', '{', ']'),
    ),
    { maxLength: 8 },
  )
  .map((parts) => `"${parts.join('')}"`);

const spelledNumber = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom('-0', '0.10', '1E+5', '1e-07', '12345678901234567890.123456789', '1e400', '-1.50'),
);

const { value: spelledValue } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    spelledText,
    spelledNumber,
    fc.constantFrom('true', 'false', 'null'),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .tuple(fc.array(fc.tuple(blank, tie('value'), blank), { maxLength: 4 }), blank)
    .map(([items, inside]) => `[${items.length === 0 ? inside : items.map((item) => item.join('')).join(',')}]`),
  object: fc
    .array(fc.tuple(blank, spelledText, blank, blank, tie('value'), blank), { maxLength: 4 })
    .map((members) => `{${members.map(([a, name, b, c, value, d]) => `${a + name + b}:${c}${value}${d}`).join(',')}}`),
}));

interface Member {
  readonly name: string;
  readonly spelled: string;
  readonly value: string;
}

/** Few names, so that they come again: in another order, spelled in another way, twice. */
const member = fc
  .record({
    name: fc.constantFrom(
      'a',
      'b',
      'a name of more than sixteen bytes',
      'a name of more than sixteen bytes!',
      'é"\\',
      '',
      'A',
    ),
    isEscaped: fc.boolean(),
    value: spelledValue,
  })
  .map(({ name, isEscaped, value }): Member => {
    const escaped = [...name].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    return { name, value, spelled: isEscaped ? `"${escaped}"` : JSON.stringify(name) };
  });

const line = fc
  .tuple(fc.array(member, { maxLength: 7 }), fc.array(blank, { minLength: 30, maxLength: 30 }))
  .map(([members, blanks]) => {
    let at = 0;
    const some = () => blanks[at++ % blanks.length] ?? '';
    const inside = members
      .map(({ spelled, value }) => `${some() + spelled + some()}:${some()}${value}${some()}`)
      .join(',');
    return { members, text: `${some()}{${members.length === 0 ? some() : inside}}${some()}` };
  });

function load(lines: JsonLines, text: string): number {
  lines.room.fill('"}]\n');
  return lines.room.write(text);
}

/** The columns that the lines have, in the order they first appear, and what they hold. */
function found(text: string): JsonLines['columns'] {
  using lines = new JsonLines([], true);
  const { at } = lines.read(0, load(lines, text));
  assert.equal(at, Buffer.byteLength(text));
  return lines.columns;
}

/** Cells of what is written, NULL as null, without the first and the last. */
function cells(text: string, columns: readonly { name: string; wanted: Wanted }[]): (string | null)[][] {
  using lines = new JsonLines(columns, false);
  const end = load(lines, text);
  const parts: string[] = [];
  for (let at = 0; at < end; ) {
    at = lines.write(at, end, 3).at;
    parts.push(Buffer.from(lines.takeWritten()).toString());
  }
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (const [, quoted, bare, stop] of parts.join('').matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/g)) {
    assert.doesNotMatch(quoted ?? '', /[\r\n]/);
    const cell = quoted?.replaceAll('""', '"') ?? (bare === '' ? null : (bare ?? null));
    row.push(cell && textLanded(cell));
    if (stop !== '\n') continue;
    assert.equal(row[0], '1');
    const texts = row.slice(1, -1);
    assert.equal(row.at(-1), String(Number(texts.some((text) => text !== null && landedText(text) !== text))));
    rows.push(texts);
    row = [];
  }
  return rows;
}

/** Its first value, as it is written: a line end between parts becomes a space. */
function firstOf(members: readonly Member[], name: string): string {
  return members.find((each) => each.name === name)?.value.replaceAll('\r', ' ') ?? 'null';
}

test('the module is what its text says', async () => {
  const { base64 } = await assemble('', new URL('./json-lines.wat', import.meta.url));
  assert.equal(JSON_LINES_WASM_BASE64, base64);
});

test('columns are found as JSON.parse finds names', () => {
  const property = fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
    const names = new Set(lines.flatMap(({ members }) => members.map(({ name }) => name)));
    const expected = Array.from(names, (name) => {
      const values = lines.map(({ members }) => firstOf(members, name)).filter((value) => value !== 'null');
      const areStrings = values.every((value) => value.startsWith('"'));
      return { name, holds: values.length === 0 ? 'nothing' : areStrings ? 'strings' : 'others' };
    });
    assert.deepEqual(found(lines.map(({ text }) => `${text}\n`).join('')), expected);
  });
  fc.assert(property, { numRuns: 300 });
});

test('cells are what JSON.parse gives as text, and as JSON the text that stands there', () => {
  const property = fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
    const text = lines.map((each) => `${each.text}\n`).join('');
    const columns = found(text).flatMap(({ name }) => [{ name, wanted: 'text' }] as const);
    const asText = lines.map(({ members }) =>
      columns.map(({ name }) => {
        const value = firstOf(members, name);
        return value === 'null' ? null : value.startsWith('"') ? String(JSON.parse(value)) : value;
      }),
    );
    assert.deepEqual(cells(text, columns), asText);
    const asJson = asText.map((row, at) =>
      row.map((cell, column) => cell && firstOf(lines[at]?.members ?? [], columns[column]?.name ?? '')),
    );
    const json = cells(
      text,
      columns.map(({ name }) => ({ name, wanted: 'json' })),
    );
    assert.deepEqual(
      json.map((row) => row.map((cell) => cell && cell)),
      asJson.map((row, at) => row.map((cell, column) => (asText[at]?.[column] === '' ? '""' : cell))),
    );
    assert.deepEqual(
      cells(
        text,
        columns.map(({ name }) => ({ name, wanted: 'no' })),
      ),
      asText.map((row) => row.map(() => null)),
    );
  });
  fc.assert(property, { numRuns: 300 });
});

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text.replaceAll(/(?<=[:,[\s])(?:-?Infinity|NaN)(?=[\s,\]}])/g, '0'));
    // A string with half of a surrogate pair becomes another when it is written as UTF-8.
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !/\\u[dD][89a-fA-F]/.test(text);
  } catch {
    return false;
  }
}

test('what JSON.parse refuses is refused, and nothing else', () => {
  const at = fc.nat();
  const cut = fc.record({
    at,
    length: fc.nat(3),
    put: fc.constantFrom(
      '',
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      '\u0001',
      ' ',
      'null',
      'NaN',
      '-Infinity',
      '\\u00',
      '\t',
      'x',
    ),
  });
  let refused = 0;
  const property = fc.property(line, fc.array(cut, { maxLength: 2 }), ({ text: whole }, cuts) => {
    const text = cuts.reduce((before, { at: where, length, put }) => {
      const start = where % (before.length + 1);
      return before.slice(0, start) + put + before.slice(start + length);
    }, whole);
    // Such pairs, cut in two, and characters outside are what the next tests are about.
    fc.pre(!/\\u[dD][89a-fA-F]/.test(text) && text.isWellFormed() && text.trim() !== '');
    const bytes = `${text}\n`;
    if (isObject(text)) return void found(bytes);
    refused++;
    assert.throws(() => found(bytes), BadLine, text);
  });
  fc.assert(property, { numRuns: 3000 });
  assert.ok(refused > 500, `${refused}`);
});

test('why a line is refused, and where', () => {
  const cases: readonly [string, string, number][] = [
    ['[1]', 'is not a JSON object', 0],
    ['null', 'is not a JSON object', 0],
    ['{"a":1', 'is not valid JSON', 6],
    ['{"a":1,}', 'is not valid JSON', 7],
    ['{"a":01}', 'is not valid JSON', 6],
    ['{"a":"b', 'is not valid JSON', 7],
    ['{"a":"\\x"}', 'is not valid JSON', 6],
    ['{"a":tru}', 'is not valid JSON', 5],
    ['{"a":"\\ud83d"}', 'has half of a surrogate pair', 6],
    ['{"a":"\\ude00\\ud83d"}', 'has half of a surrogate pair', 6],
    ['{"a":"\\ud83d\\u0041"}', 'has half of a surrogate pair', 6],
    ['{"\\ud83d":1}', 'has half of a surrogate pair', 2],
    ['{"a":1} {"a":2}', 'has more behind its object', 8],
    ['{"a":1},', 'has more behind its object', 7],
    [`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'is nested too deep; allowed are 1000 levels', 1004],
  ];
  for (const [text, words, at] of cases) {
    assert.throws(
      () => found(`{"a":1}\n${text}\n`),
      (error) => {
        assert.ok(error instanceof BadLine);
        assert.deepEqual([error.words, error.at], [words, 8 + at], text);
        return true;
      },
    );
  }
  found(`{"a":${'['.repeat(999)}${']'.repeat(999)}}\n`);
});

test('what is no number of JSON passes as it stands, for its column to judge', () => {
  const words = ['NaN', 'Infinity', '-Infinity'];
  const rows = cells(words.map((word) => `{"a":${word}}\n`).join(''), [{ name: 'a', wanted: 'text' }]);
  assert.deepEqual(rows.flat(), words);
  assert.ok(words.every((word) => NO_NUMBERS.test(word)));
});

test('blank lines are no rows', () => {
  const columns = [{ name: 'a', wanted: 'text' }] as const;
  assert.deepEqual(cells('\n \r\n{"a":1}\r\n\n\t\n{}\n{"b":2}\n\n', columns), [['1'], [null], [null]]);
});

test('names that are not columns are passed over, however many', () => {
  const others = Array.from({ length: 20_000 }, (_, at) => `"other ${at}":${at}`);
  using lines = new JsonLines([{ name: 'a', wanted: 'text' }], false);
  const text = `{${others.slice(0, 10_000)},"a":1}\n{${others.slice(10_000)},"a":2,"\\u0061":3}\n`;
  const { rows } = lines.write(0, load(lines, text), 10);
  assert.equal(rows, 2);
  assert.equal(Buffer.from(lines.takeWritten()).toString(), '1,1,0\n1,2,0\n');
  assert.throws(() => found(`{${others}}\n`), {
    code: 'source.refused',
    message: 'The lines have more than 16384 different names.',
  });
});

test('a memory that is used again knows nothing of before', () => {
  found('{"a":"x","b":1}\n');
  assert.deepEqual(found('{"c":null,"d":"x"}\n'), [
    { name: 'c', holds: 'nothing' },
    { name: 'd', holds: 'strings' },
  ]);
  assert.deepEqual(
    cells('{"a":1}\n', [
      { name: 'x', wanted: 'no' },
      { name: 'a', wanted: 'json' },
    ]),
    [[null, '1']],
  );
});

test('rows that need more room than there is come one part after the other', () => {
  const columns = Array.from({ length: 3000 }, (_, at) => ({ name: `${at}`, wanted: 'json' }) as const);
  const empty = cells('{}\n'.repeat(3000), columns);
  assert.ok(empty.length === 3000 && empty.every((row) => row.length === 3000 && row.every((cell) => cell === null)));
  const item = '["","",""]';
  const list = `[${Array.from({ length: 9000 }, () => item)}]`;
  const rows = cells(`{"2999":${list}}\n`.repeat(10), columns);
  assert.deepEqual(
    rows.map((row) => row.at(-1)),
    Array.from({ length: 10 }, () => list),
  );
});

test('names may have megabytes between them', () => {
  const names = Array.from({ length: 3000 }, (_, at) => `${'long '.repeat(120)}${at}`);
  const text = `{${names.map((name, at) => `"${name}":${at}`)}}\n`;
  using lines = new JsonLines(
    names.map((name) => ({ name, wanted: 'text' })),
    false,
  );
  lines.makeRoom(4 * 1024 * 1024);
  for (let times = 0; times < 2; times++) {
    assert.equal(lines.write(0, load(lines, text), 1).rows, 1);
    assert.equal(Buffer.from(lines.takeWritten()).toString(), `1,${names.map((_, at) => at)},0\n`);
  }
});
