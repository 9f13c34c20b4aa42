import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import type { Dataset } from '../src/dataset/dataset.ts';
import { makeQuery, querySql } from '../src/dataset/query.ts';
import { describeSource } from '../src/run/describe.ts';
import { duckdb } from '../src/source/duckdb/duckdb.ts';
import { Engine, type Session } from '../src/source/engine.ts';
import { relationSql } from '../src/source/relation.ts';
import { column } from './dataset-column.ts';

/** What a lookup during a request has. */
const LIMITS = { memoryBytes: 256 * 2 ** 20, threads: 1 };

const columns = [column('id', { is: 'text' }), column('event', { is: 'text' }), column('data', { is: 'json' })];
const dataset: Dataset = { name: 'rows', columns, key: ['id'], time: null, tenancy: 'shared', lookbackDays: null };

/** More than the 2,048 the engine takes at a time, each about 800 bytes. */
const ROWS = Array.from({ length: 2100 }, (_, at) => ({
  id: String(at),
  event: `event ${at % 50}`,
  data: {
    score: at % 700,
    note: 'lorem ipsum '.repeat(30),
    ...Object.fromEntries(Array.from({ length: 24 }, (_, k) => [`n${(at * 7 + k * 13) % 997}`, k % 2 ? `x${k}` : at])),
    tags: [`t${at % 900}`, at],
  } as Readonly<Record<string, unknown>>,
}));

let folder: string;
let engine: Engine;
let session: Session;
let lines: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'filter-memory-'));
  const file = join(folder, 'rows.jsonl');
  writeFileSync(file, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const types = Object.fromEntries(columns.map(({ name, type }) => [name, type]));
  const { shape } = await describeSource({ options: { type: 'duckdb', files: [file] }, types, folder }, LIMITS);
  const landed = join(folder, 'landed.csv');
  const [piece] = shape.pieces;
  assert.ok(piece && duckdb.land);
  await duckdb.land({ shape, piece, columns: null, path: landed, signal: new AbortController().signal });
  lines = relationSql(shape, columns, null, [landed]);
  engine = await Engine.open({ ...LIMITS, stageFolder: null, files: [landed] });
  session = await engine.session();
  await session.run(`create table held as select id, event, data::json as data from ${lines}`);
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function selects(filter: unknown, holds: (row: (typeof ROWS)[number]) => boolean): Promise<void> {
  const query = makeQuery(dataset, { is: 'shared' }, { start: null, end: null }, { filter, columns: ['id'] });
  const wanted = ROWS.filter(holds).map(({ id }) => id);
  assert.ok(wanted.length > 0 && wanted.length < ROWS.length);
  for (const relation of [lines, '(select * from held)']) {
    const { rows } = await session.read(querySql(query, relation));
    assert.deepEqual(
      rows.map(([id]) => id),
      wanted,
    );
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

it('as many tests as a filter may have, of one path within JSON', async () => {
  const or = numbers(499).map((at) => ({ 'data.score': { anyOf: [at] } }));
  await selects({ or }, ({ data }) => Number(data.score) < 499);
});

it('of as many paths, which look into lists as well', async () => {
  const tests = numbers(996).map((at) => [`data.n${at + 1}`, { noneOf: [`x${(at % 8) + 1}`, 7] }]);
  const misses = (value: unknown, at: number) => value !== `x${(at % 8) + 1}` && value !== 7;
  await selects(
    { not: Object.fromEntries(tests) },
    ({ data }) => !numbers(996).every((at) => misses(data[`n${at + 1}`], at)),
  );
});

it('of lists and in order, each of another operand', async () => {
  const or = numbers(499).map((at) =>
    at % 2 ? { 'data.tags': { has: `t${at}` } } : { 'data.score': { gt: 700 - at / 9 } },
  );
  await selects({ or }, ({ data: { tags, score } }) =>
    numbers(499).some((at) => (at % 2 ? (tags as unknown[])[0] === `t${at}` : Number(score) > 700 - at / 9)),
  );
});

it('of a plain column', async () => {
  const or = numbers(499).map((at) => ({ event: { contains: `nt ${at + 30}` } }));
  await selects({ or }, ({ event }) => Number(event.slice(6)) >= 30);
});
