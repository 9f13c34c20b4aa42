import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Column } from '../column/type.ts';
import { csv } from './csv.ts';
import { type CsvOptions, formatOptions } from './options.ts';

let folder = '';
let database: DuckDBConnection;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});

after(async () => {
  database.closeSync();
  await rm(folder, { recursive: true });
});

function options(asked: object): CsvOptions {
  const parsed = formatOptions.parse({ type: 'csv', ...asked });
  assert.equal(parsed.type, 'csv');
  return parsed;
}

const PLAIN = {
  type: 'csv',
  delimiter: ',',
  header: true,
  lineEnd: 'lf',
  bom: false,
  formulaGuard: false,
  decimalComma: false,
  instants: 'iso',
};

const FILLED: readonly (readonly [object, object])[] = [
  [{}, {}],
  [{ dialect: 'rfc4180' }, { lineEnd: 'crlf' }],
  [{ dialect: 'excel' }, { lineEnd: 'crlf', bom: true, formulaGuard: true }],
  [{ dialect: 'excel-eu' }, { delimiter: ';', lineEnd: 'crlf', bom: true, formulaGuard: true, decimalComma: true }],
  [{ dialect: 'tsv' }, { delimiter: '\t' }],
  [
    { dialect: 'excel', bom: false, delimiter: '|', nullText: 'NULL', header: false },
    { lineEnd: 'crlf', formulaGuard: true, delimiter: '|', nullText: 'NULL', header: false },
  ],
  [
    { dialect: 'excel-eu', decimalComma: false, instants: 'epoch_s', lineEnd: 'lf' },
    { delimiter: ';', bom: true, formulaGuard: true, instants: 'epoch_s' },
  ],
];

test('a dialect sets what is not given, and is filled options afterwards', () => {
  for (const [asked, expected] of FILLED) {
    const filled = options(asked);
    assert.deepEqual(filled, { ...PLAIN, ...expected });
    assert.deepEqual(formatOptions.parse(filled), filled);
  }
  assert.equal(formatOptions.safeParse({ type: 'csv', dialect: 'Excel' }).success, false);
  assert.equal(formatOptions.safeParse({ type: 'csv', dialect: null }).success, false);
});

test('nullText may not hold the delimiter, wherever that comes from', () => {
  const check = (asked: object) => csv.check(COLUMNS, options(asked));
  for (const asked of [
    { nullText: 'a,b' },
    { dialect: 'excel-eu', nullText: ';' },
    { dialect: 'tsv', nullText: '\t' },
  ]) {
    assert.throws(() => check(asked), { code: 'request.invalid' });
  }
  check({ dialect: 'excel-eu', nullText: ',' });
  check({ dialect: 'excel-eu', delimiter: '|', nullText: ';' });
});

const COLUMNS: readonly Column[] = [
  { name: 'text', type: { is: 'text' }, nullable: true },
  { name: 'amount', type: { is: 'decimal', precision: 18, scale: 2 }, nullable: true },
  { name: 'ratio', type: { is: 'float', bits: 64 }, nullable: true },
  { name: 'list', type: { is: 'list', of: { is: 'float', bits: 64 } }, nullable: true },
];

async function exported(asked: object): Promise<string> {
  const parsed = options(asked);
  csv.check(COLUMNS, parsed);
  const { expressions, copy } = csv.segment(COLUMNS, parsed);
  const select = expressions.map(({ sql, name }) => `${sql} as "${name}"`).join(', ');
  const path = join(folder, 'segment');
  await database.run(`copy (select ${select} from (values
    ('=1.5', -1.50::decimal(18, 2), 1e22::double, [0.5::double]),
    ('1.5', null, 'nan'::double, null),
    ('a' || chr(9) || 'b', 0.25, 0.1, []),
    ('x;y', 12345.67, null, null)) as rows(text, amount, ratio, list)) to '${path}' (${copy})`);
  const joining = csv.joining(COLUMNS, parsed, '');
  assert.equal(joining.by, 'text');
  return `${joining.head}${await readFile(path, 'utf8')}${joining.tail}`;
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
    assert.equal(await exported(asked), lines.map((line) => line + lineEnd).join(''));
  });
}
