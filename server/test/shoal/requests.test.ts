import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Answer, Asked } from '../server-ground.ts';
import { assertDocumented, assertHeaders, isAsDocumented, type Shown } from './contract.ts';
import { JOBS, KEYS, SAMPLE, ShoalGround } from './ground.ts';

const NOBODYS = '00000000-0000-4000-8000-000000000000';

let ground: ShoalGround;

before(async () => {
  ground = await ShoalGround.open({ dispatches: false });
});

after(() => ground[Symbol.asyncDispose]());

function create(body: unknown, asked: Asked = {}): Promise<Answer> {
  return ground.call('POST', JOBS, { body, ...asked });
}

/** An answer of that status and form, with the headers of one whose key is known. */
async function expect(status: number, what: Shown, answer: Promise<Answer>): Promise<Answer> {
  const given = await answer;
  assert.equal(given.status, status, given.text);
  assert.match(given.headers.get('content-type') ?? '', /^application\/json/);
  assertDocumented(what, given.json);
  assertHeaders(given, { isKeyed: true });
  return given;
}

async function refused(body: unknown, text: RegExp): Promise<void> {
  const { json } = await expect(400, 'error', create(body));
  assert.match(json.error, text);
}

describe('the page', () => {
  it('its curl works with host and key changed, and answers as it shows', async () => {
    const command = `curl -sS -i -X POST "${ground.url}/shoal/v1/export/jobs" \\
  -H "Authorization: Bearer ${KEYS.first}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "scope": "replay.global",
    "format": "jsonl",
    "since": "2026-04-01T00:00:00Z",
    "until": "2026-04-10T00:00:00Z",
    "includeEvidence": true,
    "note": "Internal warehouse backfill for April incident review"
  }'`;
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    const [head = '', body = ''] = stdout.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 201 /);
    const { data } = JSON.parse(body);
    assertDocumented('job', { data });
    assert.deepEqual(
      { ...data, id: '', createdAt: '', updatedAt: data.updatedAt === data.createdAt },
      {
        id: '',
        appUserId: 'app_user_demo',
        apiKeyId: 17,
        scope: 'replay.global',
        format: 'jsonl',
        status: 'requested',
        requestedParams: {
          since: '2026-04-01T00:00:00.000Z',
          until: '2026-04-10T00:00:00.000Z',
          category: null,
          includeEvidence: true,
          organizationIds: [],
        },
        note: 'Internal warehouse backfill for April incident review',
        downloadUrl: null,
        expiresAt: null,
        error: null,
        createdAt: '',
        updatedAt: true,
      },
    );
  });

  it('works under a host name of its own', async () => {
    const { port } = new URL(ground.url);
    const args = ['-sS', '--resolve', `shoal.localhost:${port}:127.0.0.1`, '-H', `Authorization: Bearer ${KEYS.first}`];
    const { stdout } = await promisify(execFile)('curl', [...args, `http://shoal.localhost:${port}/v1/export/jobs`]);
    assertDocumented('list', JSON.parse(stdout));
  });

  it('its forms notice every field that is gone or new', async () => {
    const answers: [Shown, unknown][] = [
      ['job', (await create(SAMPLE)).json],
      ['list', (await ground.call('GET', `${JOBS}?limit=1`)).json],
      ['usage', (await ground.call('GET', '/shoal/v1/usage')).json],
      ['error', (await create({})).json],
      ['unrouted', (await ground.call('GET', '/shoal/nope')).json],
    ];
    for (const [what, body] of answers) {
      assertDocumented(what, body);
      const changed = mutilations(body);
      assert.ok(changed.length >= 2);
      for (const { place, body: other } of changed)
        assert.equal(isAsDocumented(what, other), false, `${what} ${place}`);
    }
  });
});

/** The body with each of its fields left out in turn, and with one too many in each object. */
function mutilations(body: unknown): { place: string; body: unknown }[] {
  return placesOf(body, []).flatMap((path) => {
    const place = path.join('.');
    const without = structuredClone(body);
    const more = structuredClone(body);
    const [last = ''] = path.slice(-1);
    delete at(without, path.slice(0, -1))[last];
    at(more, path.slice(0, -1))[`${last}2`] = null;
    return [
      { place: `without ${place}`, body: without },
      { place: `beside ${place}`, body: more },
    ];
  });
}

function at(body: unknown, path: readonly string[]): Record<string, unknown> {
  return path.reduce((inner, name) => inner[name] as Record<string, unknown>, body as Record<string, unknown>);
}

function placesOf(value: unknown, path: readonly string[]): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(Array.isArray(value) ? [] : [[...path, name]]),
    ...placesOf(inner, [...path, name]),
  ]);
}

describe('the document', () => {
  it('tells of every route that needs a key, what it takes and how it may end', async () => {
    const { json } = await ground.call('GET', '/shoal/openapi.json', { key: null });
    const told = Object.entries<Record<string, { responses: object; security: object }>>(json.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, { responses, security }]) => {
          assert.deepEqual(security, [{ key: [] }]);
          return `${method} ${path} ${Object.keys(responses)}`;
        }),
    );
    assert.deepEqual(told.toSorted(), [
      'get /v1/export/jobs 200,4XX,5XX',
      'get /v1/export/jobs/{id} 200,4XX,5XX',
      'get /v1/usage 200,4XX,5XX',
      'post /v1/export/jobs 201,4XX,5XX',
    ]);
    const { content } = json.paths['/v1/export/jobs'].post.requestBody;
    assert.deepEqual(content['application/json'].schema.required, ['scope', 'format']);
    const { headers } = json.paths['/v1/export/jobs'].post.responses['201'];
    const answer = await create(SAMPLE);
    for (const [name] of answer.headers) assert.ok(name in headers || !/^x-|^retry/.test(name), name);
  });
});

describe('a create', () => {
  it('takes every scope and format, and shows again what was asked', async () => {
    const since = '2026-04-01';
    const shown = { since: '2026-04-01T00:00:00.000Z', until: null, category: null, includeEvidence: false };
    const cases: [string, object, object][] = [
      ['organizations.registry', {}, { since: null, organizationIds: [] }],
      ['radar.history', { since }, { organizationIds: [] }],
      ['signal.history', { since, category: 'none of it' }, { category: 'none of it', organizationIds: [] }],
      ['replay.global', { since, organizationIds: [3, 4] }, { organizationIds: [3, 4] }],
      ['timeline.by-organization', { since, organizationIds: [2, 1, 2] }, { organizationIds: [2, 1] }],
    ];
    for (const format of ['jsonl', 'csv', 'parquet'])
      for (const [scope, more, params] of cases) {
        const { json } = await expect(201, 'job', create({ scope, format, ...more }));
        const { requestedParams, note, ...job } = json.data;
        assert.deepEqual([job.scope, job.format, note], [scope, format, null]);
        assert.deepEqual(requestedParams, { ...shown, ...params });
      }
  });

  it('takes every spelling of an instant and shows it by UTC with milliseconds', async () => {
    for (const [since, shown] of [
      ['2026-04-01T00:00:00Z', '2026-04-01T00:00:00.000Z'],
      ['2026-04-01T00:00:00+00:00', '2026-04-01T00:00:00.000Z'],
      ['2026-04-01', '2026-04-01T00:00:00.000Z'],
      ['2026-04-01T02:00:00.5+02:00', '2026-04-01T00:00:00.500Z'],
    ])
      assert.equal((await create({ ...SAMPLE, since })).json.data.requestedParams.since, shown);
  });

  it('ignores names it does not know, and takes null for what is left out', async () => {
    const nothing = { until: null, category: null, includeEvidence: null, note: null, organizationIds: null };
    const { json } = await expect(201, 'job', create({ ...SAMPLE, ...nothing, webhook: 'https://x.example', id: 5 }));
    assert.deepEqual(json.data.requestedParams, {
      since: '2026-04-01T00:00:00.000Z',
      until: null,
      category: null,
      includeEvidence: false,
      organizationIds: [],
    });
  });

  it('takes a note of 500 characters and refuses one more', async () => {
    const note = 'é'.repeat(500);
    assert.equal((await expect(201, 'job', create({ ...SAMPLE, note }))).json.data.note, note);
    await refused({ ...SAMPLE, note: `${note}.` }, /^note: .*no more than 500 characters/);
  });

  it('refuses what is wrong, naming the field, what was wrong and what is allowed', async () => {
    const cases: [object, RegExp][] = [
      [{ scope: undefined }, /^"scope" is missing/],
      [{ scope: 'radar' }, /^scope: Allowed are organizations\.registry, .*; this is "radar"/],
      [{ scope: 5 }, /^scope: /],
      [{ format: undefined }, /^"format" is missing/],
      [{ format: 'xml' }, /^format: Allowed are jsonl, csv, parquet; this is "xml"/],
      [{ format: 'JSONL' }, /^format: /],
      [{ since: undefined }, /^since: It is required for replay\.global/],
      [{ since: 'yesterday' }, /^since: Allowed is an ISO 8601 instant/],
      [{ since: '2026-02-30' }, /^since: There is no such date/],
      [{ since: '2026-04-01T00:00:00' }, /^since: .*with a zone/],
      [{ since: 1775001600 }, /^since: Allowed is text/],
      [{ until: '2026-04-01T00:00:00Z' }, /^until: It must be later than since/],
      [{ until: '2026-03-31' }, /^until: It must be later than since/],
      [{ until: 'x' }, /^until: /],
      [{ since: '2999-01-01', until: undefined }, /^since: Without until it must lie before now/],
      [{ category: 5 }, /^category: Allowed is text/],
      [{ category: 'half of a pair \ud83d' }, /^category: .*well-formed/],
      [{ includeEvidence: 'true' }, /^includeEvidence: Allowed is true or false/],
      [{ note: {} }, /^note: /],
      [{ organizationIds: 5 }, /^organizationIds: Allowed is a list/],
      [{ organizationIds: ['1'] }, /^organizationIds\.0: /],
      [{ organizationIds: [0] }, /^organizationIds\.0: Allowed is no less than 1/],
      [{ organizationIds: [1.5] }, /^organizationIds\.0: /],
      [{ organizationIds: Array.from({ length: 501 }, (_, at) => at + 1) }, /^organizationIds: Allowed are 500 ids/],
      [{ scope: 'timeline.by-organization' }, /^organizationIds: It is required for timeline/],
      [{ scope: 'timeline.by-organization', organizationIds: [] }, /^organizationIds: It is required/],
    ];
    for (const [change, text] of cases) await refused({ ...SAMPLE, ...change }, text);
    const many = Array.from({ length: 1000 }, (_, at) => 1 + (at % 500));
    await expect(201, 'job', create({ ...SAMPLE, scope: 'timeline.by-organization', organizationIds: many }));
  });

  it('refuses a body that is none', async () => {
    const text = { 'content-type': 'text/plain' };
    for (const body of ['{bad', '[]', '"text"', 'null', '', `{"note": "${'x'.repeat(1_100_000)}"}`])
      await expect(400, 'error', create(body));
    await expect(400, 'error', create(JSON.stringify(SAMPLE), { headers: text }));
    await expect(400, 'error', ground.call('POST', JOBS));
    await refused('{"organizationIds": [9007199254740993]}', /more digits/);
  });
});

describe('a list', () => {
  it('shows the newest first, to every key of the account, and clamps without a word', async () => {
    const key = KEYS.other;
    const ids: string[] = [];
    for (let at = 0; at < 25; at++) ids.unshift((await ground.created({ ...SAMPLE, note: `${at}` }, key)).id);
    const list = async (query: string) => {
      const { json } = await expect(200, 'list', ground.call('GET', `${JOBS}${query}`, { key }));
      return { ...json, data: json.data.map(({ id }: { id: string }) => ids.indexOf(id)) };
    };
    const upTo = (first: number, end: number) => Array.from({ length: end - first }, (_, at) => first + at);
    assert.deepEqual(await list(''), { limit: 20, offset: 0, data: upTo(0, 20) });
    for (const [query, limit, offset] of [
      ['?limit=3', 3, 0],
      ['?limit=3&offset=4', 3, 4],
      ['?limit=500', 20, 0],
      ['?limit=0', 1, 0],
      ['?limit=-7&offset=-7', 1, 0],
      ['?limit=abc&offset=x', 20, 0],
      ['?limit=&offset=', 20, 0],
      ['?limit=2.5', 20, 0],
      ['?limit=2&limit=3', 20, 0],
      ['?offset=20', 20, 20],
      ['?offset=101', 20, 100],
      ['?offset=99999999999999999999&cursor=5', 20, 100],
    ] as const)
      assert.deepEqual(await list(query), { limit, offset, data: upTo(offset, Math.min(25, offset + limit)) }, query);
  });
});

describe('credentials', () => {
  const ROUTES = [
    ['POST', JOBS],
    ['GET', JOBS],
    ['GET', `${JOBS}/${NOBODYS}`],
    ['GET', '/shoal/v1/usage'],
  ] as const;

  it('are asked for by every route', async () => {
    for (const [method, path] of ROUTES)
      for (const [key, headers, status, error] of [
        [null, {}, 401, 'Authorization header missing or malformed'],
        [null, { authorization: 'Basic eA==' }, 401, 'Authorization header missing or malformed'],
        [null, { authorization: 'Bearer ' }, 401, 'Authorization header missing or malformed'],
        ['nobodys', {}, 403, 'Invalid API key'],
        [KEYS.native, {}, 403, 'This API key is not allowed to use this endpoint'],
      ] as const) {
        const body = method === 'POST' ? { body: SAMPLE } : {};
        const answer = await ground.call(method, path, { key, headers, ...body });
        assert.deepEqual([answer.status, answer.json], [status, { error }], `${method} ${path}`);
        assertHeaders(answer, { isKeyed: false });
      }
  });

  it('of a plan too low or without the right are refused, naming what is needed', async () => {
    for (const [method, path] of ROUTES) {
      const { json } = await expect(403, 'error', ground.call(method, path, { key: KEYS.growth }));
      assert.deepEqual(json, { error: 'This endpoint requires the enterprise plan' });
    }
    await expect(403, 'error', create(SAMPLE, { key: KEYS.reader }));
    await expect(200, 'list', ground.call('GET', JOBS, { key: KEYS.reader }));
  });
});

describe('routes', () => {
  it('that are not there answer with what was asked for', async () => {
    const { id } = await ground.created();
    for (const [method, path] of [
      ['GET', '/nope'],
      ['GET', '/'],
      ['GET', '/v1/jobs'],
      ['DELETE', `/v1/export/jobs/${id}`],
      ['PATCH', '/v1/export/jobs'],
    ]) {
      const answer = await ground.call(method ?? '', `/shoal${path}?a=1`);
      assert.equal(answer.status, 404, answer.text);
      assert.deepEqual(answer.json, { error: 'Not Found', path, method });
      assertHeaders(answer, { isKeyed: false });
    }
    const unreadable = await ground.call('GET', '/shoal/v1/%zz');
    assert.equal(unreadable.status, 400);
    assertDocumented('error', unreadable.json);
    assertHeaders(unreadable, { isKeyed: false });
  });
});

describe('walls', () => {
  it('a job is seen by every key of its account, and is as unknown to another as one that never was', async () => {
    const { id } = await ground.created(SAMPLE, KEYS.first);
    const same = await expect(200, 'job', ground.call('GET', `${JOBS}/${id}`, { key: KEYS.second }));
    assert.deepEqual([same.json.data.id, same.json.data.apiKeyId], [id, 17]);
    const firsts = await ground.call('GET', JOBS, { key: KEYS.second });
    assert.equal(firsts.json.data[0].id, id);
    const unknown = await expect(404, 'error', ground.call('GET', `${JOBS}/${NOBODYS}`, { key: KEYS.other }));
    assert.deepEqual(unknown.json, { error: 'Export job not found' });
    for (const path of [id, id.toUpperCase(), 'x', '%00', '5', `${id} `]) {
      const foreign = await ground.call('GET', `${JOBS}/${path}`, { key: KEYS.other });
      assert.deepEqual([foreign.status, foreign.text], [404, unknown.text]);
      assert.deepEqual(steady(foreign), steady(unknown));
    }
    const theirs = await ground.call('GET', JOBS, { key: KEYS.other });
    assert.ok(theirs.json.data.every(({ appUserId }: { appUserId: string }) => appUserId === 'app_user_other'));
  });
});

/** All headers but those that differ from one request to the next. */
function steady({ headers }: Answer): Record<string, string> {
  const passing = ['date', 'x-request-id', 'x-ratelimit-remaining'];
  return Object.fromEntries([...headers].filter(([name]) => !passing.includes(name)));
}
