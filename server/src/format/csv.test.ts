import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../column/type.ts';
import { csv } from './csv.ts';
import { type CsvOptions, formatOptions } from './options.ts';

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
];
