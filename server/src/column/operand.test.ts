import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { HOSTILE, ILL_FORMED } from '../../test/hostile.ts';
import { readOperand } from './operand.ts';
import { type ColumnType, engineType, nameOf } from './type.ts';
import { parseType } from './type-name.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

before(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
});

after(() => {
  connection.closeSync();
  instance.closeSync();
});

const typed = (name: string) => parseType(name, '/type');

async function textOf(sql: string): Promise<unknown> {
  return (await connection.runAndReadAll(`select (${sql})::varchar, typeof(${sql})`)).getRowsJS()[0];
}

it('gives a value of the column’s type, exact to its last digit', async () => {
  const cases: readonly [type: string, operand: unknown, text: string][] = [
    ['bool', true, 'true'],
    ['int32', '2147483647', '2147483647'],
    ['int32', -2147483648, '-2147483648'],
    ['int64', '9223372036854775807', '9223372036854775807'],
    ['int64', '-9223372036854775808', '-9223372036854775808'],
    ['int64', 9007199254740991, '9007199254740991'],
    ['int64', '-0', '0'],
    ['int64', '007', '7'],
    ['decimal(38,10)', '9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
    ['decimal(18,4)', '-0.0001', '-0.0001'],
    ['decimal(18,4)', 12.5, '12.5000'],
    ['decimal(18,4)', '0012.50000000', '12.5000'],
    ['decimal(38,0)', '9007199254740993', '9007199254740993'],
    ['float64', 0.1, '0.1'],
    ['float64', '1e308', '1e+308'],
    ['float64', 2 ** 53, '9007199254740992.0'],
    ['text', "o'k", "o'k"],
    ['uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['date', '2024-02-29', '2024-02-29'],
    ['time', '23:59:59.999999', '23:59:59.999999'],
    ['timestamp', '2026-01-31T12:00:00.123456', '2026-01-31 12:00:00.123456'],
    ['timestamp(ns)', '2026-01-31 12:00:00.123456789', '2026-01-31 12:00:00.123456789'],
    ['instant', '2026-01-31T12:00:00+02:00', '2026-01-31 10:00:00+00'],
    ['instant(ms)', '2026-01-31', '2026-01-31 00:00:00+00'],
  ];
  for (const [name, operand, text] of cases) {
    assert.deepEqual(
      await textOf(readOperand(typed(name), operand, '/x')),
      [text, engineType(typed(name))],
      `${name} ${String(operand)}`,
    );
  }
});

it('compares 32-bit floats as they are written, and what they cannot hold as it is', async () => {
  const float = typed('float32');
  const holds = async (value: string, comparison: string, operand: unknown) =>
    (
      await connection.runAndReadAll(`select ${value}::float ${comparison} ${readOperand(float, operand, '/x')}`)
    ).getRowsJS()[0]?.[0];
  assert.equal(await holds('0.1', '=', 0.1), true);
  assert.equal(await holds('0.1', '>', '0.1'), false);
  assert.equal(await holds('3.4e38', '<', 1e300), true);
  assert.equal(await holds('0', '=', 1e-300), false);
  assert.equal(await holds('0', '=', 0), true);
});

it('refuses at the place, with the type and what is allowed', () => {
  const cases: readonly [type: string, operands: readonly unknown[], message: RegExp][] = [
    ['bool', ['true', 1, 0], /type bool; allowed is true or false/],
    [
      'int32',
      ['2147483648', 2147483648, -2147483649, '1.0', 1.5, '+1', ' 1', '1 ', '', '0x1', '1e3', '1_000', '١'],
      /type int32; allowed is a whole number from -2147483648/,
    ],
    [
      'int64',
      ['9223372036854775808', '-9223372036854775809', '99999999999999999999', 0.5],
      /allowed is a whole number/,
    ],
    ['int64', [2 ** 53, -(2 ** 53), 1e21], /beyond 2\^53; send it as a string/],
    ['decimal(18,4)', [2 ** 53], /beyond 2\^53; send it as a string/],
    ['decimal(38,20)', [0.12345678901234568, 123456.12345678912], /send it as a string/],
    [
      'decimal(5,2)',
      ['1000', '0.001', '1e2', '.5', '5.', '-', '1,5', '٣'],
      /at most 3 digits before the point and 2 after it/,
    ],
    ['float64', ['NaN', 'Infinity', 'inf', '', '1e', '0x1p3', '1e400'], /a finite number/],
    ['text', [1, true], /allowed is text/],
    ['uuid', ['a0eebc99', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'], /a UUID/],
    ['date', ['2026-02-30', '2026-01-31T00:00:00Z', 20260131], /allowed/],
    ['date', ['0000-01-01'], /from 0001 to 9999/],
    ['time', ['24:00:00', '12:60:00', '12:00', '12:00:00.1234567', '12:00:00Z'], /a time/],
    [
      'timestamp',
      ['2026-02-30T00:00:00', '2026-01-31T12:00:00Z', '2026-01-31', '2026-01-31T12:00:00.1234567', '2026-01-31T12:00'],
      /without zone|no such date/,
    ],
    ['timestamp(ns)', ['1600-01-01T00:00:00', '2262-01-01T00:00:00'], /from 1678 to 2261/],
    ['instant', ['2026-01-31T12:00:00', '2026-01-31T12:00:00.1234567Z'], /ISO 8601|microsecond/],
    ['bytes', ['AA=='], /cannot be compared; allowed is exists/],
    ['json', ['{}'], /dotted path/],
    ['list(text)', [['x']], /exists and has/],
    ['struct(a text)', [{ a: 'x' }], /cannot be compared/],
    ['map(text, text)', [{ a: 'x' }], /cannot be compared/],
  ];
  for (const [name, operands, message] of cases) {
    for (const operand of operands) {
      assert.throws(
        () => readOperand(typed(name), operand, '/filter/x/eq'),
        { code: 'request.invalid', pointer: '/filter/x/eq', message },
        `${name} ${String(operand)}`,
      );
    }
  }
});

it('takes nothing hostile for anything but text', () => {
  const types: readonly ColumnType[] = [
    'bool',
    'int32',
    'int64',
    'decimal(18,4)',
    'uuid',
    'date',
    'time',
    'timestamp',
    'timestamp(ns)',
    'instant',
  ].map(typed);
  const odd = [
    null,
    undefined,
    {},
    [],
    { toString: () => '1' },
    ['1'],
    [1],
    Number.NaN,
    Number.POSITIVE_INFINITY,
    ...ILL_FORMED,
  ];
  for (const type of types) {
    for (const value of [...odd, ...HOSTILE.filter((text) => !/^-?\d+$/.test(text))]) {
      assert.throws(
        () => readOperand(type, value, '/x'),
        { code: 'request.invalid' },
        `${nameOf(type)} ${String(value)}`,
      );
    }
  }
  for (const value of odd) assert.throws(() => readOperand({ is: 'text' }, value, '/x'), { code: 'request.invalid' });
});
