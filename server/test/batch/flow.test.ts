import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { conversationsOf, replay } from '../conversations.ts';
import { checkAnswer, flaw } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
import { checkRefusal, type RequestKind, schemas } from './contract.ts';
import { type Export, expected, parseCells } from './expected.ts';
import { BatchGround, exportOf, KEYS } from './ground.ts';
import type { Row } from './rows.ts';
import { TALK } from './talk.ts';

const run = promisify(execFile);

/** The page's body, line 22, and the one of reachability, line 219. */
const PAYLOAD = `{
  "from": "2019-08-14T22:00:00",
  "to": "now",
  "events": ["push_sent", "push_open", "push_error"],
  "ids": ["install_id", "custom_id"]
}`;
const REACHABILITY = `{
  "from": "2019-08-14T22:00:00",
  "to": "now",
  "ids": ["install_id", "custom_id"]
}`;
/** Line 261, with its comma. */
const USERBASE = `{
  "ids": ["install_id", "custom_id", "advertising_id"],
}`;
const USERBASE_MENDED = USERBASE.replace('],', ']');
/** Events as line 145 has them. */
const INAPP = PAYLOAD.replace(/\[".*?\]/, '["inapp_shown","inapp_clicked","inapp_closed"]');

const ALL_IDS = ['install_id', 'custom_id', 'advertising_id'];
const TWO_IDS = ['install_id', 'custom_id'];
const DAY_MS = 86_400_000;

let ground: BatchGround;
/** What the page's samples came to, by path. */
const samples = new Map<string, Answer>();

before(async () => {
  ground = await BatchGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

/** So many days before the rows were made, in the vendor's words. */
function ago(days: number): string {
  return new Date(Date.parse(ground.now) - days * DAY_MS).toISOString().slice(0, 19);
}

const isRecent = ({ event_date }: Row) => String(event_date) > ago(90);
const of = (campaign: string) => (row: Row) => isRecent(row) && (row.campaign ?? row.group_id) === campaign;

const distinct = { ids: TWO_IDS, columns: ['event_type'], order: 'rows' } as const;
const dated = (...details: string[]) => ({
  ids: TWO_IDS,
  columns: ['event_date', 'event_type', ...details],
  order: ['event_date', 'install_id'],
});
const userbase = {
  table: 'installs',
  ids: ALL_IDS,
  columns: ['is_optin_push', 'install_date', 'last_start_date', 'smart_segment'],
  order: 'print',
} as const;

/** The page's eight calls, in its order, and the rows each must bring. */
const EIGHT: readonly [path: string, kind: RequestKind, payload: string, rows: Omit<Export, 'app'>][] = [
  ['/campaign/spring/ids', 'push', PAYLOAD, { table: 'push', keeps: of('spring'), ...distinct }],
  ['/campaign/spring/events', 'push', PAYLOAD, { table: 'push', keeps: of('spring'), ...dated() }],
  ['/transactional/resets/ids', 'push', PAYLOAD, { table: 'transactional', keeps: of('resets'), ...distinct }],
  [
    '/transactional/resets/events',
    'push',
    PAYLOAD,
    { table: 'transactional', keeps: of('resets'), ...dated('transactional_token') },
  ],
  ['/in-app-campaign/banner/ids', 'inapp', INAPP, { table: 'inapp', keeps: of('banner'), ...distinct }],
  [
    '/in-app-campaign/banner/events',
    'inapp',
    INAPP,
    { table: 'inapp', keeps: of('banner'), ...dated('cta', 'cta_position') },
  ],
  [
    '/reachability/events',
    'reachability',
    REACHABILITY,
    { table: 'reachability', keeps: isRecent, ...dated('is_reachable', 'is_optin', 'has_custom_id') },
  ],
  ['/userbase', 'userbase', USERBASE_MENDED, userbase],
];

/** The page's curl with host, keys and tokens changed. */
async function curl(url: string, payload: string, more: readonly string[] = []): Promise<Answer> {
  writeFileSync(join(ground.folder, 'payload.json'), payload);
  const fixed = ['-H', 'Content-Type: application/json', '-H', `X-Authorization: ${KEYS.rest}`];
  const sample = [...fixed, '-X', 'POST', '-d', '@payload.json', url];
  const { stdout } = await run('curl', ['-si', ...more, ...sample], { cwd: ground.folder });
  const [top = '', text = ''] = stdout.split('\r\n\r\n');
  const [first = '', ...lines] = top.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return { status: Number(first.split(' ')[1]), headers, text, json: JSON.parse(text) };
}

describe("the page's samples, from create to bytes; the rows are those of an independent query", () => {
  for (const [path, kind, payload, rows] of EIGHT)
    test(`curl ${path}`, async () => {
      const created = await curl(`${ground.url}${exportOf('LIVEAPP')}${path}`, payload);
      checkAnswer(created, 202, schemas.created);
      const id = created.json.requestId;
      const done = await ground.settled(id);
      checkAnswer(done, 200, schemas.status(kind, 'success'));
      samples.set(path, done);
      assert.equal(done.json.id, id);
      assert.equal(done.json.uri, `/batch/1.0/LIVEAPP${path}`);
      assert.deepEqual(done.json.request, JSON.parse(payload));
      assert.equal(done.headers.has('retry-after'), false);
      const cells = parseCells(await ground.fileOf(done.json.file_url));
      assert.deepEqual(cells, expected(ground.tables, { ...rows, app: 'LIVEAPP' }));
      assert.ok(cells.length > 20);
    });

  test('the printed userbase body is no JSON', async () => {
    const answer = await curl(`${ground.url}${exportOf('LIVEAPP')}/userbase`, USERBASE);
    assert.equal(checkRefusal(answer, 'MALFORMED_JSON_BODY'), 'The body is not valid JSON.');
  });

  test('at a host name of its own, without a prefix; a file is named by kind and request', async () => {
    const url = `${ground.url}/1.0/DEVAPP/export/userbase`;
    const created = await curl(url, USERBASE_MENDED, ['-H', 'Host: batch.localhost:4400']);
    checkAnswer(created, 202, schemas.created);
    const id = created.json.requestId;
    const { json } = await ground.settled(id, { app: 'DEVAPP' });
    const results = `https://exports.example.com/batch/1.0/DEVAPP/export/request/${id}/results`;
    assert.equal(json.file_url, `${results}/userbase-${id}.csv`);
    const redirect = await ground.call('GET', json.file_url);
    assert.deepEqual([redirect.status, redirect.text], [302, '']);
    const file = await ground.call('GET', redirect.headers.get('location') ?? '', { key: 'left on it' });
    assert.equal(file.headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.equal(file.headers.get('content-disposition'), `attachment; filename="userbase-${id}.csv"`);
    assert.match(file.text, /\ninstall-1-1;.*;true;\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d;/);
    assert.deepEqual(parseCells(file.text), expected(ground.tables, { ...userbase, app: 'DEVAPP' }));
  });
});

describe('what is asked for is what is printed', () => {
  const ALL = { from: '2019-08-14T22:00:00', to: 'now' };

  test('only those events and ids, ids in their fixed order', async () => {
    const ids = ['advertising_id', 'install_id', 'install_id'];
    const body = { ...ALL, events: ['push_open', 'push_opened'], ids };
    const cells = parseCells(await ground.exported('/campaign/spring/events', body, { app: 'DEVAPP' }));
    assert.deepEqual(cells[0], ['install_id', 'advertising_id', 'event_date', 'event_type']);
    assert.ok(cells.length > 10);
    const keeps = (row: Row) => of('spring')(row) && row.event_type === 'push_opened';
    const wanted: Export = { app: 'DEVAPP', table: 'push', keeps, ...dated(), ids };
    assert.deepEqual(cells, expected(ground.tables, wanted));
  });

  test('ids are distinct over what is printed', async () => {
    const body = { ...ALL, events: ['push_sent', 'push_error'], ids: ['advertising_id'] };
    const cells = parseCells(await ground.exported('/campaign/spring/ids', body));
    const keeps = (row: Row) => of('spring')(row) && row.event_type !== 'push_opened';
    const wanted: Export = { app: 'LIVEAPP', table: 'push', keeps, ...distinct, ids: ['advertising_id'] };
    assert.deepEqual(cells, expected(ground.tables, wanted));
    assert.equal(cells.length, new Set(cells.map((row) => JSON.stringify(row))).size);
    const all = ground.tables.push.filter((row) => row.app === 'LIVEAPP' && keeps(row));
    assert.ok(cells.length < all.length, 'nothing came twice in the source');
  });

  test('windows are half-open: the start is in, the end is out', async () => {
    const dates = ground.tables.push
      .filter((row) => row.app === 'LIVEAPP' && of('spring')(row))
      .map(({ event_date }) => String(event_date))
      .filter((date) => date.endsWith('.000Z'))
      .toSorted();
    const [from = '', to = ''] = [dates[10], dates[30]];
    const body = { from: from.slice(0, 19), to: to.slice(0, 19), events: ['push_sent', 'push_open', 'push_error'] };
    const text = await ground.exported('/campaign/spring/events', { ...body, ids: TWO_IDS });
    const keeps = (row: Row) => of('spring')(row) && String(row.event_date) >= from && String(row.event_date) < to;
    const cells = parseCells(text);
    assert.deepEqual(cells, expected(ground.tables, { app: 'LIVEAPP', table: 'push', keeps, ...dated() }));
    assert.ok(cells.length > 5);
  });

  test('what lies before the lookback is empty, not refused', async () => {
    const body = { from: ago(200), to: ago(90.5), events: ['push_sent'], ids: ['install_id'] };
    const text = await ground.exported('/campaign/spring/events', body);
    assert.equal(text, 'install_id;event_date;event_type\n');
  });
});

test('two accounts at once each get their own rows, and nothing of the other', async () => {
  const body = { from: ago(60), to: 'now', events: ['push_sent'], ids: TWO_IDS };
  const keeps = (row: Row) =>
    of('summer')(row) && row.event_type === 'push_sent' && String(row.event_date) >= `${ago(60)}.000Z`;
  const wanted = (app: string): Export => ({ app, table: 'push', keeps, ...dated() });
  const path = '/campaign/summer/events';
  const both = [
    { app: 'LIVEAPP', key: KEYS.rest },
    { app: 'OTHERAPP', key: KEYS.other },
  ];
  const ids = await Promise.all(both.map((asked) => ground.create(path, body, asked)));
  const done = await Promise.all(both.map((asked, at) => ground.settled(ids[at] ?? '', asked)));
  for (const [at, { app, key }] of both.entries()) {
    const { file_url } = done[at]?.json ?? {};
    const theirs = both[1 - at];
    const foreign = await ground.call('GET', file_url.replace(app, theirs?.app ?? ''), { key: theirs?.key ?? '' });
    const unknown = await ground.call('GET', `${exportOf(app)}/request/x/results/x.csv`, { key });
    assert.deepEqual([foreign.status, foreign.text], [404, unknown.text]);
    assert.deepEqual(parseCells(await ground.fileOf(file_url, key)), expected(ground.tables, wanted(app)));
  }
});

describe('the contract', () => {
  test('misses every property that is taken from an answer, and sees any that is put in', async () => {
    const done = samples.get('/campaign/spring/events');
    const whole = schemas.status('push', 'success');
    assert.ok(done);
    checkAnswer(done, 200, whole);
    assert.notEqual(flaw(schemas.created, {}), null);
    for (const name of Object.keys(done.json)) {
      const { [name]: _, ...rest } = done.json;
      assert.notEqual(flaw(whole, rest), null, name);
    }
    for (const name of Object.keys(done.json.request)) {
      const { [name]: _, ...rest } = done.json.request;
      assert.notEqual(flaw(whole, { ...done.json, request: rest }), null, name);
    }
    assert.notEqual(flaw(whole, { ...done.json, run: 1 }), null);
    assert.notEqual(flaw(whole, { ...done.json, status: 'RUNNING' }), null);
  });

  test('is told by the server itself, too', async () => {
    const { json } = await ground.call('GET', '/batch/openapi.json', { key: null });
    assert.equal(json.openapi, '3.1.0');
    const created = EIGHT.map(([path]) => path.replace(/(campaign|transactional)\/\w+/, '$1/{token}'));
    const others = ['/request/{id}', '/request/{id}/results/{name}.csv'];
    const wanted = [...created, ...others].map((path) => `/1.0/{apiKey}/export${path}`);
    assert.deepEqual(Object.keys(json.paths).toSorted(), wanted.toSorted());
    assert.deepEqual(json.components.securitySchemes.key, { type: 'apiKey', in: 'header', name: 'X-Authorization' });
  });
});

test('a request that fails says so, and nothing of what lies behind it', async () => {
  writeFileSync(join(ground.folder, 'reachability.jsonl'), '{"app": "LIVEAPP", "event_date": "no date"}\n');
  const id = await ground.create('/reachability/events', JSON.parse(REACHABILITY));
  const done = await ground.settled(id);
  checkAnswer(done, 200, schemas.status('reachability', 'error'));
  assert.equal(done.json.error_msg, 'SERVER_ERROR: This failed for a reason on our side; try again later.');
  const result = await ground.call('GET', `${exportOf('LIVEAPP')}/request/${id}/results/x.csv`);
  assert.match(checkRefusal(result, 'ROUTE_NOT_FOUND'), /has no file/);
});

describe('recorded conversations', () => {
  for (const name of conversationsOf('batch')) test(name, () => replay(ground, TALK, name));
});
