import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EDGES, edgeRows } from '../../test/edge-values.ts';
import { DEFAULT_TEXT, plainText } from '../column/text.ts';
import type { Column } from '../column/type.ts';
import { csv } from '../format/csv.ts';
import { type CsvOptions, formatOptions } from '../format/options.ts';
import { Engine } from '../source/engine.ts';
import { writeRows } from './write-rows.ts';

let folder = '';
let engine: Engine;
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-rows-'));
  engine = await Engine.open({ memoryBytes: 2 ** 30, threads: 1, stageFolder: folder, files: [] });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function options(asked: object): CsvOptions {
  const parsed = formatOptions.parse({ type: 'csv', ...asked });
  assert.equal(parsed.type, 'csv');
  return parsed;
}

/** What is written of the relation, and how many rows it is said to be. */
async function written(columns: readonly Column[], asked: CsvOptions, relation: string) {
  const { expressions, written } = csv.segment(columns, asked);
  const select = expressions.map(({ sql, name }) => `${sql} as "${name}"`).join(', ');
  const path = join(folder, `${files++}.csv`);
  using session = await engine.session();
  const { rows } = await writeRows(session, {
    select: `select ${select} from ${relation}`,
    columns: expressions.length,
    path,
    written,
    landing: null,
    zstdLevel: null,
  });
  return { rows, text: await readFile(path, 'utf8') };
}

/** What the engine's own writer makes of the relation. */
async function copied(columns: readonly Column[], asked: CsvOptions, relation: string) {
  const select = columns.map(({ name, type }) => plainText(`"${name}"`, type, DEFAULT_TEXT)).join(', ');
  const path = join(folder, `${files++}.csv`);
  using session = await engine.session();
  const rows = await session.copy({
    select: `select ${select} from ${relation}`,
    path,
    options: `format csv, header false, delimiter '${asked.delimiter}', quote '"', escape '"', nullstr '${asked.nullText ?? ''}', new_line '${asked.lineEnd === 'crlf' ? '\\r\\n' : '\\n'}'`,
  });
  return { rows, text: await readFile(path, 'utf8') };
}

const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });

for (const asked of [
  {},
  { lineEnd: 'crlf', delimiter: ';', nullText: 'NULL' },
  { delimiter: '-' },
  { nullText: '0' },
]) {
  test(`values of every type are written as the engine writes their text, with ${JSON.stringify(asked)}`, async () => {
    const { columns, relation } = edgeRows(EDGES);
    const theirs = await copied(columns, options(asked), relation);
    assert.equal(theirs.rows, 5000);
    assert.deepEqual(await written(columns, options(asked), relation), theirs);
  });
}

/**
 * Text of every ASCII character and some others, in all lengths around those that are looked at together; not of #,
 * which the engine quotes as if comments were part of CSV.
 */
const AWKWARD = `(select case when i % 13 = 0 then null else
  substr(repeat(translate(chr((i % 127 + 1)::integer), '#', '$'), 40) || case i % 5 when 0 then '"' when 1 then ',' when 2 then chr(10) when 3 then chr(13) else 'é😀' end || repeat('x', (i // 97 % 50)::integer), 41 - least(40, i // 127 % 41)) end as a,
  case i % 4 when 0 then '' when 1 then 'NULL' when 2 then repeat('"', (i % 70)::integer) else i::varchar end as b from range(60000) t(i))`;

for (const asked of [{}, { delimiter: ';', nullText: 'NULL' }, { dialect: 'tsv' }]) {
  test(`text is quoted as the engine quotes it, with ${JSON.stringify(asked)}`, async () => {
    const columns = [column('a', { is: 'text' }), column('b', { is: 'text' })];
    const theirs = await copied(columns, options(asked), AWKWARD);
    assert.deepEqual(await written(columns, options(asked), AWKWARD), theirs);
  });
}

test('long, scattered and repeated texts come whole', async () => {
  const columns = [
    column('a', { is: 'text' }),
    column('b', { is: 'text' }),
    column('i', { is: 'integer', bits: 64 }),
    column('c', { is: 'text' }),
  ];
  const relation = `(select repeat(translate(chr((i % 90 + 33)::integer), '#', '$'), case when i % 700 = 0 then 1000000 when i % 9 = 0 then 0 else (i % 60)::integer end) as a,
    case when i % 3 = 0 then 'the same text again and again' else repeat(md5((i * 7919 % 5000)::varchar), (1 + i % 9)::integer) end as b, i,
    words[i * 7919 % 20000 + 1] as c from range(5000) t(i), (select list(repeat(md5(j::varchar), 3)) as words from range(20000) w(j)))`;
  const theirs = await copied(columns, options({}), relation);
  assert.deepEqual(await written(columns, options({}), relation), theirs);
});

test('no rows are an empty file, and three hundred columns a row', async () => {
  const one = [column('a', { is: 'text' })];
  assert.deepEqual(await written(one, options({}), `(select 'x' as a where false)`), { rows: 0, text: '' });
  const many = Array.from({ length: 300 }, (_, at) => column(`c${at}`, { is: 'integer', bits: 32 }));
  const relation = `(select ${many.map(({ name }, at) => `${at}::integer as ${name}`).join(', ')})`;
  assert.deepEqual(await written(many, options({}), relation), {
    rows: 1,
    text: `${many.map((_, at) => at).join(',')}\n`,
  });
});

const COLUMNS: readonly Column[] = [
  { name: 'text', type: { is: 'text' }, nullable: true },
  { name: 'amount', type: { is: 'decimal', precision: 18, scale: 2 }, nullable: true },
  { name: 'ratio', type: { is: 'float', bits: 64 }, nullable: true },
  { name: 'list', type: { is: 'list', of: { is: 'float', bits: 64 } }, nullable: true },
];

async function dialected(asked: object): Promise<string> {
  const parsed = options(asked);
  csv.check(COLUMNS, parsed);
  const rows = `(values
    ('=1.5', -1.50::decimal(18, 2), 1e22::double, [0.5::double]),
    ('1.5', null, 'nan'::double, null),
    ('a' || chr(9) || 'b', 0.25, 0.1, []),
    ('x;y', 12345.67, null, null)) as rows(text, amount, ratio, list)`;
  const { text } = await written(COLUMNS, parsed, rows);
  const joining = csv.joining(COLUMNS, parsed, '');
  assert.equal(joining.by, 'text');
  return `${joining.head}${text}${joining.tail}`;
}

const BYTES: readonly (readonly [object, readonly string[], string])[] = [
  [
    { dialect: 'rfc4180' },
    ['text,amount,ratio,list', '=1.5,-1.50,1e+22,[0.5]', '1.5,,NaN,', 'a\tb,0.25,0.1,[]', 'x;y,12345.67,,'],
    '\r\n',
  ],
  [
    { dialect: 'excel' },
    ['\ufefftext,amount,ratio,list', "'=1.5,-1.50,1e+22,[0.5]", '1.5,,NaN,', 'a\tb,0.25,0.1,[]', 'x;y,12345.67,,'],
    '\r\n',
  ],
  [
    { dialect: 'excel-eu' },
    ['\ufefftext;amount;ratio;list', "'=1.5;-1,50;1e+22;[0.5]", '1.5;;NaN;', 'a\tb;0,25;0,1;[]', '"x;y";12345,67;;'],
    '\r\n',
  ],
  [
    { dialect: 'tsv' },
    [
      'text\tamount\tratio\tlist',
      '=1.5\t-1.50\t1e+22\t[0.5]',
      '1.5\t\tNaN\t',
      '"a\tb"\t0.25\t0.1\t[]',
      'x;y\t12345.67\t\t',
    ],
    '\n',
  ],
  [
    { decimalComma: true },
    ['text,amount,ratio,list', '=1.5,"-1,50",1e+22,[0.5]', '1.5,,NaN,', 'a\tb,"0,25","0,1",[]', 'x;y,"12345,67",,'],
    '\n',
  ],
];

for (const [asked, lines, lineEnd] of BYTES) {
  test(`the bytes of ${JSON.stringify(asked)}`, async () => {
    assert.equal(await dialected(asked), lines.map((line) => line + lineEnd).join(''));
  });
}

/** Rows that cannot be read from the 200,000th on, long after the first of them are there. */
const BROKEN = "(select (case when i = 200000 then 'boom' else i::varchar end)::bigint as i from range(300000) t(i))";

test('what the engine cannot read behind the first rows fails the writing', async () => {
  await assert.rejects(written([column('i', { is: 'integer', bits: 64 })], options({}), BROKEN), {
    code: 'value.refused',
  });
});

test('a scan that is interrupted is not taken for whole', async () => {
  const columns = [column('i', { is: 'integer', bits: 64 })];
  const relation = '(select i from range(30000000) t(i))';
  const path = join(folder, `${files}.csv`);
  const writing = written(columns, options({}), relation);
  const interrupting = setInterval(() => {
    if (existsSync(path) && statSync(path).size > 1_000_000) engine.interrupt();
  }, 5);
  try {
    await assert.rejects(writing, { code: 'run.cancelled' });
  } finally {
    clearInterval(interrupting);
  }
});

test('rows keep their order where a list is looked up for them and few of a chunk are left', async () => {
  const relation = `(select 'text ' || i as t from range(12000) r(i) where i >= 2000)`;
  const lines = Array.from({ length: 10_000 }, (_, at) => `text ${at + 2000}\n`).join('');
  const columns = [{ ...column('t', { is: 'text' }), nullable: false }];
  assert.equal((await written(columns, options({ formulaGuard: true }), relation)).text, lines);
  const list = Array.from({ length: 40 }, (_, at) => `'other ${at}'`).join(', ');
  const listed = `(select t from ${relation} where (t in (${list})) is not true)`;
  assert.equal((await copied(columns, options({}), listed)).text, lines);
  assert.equal((await written(columns, options({}), listed)).text, lines);
});
