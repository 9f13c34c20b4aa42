import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PUBLIC_URL } from '../dialect-ground.ts';
import { readParquet } from '../readers/parquet.ts';
import type { Answer } from '../server-ground.ts';
import { assertDocumented } from './contract.ts';
import { JOBS, KEYS, SAMPLE, ShoalGround } from './ground.ts';
import { EVENTS, expectedEvents, ORGANIZATIONS, SINCE, TIMELINE, UNTIL } from './rows.ts';

const EVENT_COLUMNS = [
  ...['id', 'surface', 'title', 'eventCategory', 'eventSubcategory', 'summary', 'bullets', 'owners'],
  ...['participants', 'latestEvidenceTimestamp', 'significance'],
];

type Row = Readonly<Record<string, unknown>>;

interface Case {
  readonly request: object;
  readonly columns: readonly string[];
  readonly rows: readonly object[];
}

const window = { since: SINCE, until: UNTIL };

/** Every scope, and what of it an independent look at the rows gives. */
const CASES: readonly Case[] = [
  {
    request: { scope: 'organizations.registry' },
    columns: ['id', 'label', 'type', 'aliases'],
    rows: ORGANIZATIONS.toSorted((a, b) => a.id - b.id),
  },
  {
    request: { scope: 'radar.history', ...window },
    columns: EVENT_COLUMNS,
    rows: expectedEvents(EVENTS, ({ surface }) => surface === 'radar'),
  },
  {
    request: { scope: 'signal.history', ...window, category: 'partnership', includeEvidence: true },
    columns: [...EVENT_COLUMNS, 'evidence'],
    rows: expectedEvents(EVENTS, (row) => row.surface === 'signal' && row.eventCategory === 'partnership'),
  },
  {
    request: { scope: 'replay.global', ...window },
    columns: EVENT_COLUMNS,
    rows: expectedEvents(EVENTS, () => true),
  },
  {
    request: { scope: 'timeline.by-organization', ...window, organizationIds: [3, 1], includeEvidence: true },
    columns: [...EVENT_COLUMNS, 'evidence', 'organizationId'],
    rows: expectedEvents(TIMELINE, ({ organizationId }) => organizationId === 1 || organizationId === 3),
  },
];

let ground: ShoalGround;

before(async () => {
  ground = await ShoalGround.open();
});

after(() => ground[Symbol.asyncDispose]());

/** From the create to the bytes, as a client goes. */
async function exported(request: object): Promise<{ job: Answer['json']; headers: Headers; bytes: Buffer }> {
  const job = await ground.fulfilled(request);
  assertDocumented('job', { data: job });
  const { status, headers, bytes } = await ground.download(job.downloadUrl);
  assert.equal(status, 200);
  return { job, headers, bytes };
}

describe('every scope', () => {
  it('has rows in the window and outside of it, or this would prove nothing', () => {
    for (const { rows } of CASES) assert.ok(rows.length > 5);
    const moments = EVENTS.map(({ latestEvidenceTimestamp }) => latestEvidenceTimestamp);
    assert.ok(moments.includes(SINCE) && moments.includes(UNTIL));
    assert.ok(new Set(EVENTS.map(({ surface, id }) => `${surface} ${id}`)).size === EVENTS.length);
  });

  it('as JSON lines', async () => {
    for (const { request, columns, rows } of CASES) {
      const { job, headers, bytes } = await exported({ ...request, format: 'jsonl' });
      assert.equal(headers.get('content-type'), 'application/x-ndjson');
      assert.equal(headers.get('content-disposition'), `attachment; filename="${job.scope}-${job.id}.jsonl"`);
      const lines = bytes.toString().split('\n');
      assert.equal(lines.pop(), '');
      const got = lines.map((line) => JSON.parse(line) as Row);
      for (const row of got) assert.deepEqual(Object.keys(row), columns);
      assertRows(got, rows.map(only(columns)));
    }
  });

  it('as CSV', async () => {
    for (const { request, columns, rows } of CASES) {
      const { job, headers, bytes } = await exported({ ...request, format: 'csv' });
      assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
      assert.equal(headers.get('content-disposition'), `attachment; filename="${job.scope}-${job.id}.csv"`);
      const [header, ...cells] = parseCsv(bytes.toString());
      assert.deepEqual(header, columns);
      assertRows(
        cells,
        rows.map((row) => Object.entries(only(columns)(row)).map(cellOf)),
      );
    }
  });

  it('as Parquet', async () => {
    for (const { request, columns, rows } of CASES) {
      const { job, headers, bytes } = await exported({ ...request, format: 'parquet' });
      assert.equal(headers.get('content-type'), 'application/vnd.apache.parquet');
      assert.equal(headers.get('content-disposition'), `attachment; filename="${job.scope}-${job.id}.parquet"`);
      const path = join(ground.folder, 'got.parquet');
      writeFileSync(path, bytes);
      const got = await readParquet(path);
      assert.deepEqual(
        got.columns.map(({ name }) => name),
        columns,
      );
      assertRows(
        got.rows,
        rows.map((row) => Object.entries(only(columns)(row)).map(parquetValue)),
      );
      const types = Object.fromEntries(got.columns.map(({ name, type }) => [name, type]));
      assert.equal(types.id, 'int64');
      if (columns.includes('owners'))
        assert.deepEqual([types.owners, types.latestEvidenceTimestamp], ['text', 'instant']);
    }
  });
});

describe('a job', () => {
  it('without until ends when it was made, and without rows it is a success with an empty file', async () => {
    const moment =
      EVENTS.map((event) => event.latestEvidenceTimestamp)
        .toSorted()
        .at(-1) ?? '';
    const last = { ...SAMPLE, since: moment, until: undefined };
    assert.equal((await exported(last)).bytes.toString().split('\n').length, 2);
    const none = await exported({ ...last, category: 'nothing of the kind' });
    assert.deepEqual([none.bytes.length, none.job.status], [0, 'completed']);
    const csv = await exported({ ...last, format: 'csv', includeEvidence: false, category: "o'none\n" });
    assert.equal(csv.bytes.toString(), `${EVENT_COLUMNS.join(',')}\n`);
  });

  it('is shown with its file to every key of the account, first in the list', async () => {
    const job = await ground.fulfilled(SAMPLE);
    assert.ok(job.downloadUrl.startsWith(`${PUBLIC_URL}/shoal/files/`));
    assert.deepEqual([job.status, job.error], ['completed', null]);
    const { json } = await ground.call('GET', JOBS, { key: KEYS.second });
    assertDocumented('list', json);
    const [first] = json.data;
    // Links are a key's own.
    assert.notEqual(first.downloadUrl, job.downloadUrl);
    assert.deepEqual({ ...first, downloadUrl: null }, { ...job, downloadUrl: null });
    const [mine, theirs] = await Promise.all([ground.download(job.downloadUrl), ground.download(first.downloadUrl)]);
    assert.ok(mine.bytes.equals(theirs.bytes));
    const again = await ground.call('GET', `${JOBS}/${job.id}`);
    assert.deepEqual(again.json.data, job);
    assert.equal(again.headers.get('retry-after'), null);
  });

  it('of another account has links that nobody can guess from one of their own', async () => {
    const mine = new URL((await ground.fulfilled(SAMPLE)).downloadUrl);
    const theirs = new URL((await ground.fulfilled(SAMPLE, KEYS.other)).downloadUrl);
    theirs.search = mine.search;
    const crossed = await ground.download(theirs.href);
    theirs.pathname = theirs.pathname.replace(/file_[^/]+/, 'file_00000000000000000000000000');
    const unknown = await ground.download(theirs.href);
    assert.deepEqual([crossed.status, unknown.status], [403, 403]);
    assert.equal(crossed.bytes.toString(), unknown.bytes.toString());
    assertDocumented('error', JSON.parse(unknown.bytes.toString()));
  });
});

/** One by one: of the first that differs there is something to see. */
function assertRows(got: readonly unknown[], expected: readonly unknown[]): void {
  for (const [at, row] of expected.entries()) assert.deepEqual(got[at], row, `row ${at}`);
  assert.equal(got.length, expected.length);
}

function only(columns: readonly string[]) {
  return (row: object): Row => Object.fromEntries(columns.map((name) => [name, (row as Row)[name]]));
}

/** What stands in a cell; null where it is empty and without quotes. */
function cellOf([name, value]: [string, unknown]): string | null {
  if (value === null) return null;
  // A float shows that it is one.
  if (name === 'significance' && Number.isInteger(value)) return `${value}.0`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function parquetValue([name, value]: [string, unknown]): unknown {
  if (name === 'latestEvidenceTimestamp') return BigInt(Date.parse(String(value))) * 1000n;
  if (name === 'id' || name === 'organizationId') return BigInt(Number(value));
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

/** RFC 4180 with line feeds; an empty cell is null, an empty quoted one is ''. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  assert.deepEqual(row, []);
  return rows;
}
