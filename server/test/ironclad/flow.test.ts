import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { checkAnswer, flaw } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
import { SCHEMAS } from './contract.ts';
import { CONNECTION, customColumns, expected, parseCells, STANDARD } from './expected.ts';
import { EVIDENCE, IroncladGround, KEYS } from './ground.ts';
import type { Activity } from './rows.ts';

const run = promisify(execFile);

/** The page's body, lines 122 to 161. */
const SAMPLE = `{
  "start_date": "2022-10-06T00:00:00.000Z",
  "end_date": "2022-10-06T00:00:00.000Z",
  "sort": "-created_time",
  "select": {
    "standard": [
      "uuid",
      "created_time",
      "batch",
      "session",
      "event_time",
      "contract",
      "version"
    ]
  },
  "filter": {
    "contract": {
      "_id": 1
    },
    "and": [
      {
        "version_number": {
          "$gt": 1
        }
      },
      {
        "version_number": {
          "$lte": 3
        }
      }
    ]
  },
  "connection_all": true,
  "custom_all": true,
  "export_types": [
    "clickwrap_activities",
    "clickwrap_activities_as_pdfs"
  ]
}`;
const SAMPLE_STANDARD = ['uuid', 'created_time', 'batch', 'session', 'event_time', 'contract', 'version'];

const DAY = { start_date: '2022-10-06T00:00:00.000Z', end_date: '2022-10-06T23:59:59.999Z' };
const AUTUMN = { start_date: '2022-09-01T00:00:00Z', end_date: '2022-11-30T23:59:59Z' };

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

const within =
  ({ start_date, end_date }: typeof DAY) =>
  ({ created_time }: Activity) =>
    Date.parse(created_time) >= Date.parse(start_date) && Date.parse(created_time) <= Date.parse(end_date);

const ofSample = (row: Activity) =>
  within(DAY)(row) && row.contract === 1 && row.version_number > 1 && row.version_number <= 3;

const connection = CONNECTION.map((name) => `connection_data.${name}`);

/** The page's curl with host and token changed. */
async function curl(url: string, payload: string, more: readonly string[] = []): Promise<Answer> {
  writeFileSync(join(ground.folder, 'payload.json'), payload);
  const fixed = ['-H', 'Content-Type: application/json', '-H', `Authorization: Bearer ${KEYS.first}`];
  const { stdout } = await run('curl', ['-si', ...more, ...fixed, '-X', 'POST', '-d', '@payload.json', url], {
    cwd: ground.folder,
  });
  const [top = '', text = ''] = stdout.split('\r\n\r\n');
  const [first = '', ...lines] = top.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return { status: Number(first.split(' ')[1]), headers, text, json: JSON.parse(text) };
}

describe("the page's sample", () => {
  test('gives the documented job and in the end its rows', async () => {
    const created = await curl(`${ground.url}${EVIDENCE}`, SAMPLE);
    checkAnswer(created, 201, SCHEMAS.job);
    const { id, created_time, updated_time, ...rest } = created.json;
    assert.deepEqual(rest, {
      job_name: 'ExtractEvidenceCSV',
      status: 'pending',
      source: 'api',
      account: 901,
      site: 1,
      created_by: 31,
      active: true,
      message: 'Export job is currently pending.',
      data: JSON.parse(SAMPLE),
      retry_count: 0,
    });
    assert.equal(updated_time, created_time);
    const done = await ground.settled(id);
    checkAnswer(done, 200, SCHEMAS.job);
    assert.deepEqual([done.json.status, done.json.message], ['success', 'Export job was successful.']);
    const urls = await ground.get(`${EVIDENCE}/${id}/urls`);
    checkAnswer(urls, 200, SCHEMAS.urls);
    assert.deepEqual(urls.json.presignedUrls, [
      ...urls.json.clickwrap_activities,
      ...urls.json.clickwrap_activities_as_pdfs,
    ]);
    const file = await ground.call('GET', urls.json.clickwrap_activities[0], { key: null });
    assert.equal(file.headers.get('content-type'), 'text/csv; charset=utf-8');
    const name = `attachment; filename="clickwrap_activities-${id}.csv"`;
    assert.equal(file.headers.get('content-disposition'), name);
    const columns = [...SAMPLE_STANDARD, ...connection, ...customColumns(ground.of(1), ofSample)];
    const wanted = expected({ rows: ground.of(1), keeps: ofSample, columns });
    assert.deepEqual(parseCells(file.text), wanted);
    assert.equal(wanted.length, 1 + 6);
    const page = await ground.get(`${EVIDENCE}?page=1`);
    checkAnswer(page, 200, SCHEMAS.jobs);
    assert.ok(page.json.data.some((each: { id: string }) => each.id === id));
  });

  test('at a host name of its own, without a prefix', async () => {
    const payload = JSON.stringify({ ...JSON.parse(SAMPLE), export_types: ['clickwrap_activities'] });
    const host = ['-H', 'Host: ironclad.localhost:4400'];
    const created = await curl(`${ground.url}/v1.1/extract/evidence`, payload, host);
    checkAnswer(created, 201, SCHEMAS.job);
  });
});

describe('columns', () => {
  test('of all four groups, in the order that is asked for, and in their own for _all', async () => {
    const select = {
      standard: ['group', 'batch', 'id', 'batch'],
      connection: ['remote_address', 'page_url'],
      custom: ['vip', 'nobody has it', 'address', 'company "name", ltd'],
      render: ['price'],
    };
    const columns = [
      ...['group', 'batch', 'id', 'connection_data.remote_address', 'connection_data.page_url', 'custom_data.vip'],
      ...['custom_data.nobody has it', 'custom_data.address', 'custom_data.company "name", ltd', 'render_data.price'],
    ];
    const rows = ground.of(1);
    const keeps = within(AUTUMN);
    const cells = parseCells(await ground.csv({ ...AUTUMN, select, standard_all: false }));
    assert.deepEqual(cells, expected({ rows, keeps, columns }));
    assert.ok(cells.length > 100);
    const all = { standard_all: true, connection_all: true, custom_all: true };
    const whole = parseCells(await ground.csv({ ...AUTUMN, select, ...all }));
    const wide = [...STANDARD, ...connection, ...customColumns(rows, keeps), 'render_data.price'];
    assert.deepEqual(whole, expected({ rows, keeps, columns: wide }));
  });

  test('whose names differ in upper and lower case alone are all there', async () => {
    const rows = ground.of(1);
    const keeps = within(AUTUMN);
    const custom = ['vip', 'Vip', 'VIP', 'VIP 2', 'vIP'];
    const columns = ['id', ...custom.map((name) => `custom_data.${name}`)];
    const cells = parseCells(await ground.csv({ ...AUTUMN, select: { standard: ['id'], custom } }));
    assert.deepEqual(cells, expected({ rows, keeps, columns }));
    assert.ok(customColumns(rows, keeps).filter((name) => name.toLowerCase() === 'custom_data.vip').length === 3);
  });

  test('are all standard ones where none is chosen', async () => {
    for (const none of [{}, { select: {} }, { select: { standard: [] }, standard_all: null }]) {
      const cells = parseCells(await ground.csv({ ...DAY, sort: 'created_time', ...none }));
      const wanted = expected({ rows: ground.of(1), keeps: within(DAY), direction: 'asc', columns: STANDARD });
      assert.deepEqual(cells, wanted);
    }
  });

  test('order by names that are words of SQL', async () => {
    for (const sort of ['group', '-group']) {
      const cells = parseCells(await ground.csv({ ...AUTUMN, sort, select: { standard: ['group'] } })).slice(1);
      const groups = cells.map(([group = '']) => group);
      const known = groups.filter((group) => group !== '').map(Number);
      assert.deepEqual(
        known,
        known.toSorted((a, b) => (sort === 'group' ? a - b : b - a)),
      );
      assert.deepEqual(groups.slice(known.length), groups.slice(known.length).fill(''));
      assert.ok(known.length > 50 && groups.length > known.length);
    }
  });

  test('of keys that no row has are none', async () => {
    const body = { ...DAY, filter: { signer_id: 'nobody' }, custom_all: true, select: { standard: ['id'] } };
    assert.equal(await ground.csv(body), 'id\n');
    assert.equal(await ground.csv({ ...body, select: null }), `${STANDARD.join(',')}\n`);
  });
});

describe('ranges', () => {
  const ids = async (range: object) =>
    parseCells(await ground.csv({ ...range, select: { standard: ['id'] } }))
      .slice(1)
      .map(([id = '']) => id);
  const wanted = (keeps: (row: Activity) => boolean) =>
    expected({ rows: ground.of(1), keeps, columns: ['id'] })
      .slice(1)
      .map(([id = '']) => id);

  test('are closed at both ends, and two equal midnights are the day', async () => {
    const midnight = '2022-10-06T00:00:00.000Z';
    const last = '2022-10-06T23:59:59.999Z';
    const at = (instant: string) => wanted(({ created_time }) => created_time === instant);
    assert.ok(at(last).length >= 4);
    assert.deepEqual(await ids({ start_date: midnight, end_date: midnight }), wanted(within(DAY)));
    assert.deepEqual(await ids({ start_date: last, end_date: last }), at(last));
    assert.deepEqual(
      await ids({ start_date: '2022-10-06T02:00:00+02:00', end_date: '2022-10-06T00:00:00Z' }),
      wanted(within(DAY)),
    );
    const noon = '2022-10-06T12:00:00.000Z';
    assert.deepEqual(await ids({ start_date: noon, end_date: noon }), at(noon));
    assert.deepEqual(
      await ids({ ...DAY, start_date: '2022-10-06T00:00:00.001Z' }),
      wanted((row) => within(DAY)(row) && row.created_time > midnight),
    );
    assert.deepEqual(
      await ids({ ...DAY, end_date: '2022-10-06T23:59:59.998999Z' }),
      wanted((row) => within(DAY)(row) && row.created_time < last),
    );
  });

  test('end now where no end is named', async () => {
    const start_date = new Date(Date.parse(ground.now) - 90 * 86_400_000).toISOString();
    const recent = await ids({ start_date });
    assert.deepEqual(
      recent,
      wanted(({ created_time }) => created_time >= start_date),
    );
    assert.ok(recent.length > 50);
  });
});

test('a large export comes in several files of whole rows', async () => {
  // Guarded, the rows of a file are looked up in a list, some of them in another chunk.
  const ironclad = { rowsPerFile: 1000, formulaGuard: true };
  await using split = await IroncladGround.open({ ironclad, autumnRows: 2400, sites: [1] });
  const id = await split.create({ ...AUTUMN, select: { standard: ['id'] } });
  const { clickwrap_activities: texts = [] } = await split.files(id);
  const parts = texts.map(parseCells);
  const cells = expected({ rows: split.of(1), keeps: within(AUTUMN), columns: ['id'] });
  assert.deepEqual([['id'], ...parts.flatMap((rows) => rows.slice(1))], cells);
  assert.ok(parts.length >= 3 && parts.every((rows) => rows.length <= 1001), `${parts.map(({ length }) => length)}`);
  const { json } = await split.get(`${EVIDENCE}/${id}/urls`);
  const names = json.presignedUrls.map((url: string) => new URL(url).pathname.split('/').at(-1));
  assert.deepEqual(
    names,
    parts.map((_, at) => `clickwrap_activities-${id}-${at + 1}.csv`),
  );
});

test('two sites at once each get their own rows', async () => {
  const body = { ...DAY, select: { standard: ['id', 'site'] } };
  const keys = [KEYS.first, KEYS.other];
  const texts = await Promise.all(keys.map((key) => ground.csv(body, key)));
  for (const [at, site] of [1, 2].entries()) {
    const wanted = expected({ rows: ground.of(site), keeps: within(DAY), columns: ['id', 'site'] });
    assert.deepEqual(parseCells(texts[at] ?? ''), wanted);
  }
});

test('settings: TRUE and FALSE, a guard against formulas', async () => {
  const ironclad = { booleans: 'TRUE', formulaGuard: true };
  await using guarded = await IroncladGround.open({ ironclad, sites: [1], without: ['sites'] });
  const select = { standard: ['id', 'signer_id'], custom: ['vip'] };
  const cells = parseCells(await guarded.csv({ ...AUTUMN, select }));
  const columns = ['id', 'signer_id', 'custom_data.vip'];
  const wanted = expected({ rows: guarded.of(1), keeps: within(AUTUMN), columns }).map(
    ([id, signer = '', vip = ''], at) => (at === 0 ? columns : [id, signer.replace(/^(?==)/, "'"), vip.toUpperCase()]),
  );
  assert.deepEqual(cells, wanted);
  assert.ok(wanted.some(([, signer]) => signer?.startsWith("'=")));
  // Without a row of the site, the settings say whose it is.
  const { json } = await guarded.call('POST', EVIDENCE, { body: DAY });
  assert.deepEqual([json.site, json.account], [1, 0]);
});

test('the contract misses every property that is taken from a job, and sees any that is put in', async () => {
  const { json } = await ground.call('POST', EVIDENCE, { body: DAY });
  assert.equal(flaw(SCHEMAS.job, json), null);
  for (const name of Object.keys(json)) {
    const { [name]: _, ...rest } = json;
    assert.notEqual(flaw(SCHEMAS.job, rest), null, name);
  }
  assert.notEqual(flaw(SCHEMAS.job, { ...json, run: 1 }), null);
  assert.notEqual(flaw(SCHEMAS.job, { ...json, status: 'queued' }), null);
});

test('the contract is told by the server itself, too', async () => {
  const { json } = await ground.call('GET', '/ironclad/openapi.json', { key: null });
  assert.equal(json.openapi, '3.1.0');
  assert.deepEqual(Object.keys(json.paths).toSorted(), [
    '/v1.1/activity',
    '/v1.1/activity/record/session/{id}',
    '/v1.1/activity/{id}',
    '/v1.1/activity/{id}/record',
    '/v1.1/extract/evidence',
    '/v1.1/extract/evidence/{id}',
    '/v1.1/extract/evidence/{id}/urls',
    '/v1.1/sites/{id}/exportFields',
    '/v1.1/tasks/export/activity',
    '/v1.1/tasks/export/{id}',
  ]);
  assert.deepEqual(json.components.securitySchemes.key, { type: 'http', scheme: 'bearer' });
});
