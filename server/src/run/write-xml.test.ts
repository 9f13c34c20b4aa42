import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assemble } from '../../test/assemble.ts';
import { anyText, fc } from '../../test/draws.ts';
import { readXml, whyNoPythonXml } from '../../test/readers/python-xml.ts';
import { identifier, literal } from '../column/sql.ts';
import { type Column, type ColumnType, engineType } from '../column/type.ts';
import { formatOptions } from '../format/options.ts';
import { xml } from '../format/xml.ts';
import { XML_ROWS_WASM_BASE64 } from '../format/xml-rows.wasm.ts';
import { Engine } from '../source/engine.ts';
import { writeRows } from './write-rows.ts';

const skip = whyNoPythonXml();

let folder = '';
let engine: Engine;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xml-'));
  engine = await Engine.open({ memoryBytes: 2 ** 30, threads: 1, stageFolder: folder, files: [] });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Cell = string | null;

/** SQL of the rows, each cell cast from its text. */
function rowsSql(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => `(${columns.map((_, at) => literalOf(row[at] ?? null)).join(', ')})`);
  const casts = columns.map(({ name, type }, at) => `t${at}::${engineType(type)} as ${identifier(name)}`);
  return `select ${casts.join(', ')} from (values ${texts.join(', ')}) texts(${columns.map((_, at) => `t${at}`).join(', ')})`;
}

function literalOf(cell: Cell): string {
  return cell === null ? 'null::varchar' : literal(cell);
}

/** The bytes of an export of these rows, as a run joins them, and the count of line feeds in the rows. */
async function exported(columns: readonly Column[], rows: readonly (readonly Cell[])[], asked: object = {}) {
  const options = formatOptions.parse({ type: 'xml', ...asked });
  assert.equal(options.type, 'xml');
  xml.check(columns, options);
  const { expressions, written } = xml.segment(columns, options);
  const joining = xml.joining(columns, options, '');
  assert.equal(joining.by, 'text');
  if (rows.length === 0) return { bytes: Buffer.from(joining.empty), lines: 0 };
  const path = join(folder, 'segment');
  const select = expressions.map(({ sql, name }) => `${sql} as ${identifier(name ?? '')}`).join(', ');
  using session = await engine.session();
  await writeRows(session, {
    select: `select ${select} from (${rowsSql(columns, rows)})`,
    columns: columns.length,
    path,
    written,
    landing: null,
    zstdLevel: null,
  });
  const segment = await readFile(path);
  const bytes = Buffer.concat([Buffer.from(joining.head), segment, Buffer.from(joining.tail)]);
  return { bytes, lines: segment.filter((byte) => byte === 10).length };
}

const texts = (...names: string[]): Column[] =>
  names.map((name) => ({ name, type: { is: 'text' }, nullable: true }) as const);

/** What a reader must get, with U+FFFD for what XML cannot carry. */
function carried(cell: Cell): Cell {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
  return cell?.replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd') ?? null;
}

async function assertCarried(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Promise<void> {
  const { bytes, lines } = await exported(columns, rows);
  assert.equal(lines, rows.length);
  const read = await readXml(bytes);
  const expected = rows.map((row) => columns.map(({ name }, at) => [name, carried(row[at] ?? null)]));
  assert.deepEqual(
    read.rows.map(({ cells }) => cells),
    expected,
  );
}

const CONTROLS = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code));
const AWKWARD = [
  null,
  '',
  ' ',
  '\t',
  '  both ends  ',
  ']]>',
  '<![CDATA[x]]>',
  '<!-- -->',
  '&amp;',
  '&#10;',
  `"double" 'single'`,
  'a\r\nb\rc\nd\te\n',
  '\u0085\u2028\u2029\ufeff',
  '🚚 漢字 é \u{10ffff}',
  '\ufffd\ufffe\uffff\ufdd0',
  'xsi:nil="true"',
  '\\x00 \\n',
  ...CONTROLS,
  ...CONTROLS.map((control) => `a${control}<${control}b`),
];

test('awkward texts come out of Python as they went in, NULL apart from empty', { skip }, async () => {
  await assertCarried(
    texts('one', 'two'),
    AWKWARD.map((text) => [text, 'x']),
  );
  const required = texts('only').map((column) => ({ ...column, nullable: false }));
  await assertCarried(
    required,
    AWKWARD.filter((text) => text !== null).map((text) => [text]),
  );
});

test('any text comes out of Python as it went in', { skip }, async () => {
  const cell = fc.option(anyText({ maxLength: 20 }), { nil: null, freq: 10 });
  const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(rows, async (drawn) => {
      await assertCarried(texts('a', 'b'), drawn);
    }),
    { numRuns: 3 },
  );
});

/** Text as it stands between tags. */
function escaped(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\n': '&#10;', '\r': '&#13;' };
  return carried(text)?.replaceAll(/[&<>\n\r]/g, (character) => escapes[character] ?? '') ?? '';
}

test('characters are escaped wherever they stand', async () => {
  const marks = [
    '&',
    '<',
    '>',
    '\n',
    '\r',
    '\t',
    '\0',
    '\u001f',
    '=',
    '\u{ff0e}',
    '\ufffd',
    '\ufffe',
    '\uffff',
    '&\ufffe<',
  ];
  const values = Array.from({ length: 50 }, (_, length) =>
    marks.flatMap((mark) => [
      `${'x'.repeat(length)}${mark}`,
      `${mark}${'é'.repeat(length)}`,
      mark.repeat(length),
      `${'x'.repeat(length)}${mark}${'y'.repeat(49 - length)}`,
    ]),
  ).flat();
  const { bytes } = await exported(
    texts('a'),
    values.map((value) => [value]),
  );
  const lines = bytes.toString().split('\n').slice(2, -2);
  assert.deepEqual(
    lines,
    values.map((value) => `<row><a>${escaped(value)}</a></row>`),
  );
});

test('a row of nothing but line feeds has room', async () => {
  const length = 1_000_000;
  const { bytes } = await exported(texts('a', 'b'), [
    ['\n'.repeat(length), 'x'],
    ['y', null],
  ]);
  const [, , long, short] = bytes.toString().split('\n');
  assert.ok(long === `<row><a>${'&#10;'.repeat(length)}</a><b>x</b></row>`);
  assert.equal(short, '<row><a>y</a><b xsi:nil="true"></b></row>');
});

test('names become legal and different, and the own name is kept beside', { skip }, async () => {
  const names = [
    'plain',
    'a b',
    'a_b',
    'a.b',
    'a:b',
    '1st',
    '-x',
    '.x',
    'xmlName',
    'XML',
    '🚚',
    'é',
    '"<&>\'',
    'tab\tlf\ncr\r',
    '_',
    'row',
    'a-b',
    'nil',
  ];
  await assertCarried(texts(...names), [names, names.map(() => null), names.map(() => '')]);
  const { bytes } = await exported(texts('a b', 'a"b', 'a_b', '1st', 'a_b_2'), [['1', '2', '3', '4', '5']]);
  assert.match(
    bytes.toString(),
    /^<row><a_b_3 name="a b">1<\/a_b_3><a_b_4 name="a&quot;b">2<\/a_b_4><a_b>3<\/a_b><_1st name="1st">4<\/_1st><a_b_2>5<\/a_b_2><\/row>$/m,
  );
});

const VALUES: readonly (readonly [ColumnType, string, string])[] = [
  [{ is: 'bool' }, 'true', 'true'],
  [{ is: 'integer', bits: 64 }, '-9223372036854775808', '-9223372036854775808'],
  [{ is: 'float', bits: 64 }, '-Infinity', '-Infinity'],
  [{ is: 'decimal', precision: 4, scale: 4 }, '0.5', '0.5000'],
  [{ is: 'bytes' }, '\\x00\\xFF', 'AP8='],
  [{ is: 'date' }, '0044-03-15 (BC)', '-000043-03-15'],
  [{ is: 'time' }, '24:00:00', '24:00:00.000000'],
  [{ is: 'timestamp', unit: 'us' }, 'infinity', 'infinity'],
  [{ is: 'instant', unit: 'us' }, '2026-01-31 23:59:59+00', '2026-01-31T23:59:59.000000Z'],
  [{ is: 'uuid' }, '6F9619FF-8B86-D011-B42D-00C04FC964FF', '6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  [{ is: 'json' }, '{"a":\n"<&>"}', '{"a":\n"<&>"}'],
  [{ is: 'json' }, '["\ufffe", "]]>"]', '["\ufffd", "]]>"]'],
  [{ is: 'list', of: { is: 'text' } }, "['<', NULL, '\uffff']", '["<",null,"\ufffd"]'],
  [{ is: 'list', of: { is: 'float', bits: 64 } }, '[nan]', '["NaN"]'],
];

test('values of every type are their plain text', { skip }, async () => {
  const columns = VALUES.map(([type], at): Column => ({ name: `c${at}`, type, nullable: true }));
  const { bytes } = await exported(columns, [VALUES.map(([, value]) => value), VALUES.map(() => null)]);
  const { rows } = await readXml(bytes);
  assert.deepEqual(
    rows[0]?.cells.map(([, value]) => value),
    VALUES.map(([, , text]) => text),
  );
  assert.ok(rows[1]?.cells.every(([, value]) => value === null));
});

test('root and row are named as asked, and no row is a file too', { skip }, async () => {
  const asked = { root: 'events', row: 'event' };
  const none = await readXml((await exported(texts('a'), [], asked)).bytes);
  assert.deepEqual(none, { root: 'events', rows: [] });
  const one = await readXml((await exported(texts('a'), [['x']], asked)).bytes);
  assert.deepEqual(one, { root: 'events', rows: [{ element: 'event', cells: [['a', 'x']] }] });
});

test('controlChars fail refuses what XML cannot carry, and nothing else', async () => {
  const asked = { controlChars: 'fail' };
  for (const text of ['\0', 'a\u0001<', '\u001f', '\ufffe', '\uffff']) {
    await assert.rejects(
      exported(texts('a'), [[text]], asked),
      { code: 'value.refused', message: /XML cannot carry/ },
      JSON.stringify(text),
    );
  }
  const allowed = '\t\r\n <&> \u007f \u0085 🚚 \ufffd';
  const { bytes } = await exported(texts('a'), [[allowed]], asked);
  assert.ok(bytes.includes('<a>\t&#13;&#10; &lt;&amp;&gt; \u007f \u0085 🚚 \ufffd</a>'));
  await assert.rejects(exported(texts('a\u0001'), [['x']], asked), { code: 'request.invalid' });
});

test('the assembled module is that of the .wat files', async () => {
  const wats = ['xml-rows.wat', 'vector-rows.wat', '../column/value-text.wat'].map(
    (name) => new URL(`../format/${name}`, import.meta.url),
  );
  const { base64, file } = await assemble('XML_ROWS_WASM_BASE64', ...wats);
  assert.equal(XML_ROWS_WASM_BASE64, base64, `xml-rows.wasm.ts is to hold:\n${file}`);
});
