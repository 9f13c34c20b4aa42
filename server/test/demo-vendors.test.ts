import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Export, expected, parseCells } from './batch/expected.ts';
import type { Row as BatchRow, Tables } from './batch/rows.ts';
import { type StartedCommand, startCommand } from './command-line.ts';
import { readParquet } from './readers/parquet.ts';
import type { Answer } from './server-ground.ts';
import { parseCsv } from './userpilot/read-file.ts';

const DAY_MS = 86_400_000;
/** Recent rows lead up to it, so the 90 days of the demo begin when those of a vendor do, and no row lies between. */
const NOW_MS = Date.now();

/** As hyparquet reads it: instants are microseconds, JSON is text. */
type Row = Readonly<Record<string, unknown>>;

let folder: string;
let started: StartedCommand;
/** Where the demo says that it serves. */
let origin: string;
/** What lies in the demo's files. */
let source: Readonly<Record<'events' | 'timeline' | 'userpilot', readonly Row[]>> & { readonly batch: Tables };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drayage vendors '));
  const env = { DRAYAGE_DATA: 'data', DEMO_ROWS: '10', DEMO_NOW: textOf(NOW_MS), PORT: '0' };
  started = startCommand(['demo'], { cwd: folder, env });
  let told = '';
  started.process.stdout?.on('data', (text: string) => {
    told += text;
  });
  await started.said('Ctrl-C stops it');
  origin = /^Drayage serves (http:\S+),/m.exec(told)?.[1] ?? assert.fail((await started.ended).stderr);
  source = {
    events: await readRows(...shoalFiles('events')),
    timeline: await readRows(...shoalFiles('timeline')),
    userpilot: await readRows('userpilot.events'),
    batch: await readTables(),
  };
});

after(async () => {
  started.process.kill('SIGTERM');
  await started.ended;
  rmSync(folder, { recursive: true, force: true });
});

const SINCE = '2026-04-01T00:00:00.000Z';
const UNTIL = '2026-04-10T00:00:00.000Z';
const BOUNDS = [microsOf(SINCE), microsOf(UNTIL)];
/** The body of Shoal's page. */
const REPLAY = {
  scope: 'replay.global',
  format: 'jsonl',
  since: '2026-04-01T00:00:00Z',
  until: '2026-04-10T00:00:00Z',
  includeEvidence: true,
  note: 'Internal warehouse backfill for April incident review',
};
const REPLAYED = [
  ...['id', 'surface', 'title', 'eventCategory', 'eventSubcategory', 'summary', 'bullets', 'owners'],
  ...['participants', 'latestEvidenceTimestamp', 'significance', 'evidence'],
];

/** As Userpilot lists them. */
const TRACKED = [
  ...['app_token', 'event_type', 'event_name', 'user_id', 'company_id', 'source', 'inserted_at', 'internal_event_id'],
  ...['hostname', 'pathname', 'screen_width', 'screen_height', 'device_type', 'user_agent', 'operating_system'],
  ...['browser', 'browser_language', 'session', 'country_code', 'metadata'],
];

/** The body of Batch's page. */
const CAMPAIGN = {
  from: '2019-08-14T22:00:00',
  to: 'now',
  events: ['push_sent', 'push_open', 'push_error'],
  ids: ['install_id', 'custom_id'],
};

describe('a client of Shoal', () => {
  it('replays nine days of April, newest first; their first moment is in, their last is out', async () => {
    const text = await fromShoal(REPLAY);
    assertLines(text, inApril(source.events), REPLAYED);
    const moments = text.trimEnd().split('\n').map(momentOf);
    assert.equal(moments.at(-1), SINCE);
    assert.ok(source.events.some((row) => row.latestEvidenceTimestamp === microsOf(UNTIL)));
    assert.ok(!moments.includes(UNTIL));
  });

  it('has timelines of organizations as CSV, within the same bounds, an event once for each of them', async () => {
    const all = inApril(source.timeline);
    const atBounds = source.timeline.filter(({ latestEvidenceTimestamp: at }) => BOUNDS.includes(at as bigint));
    const organizationIds = [...new Set([2, 1, ...atBounds.map(({ organizationId: id }) => Number(id))])];
    const asked = { scope: 'timeline.by-organization', format: 'csv', organizationIds };
    const rows = all.filter(({ organizationId: id }) => organizationIds.includes(Number(id)));
    const cells = assertCsv(await fromShoal({ ...REPLAY, ...asked }), rows, [...REPLAYED, 'organizationId']);
    const organizationsOf = (id: unknown) => cells.filter((row) => row[0] === id).map((row) => row.at(-1));
    assert.ok(
      cells.some(([id]) => organizationsOf(id).join() === '1,2'),
      'no event is of both',
    );
    assert.ok(rows.length < all.length, 'every organization was asked for');
    assert.equal(new Set(atBounds.map((row) => row.latestEvidenceTimestamp)).size, 2);
  });
});

describe('a client of Userpilot', () => {
  it('has the pages that a user saw as NDJSON, without the column it leaves out', async () => {
    const body = { from: '2026-01-01', event_type: ['page_view'], user_id: ['user-1'], exclusions: 'user_agent' };
    const { filename, text } = await fromUserpilot({ ...body, format: 'ndjson' });
    assert.equal(filename, 'export-part1.ndjson');
    const keeps = (row: Row) =>
      row.event_type === 'page_view' && row.user_id === 'user-1' && within(row, 'inserted_at', [body.from]);
    const columns = TRACKED.filter((name) => name !== 'user_agent');
    assertLines(text, ofApp('NX-DEMO0001').filter(keeps), columns);
    assert.ok(ofApp('NX-DEMO0002').some(keeps));
  });

  it('has what members of a segment did in the last 20 days as CSV', async () => {
    const from = textOf(NOW_MS - 20 * DAY_MS);
    const types = ['track', 'identify_user', 'interaction'];
    const keeps = (row: Row) =>
      types.includes(String(row.event_type)) &&
      (row.segment_ids as readonly bigint[] | null)?.includes(1n) === true &&
      within(row, 'inserted_at', [from]);
    const { filename, text } = await fromUserpilot({ from, event_type: types, segment_id: '1', format: 'csv' });
    assert.equal(filename, 'export-part1.csv');
    assertCsv(text, ofApp('NX-DEMO0001').filter(keeps), TRACKED);
    assert.ok(ofApp('NX-DEMO0002').some(keeps));
  });
});

describe('a client of Batch', () => {
  const { ids } = CAMPAIGN;

  it('has who had events of a campaign, each once', async () => {
    const text = await fromBatch('/campaign/demo-campaign/ids', CAMPAIGN);
    const wanted: Export = { ...eventsOf('BATCHDEMO'), columns: ['event_type'], order: 'rows' };
    const cells = assertCells(text, wanted);
    assert.ok(cells.length < expected(source.batch, eventsOf('BATCHDEMO')).length, 'nothing came twice in the source');
  });

  it('has the events of a campaign, push_open as push_opened, and none that is 91 days old', async () => {
    const text = await fromBatch('/campaign/demo-campaign/events', CAMPAIGN);
    const [, ...cells] = assertCells(text, eventsOf('BATCHDEMO'));
    const printed = new Set(cells.map((row) => row.at(-1)));
    assert.deepEqual([...printed].toSorted(), ['push_error', 'push_opened', 'push_sent']);
    const old = source.batch.push.filter((row) => row.app === 'BATCHDEMO' && !isRecent(row));
    assert.deepEqual(
      old.map(({ campaign, event_date: at }) => [campaign, String(at).slice(0, 19)]),
      [['demo-campaign', textOf(NOW_MS - 91 * DAY_MS).slice(0, 19)]],
    );
  });

  it('has the installations of one app, and none of the other that its key holds', async () => {
    const all = [...ids, 'advertising_id'];
    const text = await fromBatch('/userbase', { ids: all });
    const columns = ['is_optin_push', 'install_date', 'last_start_date', 'smart_segment'];
    assertCells(text, { app: 'BATCHDEMO', table: 'installs', ids: all, columns, order: 'print' });
    const others = source.batch.installs.filter(({ app }) => app === 'DEVBATCHDEMO');
    assert.ok(others.length > 0 && !others.some(({ install_id: id }) => text.includes(String(id))));
  });
});

describe('clients of all three', () => {
  it('each have their own rows when they come at once', async () => {
    const [shoal, userpilot, batch] = await Promise.all([
      fromShoal(REPLAY, 'shoal_demo_other'),
      fromUserpilot(undefined, 'userpilot_demo_2'),
      fromBatch('/campaign/demo-campaign/events', CAMPAIGN, { app: 'BATCHDEMO2', key: 'batch_rest_demo_2' }),
    ]);
    assertLines(shoal, inApril(source.events), REPLAYED);
    const since = textOf(NOW_MS - 30 * DAY_MS);
    const last30 = ofApp('NX-DEMO0002').filter((row) => within(row, 'inserted_at', [since]));
    assertCsv(userpilot.text, last30, TRACKED);
    assertCells(batch, eventsOf('BATCHDEMO2'));
  });
});

/** From the create to the file, as Shoal says it. */
async function fromShoal(body: object, key = 'shoal_demo_enterprise'): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  const jobs = '/shoal/v1/export/jobs';
  const { json: created } = await ask('POST', jobs, { status: 201, headers, body });
  const isOver = ({ data }: Answer['json']) => data.downloadUrl !== null || data.error !== null;
  const { data } = await ended(`${jobs}/${created.data.id}`, headers, isOver);
  assert.deepEqual([data.status, data.error], ['completed', null]);
  return (await ask('GET', data.downloadUrl)).text;
}

/** As Userpilot says it, whose sample has no body. */
async function fromUserpilot(body?: object, key = 'userpilot_demo'): Promise<{ filename: string; text: string }> {
  const headers = { authorization: `Token ${key}` };
  const exports = '/userpilot/api/v1/analytics/exports';
  const { json: created } = await ask('POST', exports, { status: 201, headers, body });
  const isOver = ({ status }: Answer['json']) => status === 'completed' || status === 'failed';
  const job = await ended(`${exports}/jobs/${created.job_id}`, headers, isOver);
  assert.deepEqual([job.status, job.presigned_urls.length], ['completed', 1]);
  const [{ filename, url }] = job.presigned_urls;
  return { filename, text: (await ask('GET', url)).text };
}

/** As Batch says it: the file's URL takes the key and leads to one that takes none. */
async function fromBatch(
  path: string,
  body: object,
  { app, key } = { app: 'BATCHDEMO', key: 'batch_rest_demo' },
): Promise<string> {
  const headers = { 'x-authorization': key };
  const exports = `/batch/1.0/${app}/export`;
  const { json: created } = await ask('POST', `${exports}${path}`, { status: 202, headers, body });
  const isOver = ({ status }: Answer['json']) => status !== 'CREATED' && status !== 'PENDING';
  const request = await ended(`${exports}/request/${created.requestId}`, headers, isOver);
  assert.equal(request.status, 'SUCCESS', request.error_msg);
  const redirect = await ask('GET', request.file_url, { status: 302, headers });
  return (await ask('GET', redirect.headers.get('location') ?? '')).text;
}

interface Asked {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
}

/** Fails for an answer of another status. The path may be a link, which has no host where the port was 0. */
async function ask(method: string, path: string, { status = 200, headers = {}, body }: Asked = {}): Promise<Answer> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(new URL(path, origin), {
    method,
    redirect: 'manual',
    headers: { ...type, ...headers },
    ...sent,
  });
  const text = await response.text();
  assert.equal(response.status, status, text.slice(0, 1000));
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return { status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

/** Looks ever less often until a job is over, which keeps within Shoal's hundred requests a minute; fails after half one. */
async function ended(
  path: string,
  headers: Readonly<Record<string, string>>,
  isOver: (json: Answer['json']) => boolean,
): Promise<Answer['json']> {
  for (let at = 0; at < 35; at++) {
    const { json } = await ask('GET', path, { headers });
    if (isOver(json)) return json;
    await wait(Math.min(50 * 2 ** at, 1000));
  }
  throw new Error(`${path} is not over.`);
}

async function readRows(...names: readonly string[]): Promise<Row[]> {
  const contents = await Promise.all(names.map((name) => readParquet(join(folder, 'data', 'demo', `${name}.parquet`))));
  return contents.flatMap(({ columns, rows }) =>
    rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null]))),
  );
}

/** Those that can hold a moment before `UNTIL`. */
function shoalFiles(name: string): readonly string[] {
  const isRecentLater = NOW_MS - 90 * DAY_MS >= Date.parse(UNTIL);
  return [`shoal.${name}-fixed`, ...(isRecentLater ? [] : [`shoal.${name}-recent`])];
}

async function readTables(): Promise<Tables> {
  const read = async (kind: string) => (await readRows(`batch.${kind}`)).map(batchRow);
  const [push = [], installs = []] = await Promise.all(['push', 'installs'].map(read));
  return { push, installs, transactional: [], inapp: [], reachability: [], targets: [] };
}

/** Its moments are text, as `expected` has them. */
function batchRow(row: Row): BatchRow {
  const cells = Object.entries(row).map(([name, value]) => [
    name,
    name.endsWith('_date') ? momentText(value, 3) : value,
  ]);
  return Object.fromEntries(cells);
}

/** Its first moment in and its last out, newest first; of one event by organization. */
function inApril(rows: readonly Row[]): readonly Row[] {
  const order = (a: Row, b: Row) =>
    descending(a.latestEvidenceTimestamp, b.latestEvidenceTimestamp) ||
    descending(a.id, b.id) ||
    descending(b.organizationId ?? 0n, a.organizationId ?? 0n);
  return rows.filter((row) => within(row, 'latestEvidenceTimestamp', [SINCE, UNTIL])).toSorted(order);
}

function descending(a: unknown, b: unknown): number {
  return Number((b as bigint) - (a as bigint));
}

function ofApp(app: string): readonly Row[] {
  return source.userpilot.filter((row) => row.app_token === app);
}

/** Half-open. */
function within(row: Row, column: string, [start, end = '9999-12-31']: readonly [string, string?]): boolean {
  const at = row[column] as bigint;
  return at >= microsOf(start) && at < microsOf(end);
}

function eventsOf(app: string): Export {
  const columns = ['event_date', 'event_type'];
  const order = ['event_date', 'install_id'];
  return { app, table: 'push', keeps: isOfCampaign, ids: CAMPAIGN.ids, columns, order };
}

function isOfCampaign(row: BatchRow): boolean {
  return row.campaign === 'demo-campaign' && isRecent(row);
}

function isRecent({ event_date: at }: BatchRow): boolean {
  return String(at) >= textOf(NOW_MS - 90 * DAY_MS);
}

function microsOf(moment: string): bigint {
  return BigInt(Date.parse(moment)) * 1000n;
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** ISO 8601 in UTC with three or six digits. */
function momentText(micros: unknown, digits: 3 | 6): string {
  assert.ok(typeof micros === 'bigint');
  const text = textOf(Number(micros / 1000n)).slice(0, -1);
  return `${text}${digits === 6 ? String(micros % 1000n).padStart(3, '0') : ''}Z`;
}

const JSON_COLUMNS = ['bullets', 'owners', 'participants', 'evidence', 'metadata'];
/** Of a second, by column. */
const DIGITS: Readonly<Record<string, 3 | 6>> = { latestEvidenceTimestamp: 3, inserted_at: 6 };

/** What stands in JSON, once parsed. */
function memberOf(value: unknown, name: string): unknown {
  if (value === null) return null;
  if (JSON_COLUMNS.includes(name)) return JSON.parse(String(value));
  if (DIGITS[name]) return momentText(value, DIGITS[name]);
  return typeof value === 'bigint' ? Number(value) : value;
}

/** What stands in a cell of CSV; null where it is empty and without quotes. */
function cellOf(value: unknown, name: string): string | null {
  if (value === null) return null;
  if (DIGITS[name]) return momentText(value, DIGITS[name]);
  // A float shows that it is one.
  return name === 'significance' && Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Holds JSON lines to rows in their order: every value, the names in their order, and nested JSON by its text. */
function assertLines(text: string, rows: readonly Row[], columns: readonly string[]): void {
  const lines = text.split('\n');
  assert.equal(lines.pop(), '');
  for (const [at, row] of rows.entries()) {
    const line = lines[at] ?? 'null';
    const wanted = columns.map((name) => [name, memberOf(row[name], name)]);
    assert.deepEqual(Object.entries(JSON.parse(line) ?? {}), wanted, `row ${at}`);
    for (const name of columns)
      if (JSON_COLUMNS.includes(name)) assert.ok(line.includes(`"${name}":${row[name]}`), `row ${at}: ${line}`);
  }
  assert.ok(rows.length > 0);
  assert.equal(lines.length, rows.length);
}

/** Holds a CSV with commas to rows in their order, and gives its cells without the header. */
function assertCsv(text: string, rows: readonly Row[], columns: readonly string[]): (string | null)[][] {
  const [header, ...cells] = parseCsv(text);
  assert.deepEqual(header, columns);
  for (const [at, row] of rows.entries())
    assert.deepEqual(
      cells[at],
      columns.map((name) => cellOf(row[name], name)),
      `row ${at}`,
    );
  assert.ok(rows.length > 0);
  assert.equal(cells.length, rows.length);
  return cells;
}

/** Holds a file of Batch to rows in their order, and gives its cells. */
function assertCells(text: string, wanted: Export): string[][] {
  const cells = parseCells(text);
  const rows = expected(source.batch, wanted);
  for (const [at, row] of rows.entries()) assert.deepEqual(cells[at], row, `row ${at}`);
  assert.ok(rows.length > 1);
  assert.equal(cells.length, rows.length);
  return cells;
}

function momentOf(line: string): unknown {
  return (JSON.parse(line) as Row).latestEvidenceTimestamp;
}
