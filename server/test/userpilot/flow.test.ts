import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, describe, it, mock } from 'node:test';
import type { Answer } from '../server-ground.ts';
import { BASE, EXPORTS, KEYS, UserpilotGround } from './ground.ts';
import { downloadAll, expected } from './read-file.ts';
import { APPS, type EventRow } from './rows.ts';

/** As the vendor lists them, in its order. */
const COLUMNS = [
  ...['app_token', 'event_type', 'event_name', 'user_id', 'company_id', 'source', 'inserted_at', 'internal_event_id'],
  ...['hostname', 'pathname', 'screen_width', 'screen_height', 'device_type', 'user_agent', 'operating_system'],
  ...['browser', 'browser_language', 'session', 'country_code', 'metadata'],
];

const DAY_MS = 86_400_000;
const NOBODYS = '00000000-0000-4000-8000-000000000000';

let ground: UserpilotGround;
/** Before every event. */
let from: string;

before(async () => {
  ground = await UserpilotGround.open({ perApp: 1300, userpilot: { rowsPerFile: 1000 } });
  from = daysAgo(50);
});

after(() => ground[Symbol.asyncDispose]());

afterEach(() => mock.timers.reset());

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}

function rowsOf(app: string): EventRow[] {
  return ground.events.filter((row) => row.app_token === app);
}

interface Wanted {
  readonly body: object;
  readonly rows: readonly EventRow[];
  readonly key?: string;
  readonly columns?: readonly string[];
}

/** Creates, polls, downloads without a key, and holds every row to those of the ground. */
async function compare({ body, rows, key = KEYS.first, columns = COLUMNS }: Wanted) {
  const job = await ground.exported(body, key);
  const parts = await downloadAll(ground, job);
  for (const part of parts) assert.deepEqual(part.columns, columns);
  const isNested = parts[0]?.filename.endsWith('ndjson') ?? false;
  const sorted = (cells: readonly (readonly (string | null)[])[]) => cells.map((row) => JSON.stringify(row)).sort();
  const want = sorted(rows.map((row) => expected(row, columns, isNested)));
  assert.ok(want.length > 0, 'nothing would be compared');
  assert.deepEqual(sorted(parts.flatMap((part) => part.rows)), want);
  return parts;
}

/** All of an answer but what differs from one to the next. */
function steady({ status, headers, text }: Answer): string {
  const said = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return JSON.stringify([status, said, text.replaceAll(/req_[0-9a-z]+/g, 'req')]);
}

async function idsOf(key: string): Promise<string[]> {
  const { json } = await ground.call('GET', `${EXPORTS}/jobs`, { key });
  return json.map(({ job_id: id }: { job_id: string }) => id);
}

describe('two apps', () => {
  it('make jobs side by side and never hear of each other', async () => {
    const [first, other] = await Promise.all([ground.exported({}), ground.exported({}, KEYS.other)]);
    assert.deepEqual([first.app_token, other.app_token], APPS);
    // Every key of an app sees its jobs.
    assert.deepEqual([await idsOf(KEYS.first), await idsOf(KEYS.second)], [[first.job_id], [first.job_id]]);
    assert.deepEqual(await idsOf(KEYS.other), [other.job_id]);
    assert.equal((await ground.call('GET', `${EXPORTS}/jobs/${first.job_id}`, { key: KEYS.second })).status, 200);
    for (const slash of ['', '/']) {
      const foreign = await ground.call('GET', `${EXPORTS}/jobs/${first.job_id}${slash}`, { key: KEYS.other });
      const unknown = await ground.call('GET', `${EXPORTS}/jobs/${NOBODYS}${slash}`, { key: KEYS.other });
      assert.equal(foreign.status, 404);
      assert.equal(steady(foreign), steady(unknown));
    }
    for (const [job, own] of [
      [first, APPS[0]],
      [other, APPS[1]],
    ] as const) {
      const { bytes } = await ground.download(job.presigned_urls[0].url);
      const lines = bytes.toString().split('\n').slice(1, -1);
      assert.ok(lines.some((line) => line.startsWith(own)));
      assert.equal(
        lines.some((line) => APPS.some((app) => app !== own && line.includes(app))),
        false,
      );
    }
  });

  it('cannot turn links into each other', async () => {
    const [first, other] = await Promise.all([ground.exported({}), ground.exported({}, KEYS.other)]);
    const [own, foreign] = [first, other].map((job) => new URL(job.presigned_urls[0].url));
    assert.ok(own && foreign);
    const swapped = [
      `${foreign.pathname}${own.search}`,
      `${own.pathname}${foreign.search}`,
      own.href.replace(/key=\d+/, 'key=3').replace(BASE, ''),
      own.href.replace(/expires=\d+/, 'expires=9999999999').replace(BASE, ''),
      own.href.replace('part1', 'part2').replace(BASE, ''),
    ];
    const answers = await Promise.all(swapped.map((path) => ground.call('GET', path, { key: null })));
    for (const answer of answers) assert.equal(answer.status, 403, answer.text);
    assert.equal(new Set(answers.map(steady)).size, 1);
    assert.equal((await ground.download(own.href)).status, 200);
  });

  it('are reached by a host name of the dialect as well', async () => {
    const { port } = new URL(ground.url);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'userpilot.test', authorization: `Token ${KEYS.first}` };
      const asked = request({ port, host: '127.0.0.1', path: `${EXPORTS}/jobs/`, headers, agent: false });
      asked.on('response', (response) => resolve(response.resume().statusCode));
      asked.on('error', reject).end();
    });
    assert.equal(status, 200);
  });
});

describe('an export', () => {
  const TYPES = {
    csv: 'text/csv; charset=utf-8',
    ndjson: 'application/x-ndjson',
    parquet: 'application/vnd.apache.parquet',
    avro: 'application/vnd.apache.avro',
  };

  for (const [format, type] of Object.entries(TYPES))
    it(`has every row and column as ${format}, in files of so many rows`, async () => {
      const parts = await compare({ body: { from, format }, rows: rowsOf(APPS[0]) });
      assert.ok(parts.length >= 2, `${parts.length} files`);
      for (const [at, part] of parts.entries()) {
        assert.equal(part.filename, `export-part${at + 1}.${format}`);
        assert.equal(part.contentType, type);
        assert.ok(part.rows.length <= 1000 && part.rows.length > 0);
      }
      // Values in JSON stay as they were written.
      if (format !== 'parquet' && format !== 'avro') assert.match(parts[0]?.bytes.toString() ?? '', /"n"+:1\.10,/);
    });

  it('is of the last 30 days as CSV when nothing is asked, and of the own app', async () => {
    const since = daysAgo(30);
    const parts = await compare({
      body: {},
      rows: rowsOf(APPS[1]).filter((row) => row.inserted_at >= since),
      key: KEYS.other,
    });
    assert.equal(parts[0]?.filename, 'export-part1.csv');
  });

  it('has both ends of its range', async () => {
    const [last, ...others] = rowsOf(APPS[0]).slice(100, 140);
    const first = others.at(-1);
    const body = { from: first?.inserted_at, to: last?.inserted_at, format: 'ndjson' };
    const parts = await compare({ body, rows: rowsOf(APPS[0]).slice(100, 140) });
    assert.deepEqual([parts.length, parts[0]?.filename, parts[0]?.rows.length], [1, 'export-part1.ndjson', 40]);
  });

  it('is of what any value of a list, and every list, names', async () => {
    const types = ['page_view', 'track'];
    const body = {
      from,
      event_type: types,
      user_id: ['user-1', 'user-2'],
      company_id: ['company-1', ''],
      format: 'csv',
    };
    const isWanted = ({ event_type, user_id, company_id }: EventRow) =>
      types.includes(event_type) &&
      body.user_id.includes(user_id ?? 'none') &&
      body.company_id.includes(company_id ?? 'none');
    await compare({ body, rows: rowsOf(APPS[0]).filter(isWanted) });
  });

  it('is of a segment', async () => {
    const members = rowsOf(APPS[0]).filter((row) => row.segment_ids.includes(7));
    await compare({ body: { from, segment_id: 7, format: 'ndjson' }, rows: members });
  });

  it('leaves out the event types and columns that are excluded', async () => {
    const body = { from, exclusions: 'metadata, track,user_agent ,session_start', format: 'parquet' };
    const rows = rowsOf(APPS[0]).filter(({ event_type: type }) => !['track', 'session_start'].includes(type));
    await compare({ body, rows, columns: COLUMNS.filter((name) => !['metadata', 'user_agent'].includes(name)) });
  });

  it('of nothing is one file with a header, and stands first in the list', async () => {
    const job = await ground.exported({ from: '2001-01-01', to: '2001-01-02' });
    const [part, ...others] = await downloadAll(ground, job);
    assert.deepEqual([others, part?.rows, part?.columns], [[], [], COLUMNS]);
    const { json } = await ground.call('GET', `${EXPORTS}/jobs/`);
    assert.deepEqual([json[0].job_id, json[0].status], [job.job_id, 'completed']);
    const starts = json.map(({ start_time: at }: { start_time: string }) => at);
    assert.deepEqual(starts, [...starts].sort().reverse());
  });
});

describe('the clocks', () => {
  /** Milliseconds since 1970 of what the store holds. */
  function stored(sql: string, id: string): number {
    using database = ground.database();
    return Date.parse(String(Object.values(database.prepare(sql).get(id) ?? {})[0]));
  }

  it('let a URL live for two days, and the job for three', async () => {
    const { job_id: id } = await ground.exported({});
    const created = stored('select created_at from jobs where reference = ?', id);
    const expires = stored(
      'select expires_at from files join runs on runs.id = run_id join jobs on jobs.id = job_id where reference = ?',
      id,
    );
    const finished = stored('select finished_at from runs join jobs on jobs.id = job_id where reference = ?', id);
    assert.ok(Math.abs(expires - finished - 2 * DAY_MS) < 60_000);

    mock.timers.enable({ apis: ['Date'], now: Math.floor(expires / 1000) * 1000 - 1 });
    const late = (await ground.call('GET', `${EXPORTS}/jobs/${id}`)).json.presigned_urls[0].url;
    assert.equal((await ground.download(late)).status, 200);
    mock.timers.setTime(expires);
    const dead = await ground.call('GET', late, { key: null });
    assert.deepEqual([dead.status, dead.json.errors[0].error_code], [403, 'url_expired']);

    const job = await ground.call('GET', `${EXPORTS}/jobs/${id}`);
    assert.deepEqual([job.status, job.json.status, job.json.presigned_urls.length], [200, 'completed', 1]);
    assert.equal((await ground.call('GET', job.json.presigned_urls[0].url, { key: null })).status, 403);

    mock.timers.setTime(created + 3 * DAY_MS - 1);
    assert.equal((await ground.call('GET', `${EXPORTS}/jobs/${id}`)).status, 200);
    assert.ok((await idsOf(KEYS.first)).includes(id));
    mock.timers.setTime(created + 3 * DAY_MS);
    const gone = await ground.call('GET', `${EXPORTS}/jobs/${id}`);
    assert.equal(gone.status, 404);
    assert.equal(steady(gone), steady(await ground.call('GET', `${EXPORTS}/jobs/${NOBODYS}`)));
    assert.deepEqual(await idsOf(KEYS.first), []);
  });
});

describe('the list', () => {
  it('has every job that is known, however many', async () => {
    await using many = await UserpilotGround.open({ perApp: 1, dispatches: false });
    const { json } = await many.create({});
    // The same job again and again, each time under an id a little later than the one before.
    await many.writing((database) => {
      for (const [table, more] of [
        ['jobs', ", reference = 'copy ' || n"],
        ['runs', ", exclusive = null, job_id = substr(job_id, 1, 20) || printf('%010d', n)"],
      ] as const) {
        database.exec(`create temp table copies as select * from ${table}`);
        for (let n = 1; n <= 2001; n++)
          database.exec(`update copies set id = substr(id, 1, 20) || printf('%010d', ${n})${more.replaceAll(/\bn\b/g, `${n}`)};
          insert into ${table} select * from copies`);
        database.exec('drop table copies');
      }
    });
    const listed: string[] = (await many.call('GET', `${EXPORTS}/jobs`)).json.map(
      ({ job_id: id }: { job_id: string }) => id,
    );
    assert.equal(listed.length, 2002);
    const copies = Array.from({ length: 2001 }, (_, at) => `copy ${at + 1}`);
    assert.deepEqual(new Set(listed), new Set([json.job_id, ...copies]));
  });
});
