import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/draws.ts';
import { parseType } from '../column/type-name.ts';
import { AvroRows } from './avro-rows.ts';

interface Made {
  readonly rows: number;
  readonly blocks: readonly string[];
}

/** What becomes of the segments, each given in cuts of the lengths told, over and over. */
function make(types: string, segments: readonly string[], cuts: readonly number[], nullable = true): Made {
  const columns = types.split(';').map((type, at) => ({ name: `c${at}`, type: parseType(type, ''), nullable }));
  const source = new AvroRows(columns);
  const blocks: string[] = [];
  let rows = 0;
  const drain = (isLast: boolean) => {
    for (let block = source.next(isLast); block !== null; block = source.next(isLast)) {
      rows += block.rows;
      blocks.push(block.buffer.toString('hex', block.start, block.end));
      block.buffer.fill(0xaa, block.start - 20, block.end + 16);
    }
  };
  for (const segment of segments) {
    const bytes = Buffer.from(segment);
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const copied = bytes.copy(source.room(), 0, at, at + (cuts[turn % cuts.length] ?? bytes.length));
      source.take(copied);
      drain(false);
      at += copied;
    }
    drain(true);
  }
  return { rows, blocks };
}

/** Written with `,` for the delimiter and `'` for the quote. */
function text(segment: string): string {
  return segment.replaceAll(',', '\u{1f}').replaceAll("'", '\u{1}');
}

const TYPES = 'int64;text;decimal(18,4);float64;bytes;uuid;bool;instant;list(text);map(text, struct(a int32, b text))';
const UUID = '0a6ff8cd-7b45-4b37-a3c1-0c5d6e7f8a9b';
const ROWS = [
  text(`-9223372036854775808,plain,-12.3400,0.1,AAEC,${UUID},1,1769903999123456,'2[''a'',,','1[''k'',{1,''x'',,'\n`),
  text(',,,,,,,,,\n'),
  text(`0,'a''b,\n',99999999999999.9999,-inf,'',${UUID},0,-1,0[,0[\n`),
  text(`7,'',.0000,1.2345678901234567e-300,/w==,${UUID},0,0,'1[''${'long '.repeat(50)}'',',\n`),
];

test('where text is cut changes no byte', () => {
  const segment = ROWS.join('').repeat(20);
  const whole = make(TYPES, [segment], [segment.length]);
  assert.equal(whole.rows, 80);
  assert.deepEqual(make(TYPES, [segment], [1]), whole);
  const cuts = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(cuts, (lengths) => assert.deepEqual(make(TYPES, [segment], lengths), whole)),
    { numRuns: 50 },
  );
});

test('every row of an Avro block is where the encoding says', () => {
  const { blocks } = make('int64;text;bool', [text("1,ab,1\n,,\n-1,'''',0\n")], [100]);
  assert.deepEqual(blocks, [['0202020461620201', '000000', '02010202010200'].join('')]);
});

test('blocks end after the row that fills them, and with their segment', () => {
  const row = `${'x'.repeat(1000)}\n`;
  const { rows, blocks } = make('text', [row.repeat(600), row, '', row.repeat(2)], [70_000]);
  assert.equal(rows, 603);
  const full = Math.ceil(2 ** 18 / 1003);
  assert.deepEqual(
    blocks.map((block) => block.length / 2 / 1003),
    [full, full, 600 - 2 * full, 1, 2],
  );
});

test('cells far longer than any buffer pass', () => {
  const long = 'ä'.repeat(1_500_000);
  const segment = text(`${long},'2[''${long}'',''b'','\n`);
  const { rows, blocks } = make('text;list(text)', [segment], [65_536]);
  assert.equal(rows, 1);
  const bytes = Buffer.from(blocks.join(''), 'hex');
  assert.equal(bytes.length, 2 * (1 + 4 + 3_000_000) + 1 + 1 + 3 + 1);
  assert.equal(bytes.subarray(5, 3_000_005).toString(), long);
});

test('text that is not of the columns fails, never shortens', () => {
  const wrong: readonly [string, string][] = [
    ['int64', 'x\n'],
    ['int64', '-\n'],
    ['int64', '1x\n'],
    ['int64', '1.5\n'],
    ['int64', '9223372036854775808\n'],
    ['int64', '-9223372036854775809\n'],
    ['int64', '99999999999999999999\n'],
    ['int32', '2147483648\n'],
    ['int32', '-2147483649\n'],
    ['int32', '4294967296\n'],
    ['int64', '1,2\n'],
    ['int64;int64', '1\n'],
    ['int64;text', '1\n2,b\n'],
    ['text', "'ab'c\n"],
    ['text', "'ab\n"],
    ['text', 'ab'],
    ['decimal(4,2)', '1.5\n'],
    ['decimal(4,2)', '1.555\n'],
    ['decimal(4,2)', '1.5.55\n'],
    ['decimal(4,2)', '.\n'],
    ['float64', '1,5\n'],
    ['float64', 'x\n'],
    ['float64', '1e\n'],
    ['bool', '2\n'],
    ['bool', '10\n'],
    ['uuid', 'abc\n'],
    ['uuid;text', `abc,${UUID}\n`],
    ['bytes', '!\n'],
    ['bytes', "'AA\n"],
    ['list(int32)', "'2[1,\n'\n"],
    ['list(int32)', "'1[1,2,'\n"],
    ['list(int32)', "'1[1'\n"],
    ['list(int32)', '[\n'],
    ['struct(a int32)', "'1,'\n"],
    ['struct(a text)', "'{''a,'\n"],
  ];
  for (const [type, segment] of wrong) {
    assert.throws(() => make(type, [text(segment)], [1000]), /Avro: /, `${type}: ${segment}`);
    assert.throws(() => make(type, [text(segment)], [1]), /Avro: /, `${type}: ${segment}, byte by byte`);
  }
});

test('NULL in a column without NULL fails', () => {
  const types = ['int64', 'text', 'decimal(4,2)', 'float64', 'bytes', 'uuid', 'bool', 'instant', 'list(int32)', 'json'];
  for (const type of types) assert.throws(() => make(type, ['\n'], [10], false), /Avro: /, type);
});
