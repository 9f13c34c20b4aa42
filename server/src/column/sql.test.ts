import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { anyText, fc } from '../../test/draws.ts';
import { HOSTILE, ILL_FORMED } from '../../test/hostile.ts';
import { identifier, literal } from './sql.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

before(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});

after(() => {
  connection.closeSync();
  instance.closeSync();
});

async function rowsOf(sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRowsJS();
}

/** Each text as the hex of its bytes, so that no decoder of texts can hide a difference. */
async function readBack(texts: readonly string[]): Promise<unknown[]> {
  const rows = await rowsOf(
    texts.map((text, at) => `select ${at} as at, hex(encode(${literal(text)}))`).join(' union all '),
  );
  return rows.sort(([left], [right]) => Number(left) - Number(right)).map(([, hex]) => hex);
}

const hexOf = (text: string) => Buffer.from(text).toString('hex').toUpperCase();

it('a literal is its text, byte for byte', async () => {
  assert.deepEqual(await readBack(HOSTILE), HOSTILE.map(hexOf));
  const texts = fc.array(anyText(), { minLength: 50, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(texts, async (list) => assert.deepEqual(await readBack(list), list.map(hexOf))),
    { numRuns: 20 },
  );
});

it('a literal fits wherever one value is expected', async () => {
  for (const text of HOSTILE) {
    const value = literal(text);
    const sql = `select ${value} = ${value}, ${value} = ${literal(`${text}x`)}, octet_length(encode(${value})), [${value}, ${value}][2] = ${value}, 'x' || ${value} in ('x' || ${value})`;
    assert.deepEqual(await rowsOf(sql), [[true, false, BigInt(Buffer.byteLength(text)), true, true]], text);
  }
});

it('an identifier is its name', async () => {
  const names = HOSTILE.filter((name) => name !== '' && !name.includes('\0'));
  for (const name of names) {
    const inner = `select 42 as ${identifier(name)}, 7 as other_column`;
    const result = await connection.runAndReadAll(
      `select ${identifier(name)} from (${inner}) as x where ${identifier(name)} = 42 order by ${identifier(name)}`,
    );
    assert.deepEqual([result.columnNames(), result.getRowsJS()], [[name], [[42]]], name);
  }
  await connection.run(
    `create table ${identifier('t"; drop table x; --')} (${names
      .filter((name) => name.length < 200)
      .map((name, at) => identifier(`${at}${name}`))
      .join(' int, ')} int)`,
  );
  assert.equal((await rowsOf('select count(*) from duckdb_tables()'))[0]?.[0], 1n);
});

it('what the engine could not take as it is, is refused', () => {
  for (const text of ILL_FORMED) {
    assert.throws(() => literal(text), RangeError);
    assert.throws(() => identifier(text), RangeError);
  }
  for (const name of ['', '\0', 'a\0b']) assert.throws(() => identifier(name), RangeError);
});
