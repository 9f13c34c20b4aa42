import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Db } from '../../src/db/db.ts';
import { EVENTS } from '../../src/request/userpilot/shapes.ts';
import { Tenants } from '../../src/tenant/queries.ts';
import { replay } from '../conversations.ts';
import type { Answer, Asked } from '../server-ground.ts';
import { hold } from './contract.ts';
import { BASE, EXPORTS, JSON_TYPE, KEYS, UserpilotGround } from './ground.ts';
import { APPS } from './rows.ts';
import { TALK } from './talk.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Accepts jobs and begins none. */
let ground: UserpilotGround;

before(async () => {
  ground = await UserpilotGround.open({ dispatches: false });
});

after(() => ground[Symbol.asyncDispose]());

/** Holds a refusal to the envelope and gives its message. */
function check(answer: Answer, status: number, code: string): string {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  hold('refusal', answer.json);
  const [{ error_code: said, message, details }] = answer.json.errors;
  assert.equal(said, code, answer.text);
  assert.equal(details, `Request ${answer.headers.get('x-request-id')}`);
  assert.doesNotMatch(answer.text, /select |insert |\.ts:|node_modules|parquet'|request\.|auth\.|tier\.|userpilot\./i);
  return message;
}

/** Asks `POST /path` and the like, and gives the message of the refusal. */
async function refused(status: number, code: string, asked: string, how: Asked = {}): Promise<string> {
  const [method = '', path = ''] = asked.split(/ (.*)/);
  return check(await ground.call(method, path, how), status, code);
}

describe('a job that waits', () => {
  it('is talked about as it was recorded', () => replay(ground, TALK, 'held.json'));

  it('is answered as it says: 201 with every field, as JSON', async () => {
    // The limit is the app's: the job that waits for the other one holds nothing up.
    assert.equal((await ground.call('GET', `${EXPORTS}/jobs`, { key: KEYS.other })).json.length, 1);
    const { status, head, json } = await ground.curl(KEYS.first, ...JSON_TYPE, '-d', '{}');
    assert.equal(status, 201);
    assert.match(head, /^content-type: application\/json/im);
    hold('created', json);
    assert.match(json.job_id, UUID);
    assert.equal(json.environment_app_token, APPS[0]);
    assert.equal(json.environment_name, 'production');
    assert.equal(json.links, `${BASE}${EXPORTS}/jobs/${json.job_id}`);
    assert.equal(json.status, 'pending');
    const job = (await ground.call('GET', json.links)).json;
    hold('detail', job);
    assert.deepEqual([job.status, job.progress, job.end_time, job.presigned_urls], ['pending', '0%', null, []]);
    assert.deepEqual([job.completed_chunks, job.current_chunk, job.all_chunks.length], [[], '', 31]);

    const second = await ground.curl(KEYS.second, ...JSON_TYPE, '-d', '{}');
    assert.equal(second.status, 409);
    hold('refusal', second.json);
    const [refusal] = second.json.errors;
    assert.deepEqual([refusal.error, refusal.error_code], ['Conflict', 'export_job_in_progress']);
    assert.ok(refusal.message.includes(json.job_id), refusal.message);
  });
});

describe('who may not', () => {
  it('is told 401, before anything else is looked at', async () => {
    const wrong: readonly (readonly [string | null, Record<string, string>])[] = [
      [null, {}],
      [null, { authorization: `Bearer ${KEYS.first}` }],
      [null, { authorization: 'Token' }],
      [null, { authorization: KEYS.first }],
      ['nobody', {}],
      ...[KEYS.starter, KEYS.native, KEYS.both, KEYS.reader].map((key) => [key, {}] as const),
    ];
    for (const [key, headers] of wrong) {
      const answer = await ground.call('POST', EXPORTS, { key, headers, body: '{"format": ' });
      check(answer, 401, 'unauthorized');
      assert.equal(answer.headers.get('www-authenticate'), 'Token');
    }
    for (const path of ['/jobs', '/jobs/x', '/lookups/flows']) {
      assert.match(await refused(401, 'unauthorized', `GET ${EXPORTS}${path}`, { key: null }), /Token <API_KEY>/);
      await refused(401, 'unauthorized', `GET ${EXPORTS}${path}`, { key: KEYS.starter });
    }
    assert.equal((await ground.call('GET', `${EXPORTS}/jobs`, { key: KEYS.reader })).status, 200);
  });

  it('is told what the plan does not have', async () => {
    await using db = await Db.open({ dataFolder: ground.dataFolder, url: null });
    await new Tenants(db).putTenant(APPS[1], 'short');
    const create = (body: object) => refused(401, 'unauthorized', `POST ${EXPORTS}`, { key: KEYS.other, body });
    assert.match(await create({ format: 'avro' }), /^format: .*allowed are csv/);
    assert.match(await create({ from: '2020-01-01' }), /^from, to: .*30 days/);
    await new Tenants(db).putTenant(APPS[1], 'enterprise');
  });
});

describe('what cannot be read', () => {
  it('is told 400 with the field, what was wrong and what is allowed', async () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      ['{"format": "csv",}', /not valid JSON/],
      ['{', /not valid JSON/],
      ['[]', /Allowed is an object; this is a list/],
      ['7', /Allowed is an object/],
      [{ from: 7 }, /^from: Allowed is text; this is 7/],
      [{ to: true }, /^to: Allowed is text/],
      [
        { from: 'soon' },
        /^from: Allowed is a date or an ISO 8601 date and time, UTC unless it has a zone; this is "soon"/,
      ],
      [{ from: '2026-05-02', to: '2026-05-01' }, /^from: It lies after the end/],
      [{ emails: 'a@example.com' }, /^emails: Allowed is a list/],
      [{ emails: ['a@example.com', 'A <b@example.com>'] }, /^emails\[1\]: Allowed is one e-mail address/],
      [{ emails: Array(51).fill('a@example.com') }, /^emails: .*50 items; this has 51/],
      [{ event_type: 'track' }, /^event_type: Allowed is a list/],
      [{ event_type: ['track', 7] }, /^event_type\[1\]: Allowed is text/],
      [{ event_type: ['clicked'] }, /^event_type\[0\]: Allowed are identify_user, /],
      [{ user_id: [1] }, /^user_id\[0\]: Allowed is text/],
      [{ user_id: Array(10_001).fill('u') }, /^user_id: .*10000 items/],
      [{ company_id: {} }, /^company_id: Allowed is a list/],
      [{ segment_id: ['1'] }, /^segment_id: Allowed is /],
      [{ format: 'xml' }, /^format: Allowed are avro, csv, ndjson, parquet; this is "xml"/],
      [{ exclusions: ['track'] }, /^exclusions: Allowed is text/],
      [{ exclusions: 'trak' }, /^exclusions: "trak" is neither .*track/],
      [`{"user_id": ["${'x'.repeat(1_048_576)}"]}`, /too large; allowed are 1048576 bytes/],
    ];
    for (const [body, message] of cases)
      assert.match(await refused(400, 'invalid_parameter', `POST ${EXPORTS}`, { body }), message);
  });

  it('is told 400 for another Content-Type, in URLs and in cursors', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
      assert.match(
        await refused(400, 'invalid_parameter', `POST ${EXPORTS}`, { body: '{}', headers: { 'content-type': type } }),
        /application\/json/,
      );
    await refused(400, 'invalid_parameter', `GET ${EXPORTS}/jobs/%zz`);
    const foreign = Buffer.from('segments 50').toString('base64url');
    for (const query of [`after_cursor=${foreign}`, 'after_cursor=', 'after_cursor=x', 'before_cursor=50'])
      assert.match(
        await refused(400, 'invalid_parameter', `GET ${EXPORTS}/lookups/events_properties?${query}`),
        /^(after|before)_cursor: .*allowed/,
      );
  });
});

describe('what is not there', () => {
  it('is told 404', async () => {
    for (const id of ['00000000-0000-4000-8000-000000000000', 'export:jobs:xyz789', 'x', '%00', "'%20or%201=1"])
      await refused(404, 'job_not_found', `GET ${EXPORTS}/jobs/${id}`);
    for (const path of ['/', '/v1/identify', '/v1/jobs', '/health', `${EXPORTS}/lookups`, `${EXPORTS}/lookups/users`])
      await refused(404, 'not_found', `GET ${path}`);
    await refused(404, 'not_found', 'POST /api/v1/analytics/export', {
      body: 'x',
      headers: { 'content-type': 'a/b' },
    });
    // The other app's segments begin at 1001.
    for (const segment of ['none', '', '1.0', -1, '999', '1001', '9'.repeat(30)])
      assert.match(
        await refused(404, 'not_found', `POST ${EXPORTS}`, { body: { segment_id: segment } }),
        /^segment_id: There is no such segment/,
      );
  });

  it('is told 405 with the methods there are', async () => {
    for (const [method, path, allowed] of [
      ['DELETE', EXPORTS, 'POST'],
      ['GET', EXPORTS, 'POST'],
      ['DELETE', `${EXPORTS}/jobs/x`, 'GET, HEAD'],
      ['POST', `${EXPORTS}/jobs`, 'GET, HEAD'],
    ] as const) {
      const answer = await ground.call(method, path);
      check(answer, 405, 'method_not_allowed');
      assert.equal(answer.headers.get('allow'), allowed);
    }
  });

  it('is told 403 for a URL that was never given', async () => {
    await refused(403, 'url_invalid', 'GET /files/file_1/export-part1.csv?expires=1&key=1&signer=x&signature=y');
  });
});

describe('a second job of an app', () => {
  it('is told 409 naming the first, but 400 and 404 come before', async () => {
    const [one] = (await ground.call('GET', `${EXPORTS}/jobs`)).json;
    assert.ok(
      (await refused(409, 'export_job_in_progress', `POST ${EXPORTS}`, { key: KEYS.second })).includes(one.job_id),
    );
    await refused(400, 'invalid_parameter', `POST ${EXPORTS}`, { body: { format: 'xml' } });
    await refused(404, 'not_found', `POST ${EXPORTS}`, { body: { segment_id: '999' } });
    const answer = await ground.create({});
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  });
});

describe('what fails on our side', () => {
  it('is told 500 and nothing more when the store is gone', async () => {
    await ground.change('alter table jobs rename to away');
    for (const [method, path] of [
      ['POST', EXPORTS],
      ['GET', `${EXPORTS}/jobs`],
      ['GET', `${EXPORTS}/jobs/x`],
    ] as const)
      assert.equal(
        await refused(500, 'internal_error', `${method} ${path}`, { key: KEYS.other }),
        'Something went wrong on our side.',
      );
    await ground.change('alter table away rename to jobs');
    assert.equal((await ground.call('GET', `${EXPORTS}/jobs`)).status, 200);
  });

  it('is told 503 under maintenance, while jobs can be looked at', async () => {
    const source = { type: 'duckdb', files: `${EVENTS.name}.parquet` } as const;
    const datasets = {
      [EVENTS.name]: { source, columns: [{ name: 'tenant', from: 'app_token' }], tenancy: { column: 'tenant' } },
    };
    await using closed = await UserpilotGround.open({
      dispatches: false,
      config: { maintenance: true, datasets },
      perApp: 10,
    });
    const answer = await closed.create({});
    assert.match(check(answer, 503, 'service_unavailable'), /^Under maintenance/);
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.deepEqual((await closed.call('GET', `${EXPORTS}/jobs`)).json, []);
    // A lookup the operator did not set up is not there.
    check(await closed.call('GET', `${EXPORTS}/lookups/flows`), 404, 'not_found');
  });
});
