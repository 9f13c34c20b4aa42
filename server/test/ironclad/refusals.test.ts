import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FAULT_CODES, Fault } from '../../src/base/errors.ts';
import { refuse } from '../../src/request/ironclad/refuse.ts';
import { checkAnswer } from '../dialect-ground.ts';
import type { Answer, Asked } from '../server-ground.ts';
import { checkRefusal, SCHEMAS } from './contract.ts';
import { ACTIVITY, EVIDENCE, IroncladGround, KEYS, TASKS } from './ground.ts';

const BODY = { start_date: '2022-10-06T00:00:00.000Z', end_date: '2022-10-07T00:00:00.000Z' };
const NOBODYS = '0123456789abcdef01234567';
const SITES = '/ironclad/v1.1/sites';

/** Accepts exports and starts none. */
let waiting: IroncladGround;

before(async () => {
  waiting = await IroncladGround.open({ dispatches: false });
});

after(async () => {
  await waiting[Symbol.asyncDispose]();
});

const post = (body: unknown, asked: Asked = {}) => waiting.call('POST', EVIDENCE, { body, ...asked });

/** What an answer says, apart from what differs from request to request. */
function sayingOf({ status, headers, text }: Answer): unknown {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return { status, headers: kept, text };
}

describe('bodies', () => {
  const cases: [string, object, RegExp][] = [
    ['no start', { start_date: undefined }, /^"start_date" is missing\.$/],
    ['no text', { start_date: 5 }, /^start_date: Allowed is text; this is 5\.$/],
    ['a date alone', { start_date: '2022-10-06' }, /^start_date: Allowed is an ISO 8601 date and time .*, with a zone/],
    ['no zone', { end_date: '2022-10-06T00:00:00' }, /^end_date: Allowed is an ISO 8601 date and time .*, with a zone/],
    [
      'no such day',
      { end_date: '2022-02-30T00:00:00Z' },
      /^end_date: Allowed is an ISO 8601 date and time that there is/,
    ],
    [
      'reversed',
      { end_date: '2022-10-05T23:59:59.999Z' },
      /^end_date: It lies before start_date, 2022-10-06T00:00:00.000Z; allowed/,
    ],
    [
      'after now',
      { start_date: '2999-01-01T00:00:00Z', end_date: null },
      /^start_date: It lies after now, .*; allowed/,
    ],
    [
      'too long',
      { end_date: '2023-10-06T00:00:00.001Z' },
      /^end_date: The range has 366 days; allowed are 365 for this site: .* 2023-10-06T00:00:00.000Z\.$/,
    ],
    ['too long until now', { end_date: undefined }, /^start_date: The range has \d+ days; allowed are 365/],
    [
      'an unknown type',
      { export_types: ['clickwrap_activities', 'pdf'] },
      /^export_types\[1\]: Allowed are clickwrap_activities, clickwrap_activities_as_pdfs\.$/,
    ],
    ['no list of types', { export_types: 'pdf' }, /^export_types: Allowed is a list; this is "pdf"\.$/],
    [
      'an unknown standard field',
      { select: { standard: ['id', 'email'] } },
      /^select\.standard\[1\]: "email" is no standard field; allowed are id, uuid, /,
    ],
    [
      'an unknown connection field',
      { select: { connection: ['ip'] } },
      /^select\.connection\[0\]: "ip" is no connection field; allowed are page_title, .*remote_address\.$/,
    ],
    [
      'a name with a NUL',
      { select: { render: ['price', 'a\0b'] } },
      /^select\.render\[1\]: The name has a NUL in it; allowed are names without\.$/,
    ],
    [
      'too many names',
      { select: { custom: Array.from({ length: 2001 }, (_, at) => `k${at}`) } },
      /^select\.custom: Allowed is no more than 2000 items; this has 2001\.$/,
    ],
    ['a flag that is text', { custom_all: 'yes' }, /^custom_all: Allowed is true or false; this is "yes"\.$/],
    ['an unknown sort', { sort: '-connection_data.page_url' }, /^sort: Allowed are id, uuid, .*, with - before one/],
    ['a filter that is text', { filter: 'contract==1' }, /^filter: Allowed is an object; this is "contract==1"\.$/],
    [
      'an unknown filter field',
      { filter: { and: [{ email: 'x' }] } },
      /^filter\.and\[0\]\.email: "email" is not a field; allowed are id, /,
    ],
    [
      'a name as long as a body',
      { filter: { ['k'.repeat(300_000)]: 1 } },
      /^filter\.k{993}…: That name is not a field; allowed are id, [^…]{0,500}$/,
    ],
    [
      'an unknown operator',
      { filter: { contract: { $like: 1 } } },
      /^filter\.contract\.\$like: .*allowed are \$eq, \$ne/,
    ],
    [
      'a pattern RE2 does not take',
      { filter: { signer_id: { $regex: '(?=a)' } } },
      /^filter\.signer_id\.\$regex: .*RE2/,
    ],
  ];
  for (const [what, change, words] of cases)
    test(what, async () => assert.match(checkRefusal(await post({ ...BODY, ...change }), 400), words));

  test('of a number inside JSON that no JSON number holds are not told to send it as a string', async () => {
    const filter = '{"custom_data": {"score": 9007199254740993}}';
    const words = checkRefusal(await post(`{"start_date": "${BODY.start_date}", "filter": ${filter}}`), 400);
    assert.match(
      words,
      /^filter\.custom_data\.score: .* Values inside JSON are compared with whole numbers below 2\^53/,
    );
  });

  test('are read whatever stands in them, but for what is no JSON, too large or of another type', async () => {
    for (const body of ['{', "{'start_date': 1}", '', '[]', '5', 'null', '{"__proto__": {}}', '{"start_date":}'])
      checkRefusal(await post(body), 400);
    checkRefusal(await waiting.call('POST', EVIDENCE), 400);
    checkRefusal(await post({ ...BODY, note: 'x'.repeat(1_048_576) }), 400);
    checkRefusal(await post(JSON.stringify(BODY), { headers: { 'content-type': 'text/plain' } }), 400);
    const range = { start_date: '2022-10-06T00:00:00Z', end_date: '2023-10-06T00:00:00Z' };
    checkAnswer(await post({ ...range, unknown: 1, export_types: [], select: null, sort: 'group' }), 201, SCHEMAS.job);
  });
});

test('a site with days of its own allows those', async () => {
  const asked = { key: KEYS.other };
  const words = checkRefusal(await post({ ...BODY, end_date: '2022-11-05T00:00:00.001Z' }, asked), 400);
  assert.match(words, /allowed are 30 for this site/);
  checkAnswer(await post({ ...BODY, end_date: '2022-11-05T00:00:00.000Z' }, asked), 201, SCHEMAS.job);
});

describe('who asks', () => {
  test('no token, or one of nobody, of another dialect: 401', async () => {
    const bearer = { key: null, headers: { authorization: `Token ${KEYS.first}` } };
    for (const asked of [{ key: null }, { key: 'nobodys' }, { key: KEYS.native }, { key: 'x'.repeat(300) }, bearer]) {
      const answer = await post(BODY, asked);
      checkRefusal(answer, 401);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
    }
  });

  test('a user without permission on the site, of several sites, or below the plan: 403', async () => {
    for (const key of [KEYS.none, KEYS.both, KEYS.basic])
      for (const [method, path] of [
        ['POST', EVIDENCE],
        ['GET', EVIDENCE],
        ['GET', `${EVIDENCE}/${NOBODYS}`],
        ['GET', ACTIVITY],
        ['POST', `${TASKS}/activity`],
        ['GET', `${SITES}/1/exportFields`],
      ] as const)
        checkRefusal(
          await waiting.call(method, path, { key, ...(path === EVIDENCE && method === 'POST' ? { body: BODY } : {}) }),
          403,
        );
    checkRefusal(await post(BODY, { key: KEYS.reader }), 403);
    checkAnswer(await waiting.get(EVIDENCE, KEYS.reader), 200, SCHEMAS.jobs);
  });

  test('who asks too often: 429 and when to come back, by token and by address', async () => {
    const ironclad = { requestsPerMinute: 3, unknownPerMinute: 2 };
    await using busy = await IroncladGround.open({ dispatches: false, ironclad });
    const statuses = async (key: string | null, count: number) => {
      const answers: Answer[] = [];
      for (let at = 0; at < count; at++) answers.push(await busy.call('GET', EVIDENCE, { key }));
      return answers;
    };
    for (const [key, free, status] of [
      [KEYS.first, 3, 200],
      [KEYS.second, 3, 200],
      [null, 2, 401],
    ] as const) {
      const answers = await statuses(key, free + 1);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [...Array.from({ length: free }, () => status), 429],
      );
      const [last] = answers.slice(-1);
      assert.ok(last);
      checkRefusal(last, 429);
      const seconds = Number(last.headers.get('retry-after'));
      assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
    }
    checkRefusal(await busy.get(EVIDENCE, 'nobodys'), 429);
  });
});

test('the older export refuses a body, whose filter would be passed over', async () => {
  const task = (body?: unknown) => waiting.call('POST', `${TASKS}/activity`, { body });
  for (const [body, names] of [
    [{ filter: { contract: 1 } }, '"filter"'],
    [{ filter: 'contract==1', fields: 'id' }, '"filter", "fields"'],
    ['["id"]', '\\["id"\\]'],
  ] as const) {
    const words = checkRefusal(await task(body), 400);
    assert.match(
      words,
      new RegExp(`^The body has ${names}; allowed is none: filter and fields stand in the query here\\.$`),
    );
  }
  for (const body of [undefined, {}]) checkAnswer(await task(body), 201, SCHEMAS.task);
});

describe('what is not there', () => {
  test('routes and methods', async () => {
    for (const [method, path] of [
      ['GET', '/ironclad'],
      ['GET', '/ironclad/v1.1'],
      ['POST', '/ironclad/v1.0/extract/evidence'],
      ['DELETE', `${EVIDENCE}/${NOBODYS}`],
      ['PUT', EVIDENCE],
      ['GET', `${TASKS}/activity/x`],
      ['GET', `${EVIDENCE}/${'x'.repeat(300)}`],
    ] as const)
      checkRefusal(await waiting.call(method, path), 404);
  });

  test('exports: of another site, of nobody, of a wrong form answer alike; a whole site sees its own', async () => {
    const id = await waiting.create(BODY);
    checkAnswer(await waiting.get(`${EVIDENCE}/${id}`, KEYS.second), 200, SCHEMAS.job);
    const unknown = await waiting.get(`${EVIDENCE}/${NOBODYS}`);
    checkRefusal(unknown, 404);
    for (const [path, key] of [
      [`${EVIDENCE}/${id}`, KEYS.other],
      [`${EVIDENCE}/${id}/urls`, KEYS.other],
      [`${TASKS}/${id}`, KEYS.other],
      [`${EVIDENCE}/no-id`, KEYS.first],
      [`${EVIDENCE}/${NOBODYS}/urls`, KEYS.first],
    ] as const)
      assert.deepEqual(sayingOf(await waiting.get(path, key)), sayingOf(unknown));
    const mine = await waiting.get(EVIDENCE, KEYS.other);
    assert.ok(mine.json.data.every((job: { id: string }) => job.id !== id));
  });

  test('URLs of an export that is not finished', async () => {
    const id = await waiting.create(BODY);
    const words = checkRefusal(await waiting.get(`${EVIDENCE}/${id}/urls`), 400);
    assert.equal(words, 'The export is not finished: its status is pending; ask again once it is success.');
  });

  test('activities and sites of others', async () => {
    const [foreign] = waiting.of(2);
    for (const path of [`${ACTIVITY}/${foreign?.id}`, `${ACTIVITY}/${NOBODYS}`, `${ACTIVITY}/x%00'`])
      assert.equal(checkRefusal(await waiting.get(path), 404), 'There is no such activity.');
    for (const site of ['2', '3', '01', 'x'])
      assert.equal(checkRefusal(await waiting.get(`${SITES}/${site}/exportFields`), 404), 'There is no such site.');
  });
});

test('paging says what is allowed', async () => {
  for (const path of [EVIDENCE, ACTIVITY]) {
    for (const [query, words] of [
      ['page=0', /^page: Allowed is a whole number from 1 to 10000/],
      ['page=x', /^page: Allowed/],
      ['page=1.5', /^page: Allowed/],
      ['per_page=0', /^per_page: Allowed is a whole number from 1 to 100/],
      ['per_page=101', /^per_page: Allowed is a whole number from 1 to 100/],
      ['page=101&per_page=100', /^page: Pages reach 10000 items; allowed with this per_page are pages up to 100\./],
    ] as const)
      assert.match(checkRefusal(await waiting.get(`${path}?${query}`), 400), words, query);
  }
  for (const [query, words] of [
    ['filter=contract', /^filter: /],
    ['filter=email==1', /^filter: .*"email" is not a field; allowed are id/],
    ['expand=signer', /^expand: Allowed are account, contract/],
    ['fields=id,email', /^fields: "email" is no standard field/],
    ['no_count=yes', /^no_count: Allowed are true, false, 1, 0\.$/],
  ] as const)
    assert.match(checkRefusal(await waiting.get(`${ACTIVITY}?${query}`), 400), words, query);
});

describe('limits', () => {
  test('a full queue, maintenance, a store that is away', async () => {
    const config = { tiers: { enterprise: { queuedRuns: 1 }, basic: {} } };
    await using full = await IroncladGround.open({ dispatches: false, config });
    const id = await full.create(BODY);
    const answer = await full.call('POST', EVIDENCE, { body: BODY });
    assert.match(checkRefusal(answer, 429), /1 runs/);
    assert.ok(Number(answer.headers.get('retry-after')) >= 1);
    await full.change('alter table runs rename to gone');
    const answers = [await full.get(`${EVIDENCE}/${id}`), await full.get(EVIDENCE)];
    await full.change('alter table gone rename to runs');
    for (const each of answers) assert.match(checkRefusal(each, 500), /^Something went wrong on our side/);
    await using closed = await IroncladGround.open({ dispatches: false, config: { maintenance: true } });
    const away = await closed.call('POST', EVIDENCE, { body: BODY });
    checkRefusal(away, 503);
    assert.equal(away.headers.get('retry-after'), '60');
  });
});

test('every fault has an answer, and faults of ours say nothing of what lies behind them', () => {
  for (const code of FAULT_CODES) {
    const fault = new Fault(code, `secret of ${code}`, { pointer: '/select/custom/0' });
    const { status, body } = refuse({ fault, requestId: 'req', part: 'body', method: 'POST', path: '/' });
    const { error } = body as { error: { message: string; name?: string; code: string; status: number } };
    assert.ok([400, 401, 403, 404, 409, 429, 500, 503].includes(status), code);
    assert.deepEqual([typeof error.name, error.code, error.status], ['string', String(status), status], code);
    if (status >= 500) assert.doesNotMatch(error.message, /secret/, code);
  }
});
