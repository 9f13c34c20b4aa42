import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assemble } from '../../test/assemble.ts';
import { anyText, fc } from '../../test/draws.ts';
import { EDGES, edgeRows } from '../../test/edge-values.ts';
import { literal } from '../column/sql.ts';
import { jsonObject, jsonOrNull } from '../column/text.ts';
import type { Column, ColumnType } from '../column/type.ts';
import { RAW_LINES } from '../format/format.ts';
import { JSON_ROWS_WASM_BASE64 } from '../format/json-rows.wasm.ts';
import { jsonl } from '../format/jsonl.ts';
import { formatOptions } from '../format/options.ts';
import { Engine } from '../source/engine.ts';
import { writeRows } from './write-rows.ts';

let folder = '';
let engine: Engine;
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-json-'));
  engine = await Engine.open({ memoryBytes: 2 ** 30, threads: 1, stageFolder: folder, files: [] });
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function optionsOf(asked: object) {
  const options = formatOptions.parse({ type: 'jsonl', ...asked });
  assert.equal(options.type, 'jsonl');
  return options;
}

async function written(columns: readonly Column[], relation: string, asked: object = {}) {
  const { expressions, written } = jsonl.segment(columns, optionsOf(asked));
  const select = expressions.map(({ sql, name }) => `${sql} as "${name}"`).join(', ');
  const path = join(folder, `${files++}.jsonl`);
  using session = await engine.session();
  const writing = { columns: expressions.length, path, written, landing: null, zstdLevel: null };
  const { rows } = await writeRows(session, { select: `select ${select} from ${relation}`, ...writing });
  return { rows, text: await readFile(path, 'utf8') };
}

/** What SQL makes of the relation. */
async function selected(columns: readonly Column[], relation: string, asked: object) {
  const options = optionsOf(asked);
  const members = columns.map(({ name, type }) => ({ name, json: jsonOrNull(`"${name}"`, type, options) }));
  const path = join(folder, `${files++}.jsonl`);
  using session = await engine.session();
  const select = `select ${jsonObject(members)} from ${relation}`;
  return { rows: await session.copy({ select, path, options: RAW_LINES }), text: await readFile(path, 'utf8') };
}

for (const asked of [
  { nonFinite: 'string' },
  { nonFinite: 'null', bigIntegers: 'string', instants: '%d.%m.%Y %H:%M' },
]) {
  test(`values of every type are written as SQL makes JSON of them, with ${JSON.stringify(asked)}`, async () => {
    const { columns, relation } = edgeRows(EDGES);
    const theirs = await selected(columns, relation, asked);
    assert.equal(theirs.rows, 5000);
    assert.deepEqual(await written(columns, relation, asked), theirs);
  });
}

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });
const TEXT = column('text', { is: 'text' });

/** A relation of one text a row. */
function textsOf(texts: readonly (string | null)[]): string {
  const values = texts.map((text) => `(${text === null ? 'null' : literal(text)}::varchar)`);
  return `(select * from (values ${values.join(', ')}) texts(text))`;
}

async function assertCarried(texts: readonly (string | null)[]): Promise<void> {
  const ours = await written([TEXT], textsOf(texts));
  assert.deepEqual(ours, await selected([TEXT], textsOf(texts), {}));
  const lines = ours.text.split('\n').slice(0, -1);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).text),
    texts,
  );
}

test('characters are escaped wherever they stand', async () => {
  const marks = ['"', '\\', '\n', '\r', '\t', '\b', '\f', '\0', '\u001f', '/', '\u2028', '"\\"'];
  await assertCarried(
    Array.from({ length: 50 }, (_, length) =>
      marks.flatMap((mark) => [
        `${'x'.repeat(length)}${mark}`,
        `${mark}${'é'.repeat(length)}`,
        mark.repeat(length),
        `${'x'.repeat(length)}${mark}${'y'.repeat(49 - length)}`,
      ]),
    ).flat(),
  );
});

test('any text comes out as it went in, and NULL apart from "null"', async () => {
  const cell = fc.option(anyText({ maxLength: 40 }), { nil: null, freq: 10 });
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 200 }), (texts) =>
      assertCarried([...texts, 'null', null, '']),
    ),
    { numRuns: 10 },
  );
});

test('a row of nothing but control characters has room', async () => {
  const { text } = await written([TEXT], `(select repeat(chr(1), 1000000) as text)`);
  assert.ok(text === `{"text":"${'\\u0001'.repeat(1_000_000)}"}\n`);
});

test('nested values are JSON, or its text', async () => {
  const columns = [
    column('list', { is: 'list', of: { is: 'text' } }),
    column('json', { is: 'json' }),
    column('bytes', { is: 'bytes' }),
  ];
  const relation = `(select * from (values (['a"', null], '{"b": [1.10]}'::json, 'x'::blob), (null, null, null)) t(list, json, bytes))`;
  const rows = ['{"list":["a\\"",null],"json":{"b": [1.10]},"bytes":"eA=="}', '{"list":null,"json":null,"bytes":null}'];
  assert.equal((await written(columns, relation)).text, rows.map((row) => `${row}\n`).join(''));
  const texts = [
    String.raw`{"list":"[\"a\\\"\",null]","json":"{\"b\": [1.10]}","bytes":"eA=="}`,
    '{"list":null,"json":null,"bytes":null}',
  ];
  assert.equal((await written(columns, relation, { nested: 'text' })).text, texts.map((row) => `${row}\n`).join(''));
});

test('the assembled module is that of the .wat files', async () => {
  const wats = ['json-rows.wat', 'vector-rows.wat', '../column/json-text.wat', '../column/value-text.wat'].map(
    (name) => new URL(`../format/${name}`, import.meta.url),
  );
  const { base64, file } = await assemble('JSON_ROWS_WASM_BASE64', ...wats);
  assert.equal(JSON_ROWS_WASM_BASE64, base64, `json-rows.wasm.ts is to hold:\n${file}`);
});
