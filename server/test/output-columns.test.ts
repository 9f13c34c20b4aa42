import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import type { PlanAsk } from '../src/run/plan.ts';
import type { SourceOptions } from '../src/source/options.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { carriedOut, type ExportInput, format, planOf } from './table-export.ts';

const ROWS = [
  [1, '{"price": 1.10, "name": "a,b", "tags": ["x", 2.50]}', "it's a"],
  [2, '{"price": 12345678901234.5678, "deep": {"er": true}}', 'b'],
  [3, '{}', 'c'],
  [4, null, null],
] as const;

const COLUMNS = [
  'id',
  { name: 'data.price', column: 'data', path: ['price'] },
  { name: 'data.name', column: 'data', path: ['name'] },
  { name: 'data.deep.er', column: 'data', path: ['deep', 'er'] },
  { name: 'data.tags', column: 'data', path: ['tags'] },
];

const CSV = `id,data.price,data.name,data.deep.er,data.tags
1,1.10,"a,b",,"[""x"",2.50]"
2,12345678901234.5678,,true,
3,,,,
4,,,,
`;

const none = { type: 'none' } as const;
const one = { format: format({ type: 'csv', nullText: '' }), compression: none };
const csv = { format: format({ type: 'csv' }), compression: none };

function quoted(text: string | null): string {
  return text === null ? 'null' : `'${text.replaceAll("'", "''")}'`;
}

async function exportBy(input: ExportInput, ask: PlanAsk, folder: string): Promise<string[]> {
  const access = 'source' in input ? input.source : undefined;
  const paths = await carriedOut(await planOf(input, ask), folder, access);
  return paths.map((path) => readFileSync(path, 'utf8'));
}

function testColumns(open: () => { input: ExportInput; folder: string }): void {
  it('stand inside JSON columns', async () => {
    const { input, folder } = open();
    assert.deepEqual(await exportBy(input, { columns: COLUMNS, order: ['id'], outputs: [csv] }, folder), [CSV]);
    const filtered = { columns: COLUMNS.slice(1, 3), filter: { id: { eq: 1 } }, outputs: [csv] };
    assert.deepEqual(await exportBy(input, filtered, folder), ['data.price,data.name\n1.10,"a,b"\n']);
  });

  it('stand for the values of a text column', async () => {
    const { input, folder } = open();
    const texts = { "d'x": 'never', "it's a": 'first,\n"one"', b: '' };
    const columns = ['id', { name: 'said', column: 'word', texts }];
    const wanted = 'id,said\n1,"first,\n""one"""\n2,""\n3,\n4,\n';
    assert.deepEqual(await exportBy(input, { columns, order: ['id'], outputs: [csv] }, folder), [wanted]);
    const none = ['id', { name: 'said', column: 'word', texts: {} }];
    const ask = { columns: none, filter: { id: { eq: 1 } }, outputs: [csv] };
    assert.deepEqual(await exportBy(input, ask, folder), ['id,said\n1,\n']);
  });

  it('differ between the outputs of one run', async () => {
    const { input, folder } = open();
    const outputs = [
      { ...csv, columns: ['data.name', 'id'] },
      { format: format({ type: 'jsonl' }), compression: none, columns: ['id', 'data'] },
    ];
    const ask = { columns: [...COLUMNS, 'data'], filter: { id: { lte: 1 } }, outputs };
    assert.deepEqual(await exportBy(input, ask, folder), [
      'data.name,id\n"a,b",1\n',
      '{"id":1,"data":{"price": 1.10, "name": "a,b", "tags": ["x", 2.50]}}\n',
    ]);
    const ids = { columns: ['id', 'data'], filter: { id: { eq: 3 } }, outputs: [{ ...one, columns: ['id'] }] };
    assert.deepEqual(await exportBy(input, ids, folder), ['id\n3\n']);
  });

  it('are the names inside a JSON column', async () => {
    const { input, folder } = open();
    const ask = { columns: [{ name: 'key', keysOf: 'data' }], distinct: true, outputs: [one] };
    assert.deepEqual(await exportBy(input, ask, folder), ['key\ndeep\nname\nprice\ntags\n']);
    assert.deepEqual(await exportBy(input, { ...ask, limit: 2 }, folder), ['key\ndeep\nname\n']);
    const some = { ...ask, filter: { 'data.deep': { exists: true } } };
    assert.deepEqual(await exportBy(input, some, folder), ['key\ndeep\nprice\n']);
  });

  it('are blank where that is asked for, a name of the dataset too', async () => {
    const { input, folder } = open();
    const blank = { name: 'data', isBlank: true } as const;
    const ask = { columns: [blank, 'id'], filter: { id: { lte: 2 } }, order: ['id'], outputs: [one] };
    assert.deepEqual(await exportBy(input, ask, folder), ['data,id\n,1\n,2\n']);
    const plain = { columns: ['id', blank], filter: { id: { eq: 2 } }, outputs: [one] };
    assert.deepEqual(await exportBy(input, plain, folder), ['id,data\n2,\n']);
    const only = { columns: [blank], filter: { id: { eq: 2 } }, outputs: [one] };
    assert.deepEqual(await exportBy(input, only, folder), ['data\n\n']);
    const distinct = { columns: [blank], distinct: true, outputs: [one] };
    assert.deepEqual(await exportBy(input, distinct, folder), ['data\n\n']);
  });

  it('are refused where they cannot be', async () => {
    const { input } = open();
    const refused = (ask: Partial<PlanAsk>, pointer: string) =>
      assert.rejects(planOf(input, { outputs: [csv], ...ask }), { code: 'request.invalid', pointer });
    const path = { name: 'x', column: 'data', path: ['y'] };
    await refused({ columns: [{ ...path, column: 'nothing' }] }, '/columns/0/column');
    await refused({ columns: ['id', { ...path, column: 'id' }] }, '/columns/1/column');
    await refused({ columns: [{ ...path, name: 'ID' }] }, '/columns/0/name');
    await refused({ columns: [path, path] }, '/columns/1');
    await refused({ columns: [path, { ...path, name: 'X', path: ['Y'] }] }, '/columns/1');
    const keys = { name: 'x', keysOf: 'data' };
    await refused({ columns: [keys] }, '/columns/0');
    await refused({ columns: ['id', keys], distinct: true }, '/columns/1');
    await refused({ columns: [{ ...keys, keysOf: 'id' }], distinct: true }, '/columns/0/column');
    await refused({ columns: [{ name: 'x', column: 'id', texts: {} }] }, '/columns/0/column');
    await refused({ columns: [path], order: ['x'] }, '/order/0');
    await refused({ columns: ['id'], outputs: [{ ...csv, columns: ['data'] }] }, '/outputs/0/columns');
    await refused({ columns: ['id'], distinct: true, outputs: [{ ...csv, columns: ['id'] }] }, '/outputs/0/columns');
  });
}

describe('columns of an output', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-columns-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('over files', () => {
    const types = { data: { is: 'json' } } as const;
    before(async () => {
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const values = ROWS.map(([id, data, word]) => `(${id}, ${quoted(data)}::json, ${quoted(word)}::varchar)`).join(
        ', ',
      );
      const path = join(folder, 'rows.parquet');
      await connection.run(
        `copy (select * from (values ${values}) rows(id, data, word)) to '${path}' (format parquet)`,
      );
      connection.closeSync();
      instance.closeSync();
    });
    testColumns(() => ({ input: { file: join(folder, 'rows.parquet'), types, key: ['id'] }, folder }));
  });

  describe('over PostgreSQL', { skip: whyNoPostgres() }, () => {
    let server: PostgresReader;
    let source: SourceOptions;
    before(async () => {
      server = await PostgresReader.start();
      const url = await server.createDatabase();
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query('create table rows (id int, data json, word text)');
      for (const row of ROWS) await client.query('insert into rows values ($1, $2, $3)', [...row]);
      await client.end();
      source = { type: 'postgres', url, table: 'rows', connections: 2 };
    });
    after(() => server?.[Symbol.asyncDispose]());
    testColumns(() => ({ input: { source, key: ['id'] }, folder }));
  });
});
