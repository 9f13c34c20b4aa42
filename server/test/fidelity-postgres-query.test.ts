import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { parseType } from '../src/column/type-name.ts';
import type { OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import { straightRows } from '../src/run/straight.ts';
import type { SourceOptions } from '../src/source/options.ts';
import type { Piece } from '../src/source/source.ts';
import type { Table } from './arbitrary-table.ts';
import { FidelityGround, whyNoReaders } from './fidelity-ground.ts';
import type { Value } from './model.ts';
import { carriedOut, type ExportInput, format, planOf } from './table-export.ts';
import { PostgresTables } from './table-postgres.ts';

const CSV: OutputAsk = { format: format({ type: 'csv' }), compression: { type: 'none' } };
const JSONL: OutputAsk = { format: format({ type: 'jsonl', nonFinite: 'string' }), compression: { type: 'none' } };

const ROWS = 120;

const NAMES = ['a', 'A', 'ä', 'b', ' ', '', '100%', 'a_b', 'x\r\ny', '😀'];

/** About a day. */
const STEP_MICROS = 86_399_000_001n;

const AT: Readonly<Record<string, readonly [string, (row: number) => Value]>> = {
  id: ['int64', (row) => BigInt(row)],
  name: ['text', (row) => (row % 7 === 0 ? null : (NAMES[row % NAMES.length] ?? null))],
  kind: ['int32', (row) => (row % 11 === 0 ? null : BigInt(row % 4))],
  amount: ['decimal(12,2)', (row) => (row % 13 === 0 ? null : BigInt(((row * 7919) % 1000) - 500))],
  at: ['instant', (row) => (row % 17 === 0 ? null : row % 19 === 0 ? 'infinity' : STEP_MICROS * BigInt(row))],
  day: ['date', (row) => (row - 60) * 500],
  ratio: ['float64', (row) => (row % 23 === 0 ? Number.NaN : row / 7)],
  flag: ['bool', (row) => row % 3 === 0],
  doc: ['json', (row) => json(row % 5)],
};

function json(number: number): Value {
  return { text: `{"n": ${number}}`, tree: { o: [['n', { n: String(number) }]] } };
}

const TABLE: Table = {
  rows: ROWS,
  columns: Object.entries(AT).map(([name, [type, of]]) => ({
    name,
    type: parseType(type, ''),
    isDeclared: false,
    values: Array.from({ length: ROWS }, (_, row) => of(row)),
  })),
};

type Ask = Omit<PlanAsk, 'outputs'>;

/** Where the rows are chosen: by the server, by the engine among what landed, or by both. */
const QUERIES: readonly (readonly ['server' | 'engine' | 'both', string, Ask])[] = [
  ['server', 'a range', { filter: { id: { gte: 20, lt: 90 } } }],
  ['server', 'text and numbers', { filter: { name: { in: ['a', 'ä', 'x\r\ny'] }, amount: { gt: '-1.5' } } }],
  ['server', 'not, or and null', { filter: { not: { or: [{ name: { eq: null } }, { kind: { in: [1, 2] } }] } } }],
  [
    'server',
    'a date and a part of a text',
    { filter: { day: { lte: '1969-12-31' }, name: { contains: '%' } }, columns: ['day', 'id'] },
  ],
  ['server', 'a column that is not exported', { filter: { flag: { eq: true } }, columns: ['name', 'amount', 'id'] }],
  ['server', 'a window without end', { window: { start: '1970-02-01T00:00:00Z' }, filter: { kind: { exists: true } } }],
  ['engine', 'a pattern', { filter: { name: { matches: '^[aä]' } } }],
  ['engine', 'inside JSON', { filter: { 'doc.n': { gte: 3 } }, columns: ['id', 'doc'] }],
  [
    'both',
    'a pattern within a window',
    { window: { end: '1970-03-01T00:00:00Z' }, filter: { name: { matches: 'a' } } },
  ],
  ['both', 'either side', { filter: { and: [{ kind: { gte: 2 } }, { 'doc.n': { in: [0, 4] } }] } }],
  ['server', 'an order', { order: ['-amount', 'name'] }],
  ['server', 'an order of some rows', { filter: { kind: { ne: 3 } }, order: ['ratio'], columns: ['ratio', 'name'] }],
  ['server', 'distinct rows', { distinct: true, columns: ['name', 'kind'] }],
  [
    'both',
    'distinct rows of some',
    { distinct: true, columns: ['kind', 'flag'], filter: { kind: { gte: 0 }, name: { matches: '.' } } },
  ],
];

suite('a query of a PostgreSQL table gives what it gives of a file', { skip: whyNoReaders() }, () => {
  let ground: FidelityGround;
  let tables: PostgresTables;
  let source: SourceOptions;
  let file = '';

  before(async () => {
    ground = await FidelityGround.open();
    tables = await PostgresTables.open(await ground.postgres.createDatabase());
    source = await tables.write(TABLE);
    file = (await ground.writer.write(TABLE)).database;
  });

  after(async () => {
    await tables[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
  });

  const words = { key: ['id'], time: 'at' };

  async function bytesOf(plan: Plan): Promise<string[]> {
    const paths = await carriedOut(plan, ground.folder, source);
    return Promise.all(paths.map((path) => readFile(path, 'utf8')));
  }

  /** One output and two of a live table take other ways. */
  async function assertAlike(by: 'server' | 'engine' | 'both', ask: Ask): Promise<void> {
    const input: ExportInput = { source, ...words };
    const expected = await bytesOf(await planOf({ file, ...words }, { ...ask, outputs: [CSV, JSONL] }));
    const plan = await planOf(input, { ...ask, outputs: [CSV, JSONL] });
    assert.deepEqual(
      { isExact: plan.live?.isExact, isAsked: plan.live?.where !== null },
      { isExact: by === 'server', isAsked: by !== 'engine' && (ask.filter ?? ask.window) !== undefined },
    );
    assert.deepEqual(await bytesOf(plan), expected);
    for (const [at, output] of [CSV, JSONL].entries())
      assert.deepEqual(await bytesOf(await planOf(input, { ...ask, outputs: [output] })), [expected[at]]);
    const rows = (expected[1] ?? '').split('\n').length - 1;
    assert.ok(rows > 0 && (rows < ROWS || ask.order), `${rows} rows`);
  }

  for (const [by, name, ask] of QUERIES) test(`${name}, by ${by}`, () => assertAlike(by, ask));

  test('the pages of a table are joined in their order, however they are cut', async () => {
    const paged = await tables.make(
      [
        'create table paged (id int, text text)',
        "insert into paged select id, repeat(md5(id::text), 30) || case when id % 3 = 0 then e'\\r\\n' else '' end from generate_series(1, 500) id",
        'delete from paged where id between 100 and 120',
      ],
      'paged',
    );
    const pieces = ([0, 1, 2, 30, 31, 4_294_967_295] as const).flatMap((end, at, all): Piece[] =>
      at === 0 ? [] : [{ files: [0, 0], rows: [all[at - 1] ?? 0, end], bytes: 2 ** 27 }],
    );
    const [whole = ''] = await bytesOf(await planOf({ source: paged }, { outputs: [CSV] }));
    assert.equal(whole.match(/^\d+,/gm)?.length, 479);
    for (const outputs of [[CSV], [CSV, JSONL]]) {
      const plan = await planOf({ source: paged }, { outputs });
      const [first] = plan.outputs;
      assert.equal(first && straightRows(plan, first) !== null, outputs.length === 1);
      for (const threads of [1, 3]) {
        const live = plan.live && { ...plan.live, landing: plan.live.landing && pieces };
        const cut = { ...plan, live, cut: { by: 'pieces', segments: pieces }, limits: { ...plan.limits, threads } };
        assert.equal((await bytesOf(cut as Plan))[0], whole);
      }
    }
  });
});
