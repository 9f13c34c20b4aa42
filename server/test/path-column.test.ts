import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pathText } from '../src/dataset/path-column.ts';
import { Engine } from '../src/source/engine.ts';

const CASES: readonly (readonly [json: string, path: readonly string[], text: string | null])[] = [
  ['{"a":1.10}', ['a'], '1.10'],
  ['{"a":12345678901234.5678}', ['a'], '12345678901234.5678'],
  ['{"a":9007199254740993}', ['a'], '9007199254740993'],
  ['{"a":1E+2}', ['a'], '1E+2'],
  ['{"a":-0}', ['a'], '-0'],
  ['{"a":true,"b":false}', ['b'], 'false'],
  ['{"a":null}', ['a'], null],
  ['{"a":1}', ['b'], null],
  ['{"a":"1.10"}', ['a'], '1.10'],
  ['{"a":""}', ['a'], ''],
  ['{"a":"say \\"hi\\" \\u00e9 1.50"}', ['a'], 'say "hi" é 1.50'],
  ['{"a":{"b":{"c d/e~f":1.0}}}', ['a', 'b', 'c d/e~f'], '1.0'],
  ['{"a": [1.10, {"b": "2.20"}, -3e5]}', ['a'], '[1.10,{"b":"2.20"},-3e5]'],
  ['{"a":{"x":1.0,"1.50":2}}', ['a'], '{"x":1.0,"1.50":2}'],
  ['[1,2]', ['a'], null],
  ['{"\'; drop":"x"}', ["'; drop"], 'x'],
];

it('gives what stands inside a JSON column, digit for digit', async () => {
  await using engine = await Engine.open({ memoryBytes: 256 * 1024 * 1024, threads: 1, stageFolder: null, files: [] });
  const session = await engine.session();
  for (const [json, path, text] of CASES) {
    const value = `'${json.replaceAll("'", "''")}'::json`;
    const { rows } = await session.read(`select ${pathText({ column: 'data', path })} from (select ${value} as data)`);
    assert.deepEqual(rows, [[text]], json);
  }
  for (const [json, text] of [
    ['{"a":true}', 'TRUE'],
    ['{"a":false}', 'FALSE'],
    ['{"a":"true"}', 'true'],
    ['{"a":[true]}', '[true]'],
    ['{"a":1.50}', '1.50'],
    ['{"a":null}', null],
  ] as const) {
    const sql = pathText({ column: 'data', path: ['a'], capitals: true });
    const { rows } = await session.read(`select ${sql} from (select '${json}'::json as data)`);
    assert.deepEqual(rows, [[text]], json);
  }
  const { rows } = await session.read(
    `select ${pathText({ column: 'data', path: ['a'] })} from (select null::json as data)`,
  );
  assert.deepEqual(rows, [[null]]);
});
