import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkAnswer } from '../dialect-ground.ts';
import type { Answer, Asked } from '../server-ground.ts';
import { checkRefusal, schemas } from './contract.ts';
import { BatchGround, exportOf, KEYS } from './ground.ts';

const BODY = { from: '2019-08-14T22:00:00', to: 'now', events: ['push_sent'], ids: ['install_id'] };
const NOBODYS = '110e8400-e29b-41d4-b543-446655440000';
const LIVE = exportOf('LIVEAPP');
const PUSH = `${LIVE}/campaign/spring/events`;

/** Accepts requests and starts none. */
let waiting: BatchGround;

before(async () => {
  waiting = await BatchGround.open({ dispatches: false });
});

after(async () => {
  await waiting[Symbol.asyncDispose]();
});

const post = (body: unknown, path = PUSH, asked: Asked = {}) => waiting.call('POST', path, { body, ...asked });

/** What an answer says, apart from what differs from request to request. */
function sayingOf({ status, headers, text }: Answer): unknown {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return { status, headers: kept, text };
}

describe('parameters', () => {
  const cases: [string, object, string, string][] = [
    ['a field that is missing', { from: undefined }, 'MISSING_PARAMETER', '"from" is missing.'],
    ['the other end', { to: undefined }, 'MISSING_PARAMETER', '"to" is missing.'],
    ['events', { events: undefined }, 'MISSING_PARAMETER', '"events" is missing.'],
    ['ids', { ids: undefined }, 'MISSING_PARAMETER', '"ids" is missing.'],
    ['a wrong type', { ids: 'install_id' }, 'MALFORMED_PARAMETER', 'ids: Allowed is a list; this is "install_id".'],
    ['null', { events: null }, 'MALFORMED_PARAMETER', 'events: Allowed is a list; this is null.'],
    ['an empty list', { ids: [] }, 'MALFORMED_PARAMETER', 'ids: Allowed is no less than 1 item; this has 0.'],
    [
      'an unknown id',
      { ids: ['install_id', 'email'] },
      'MALFORMED_PARAMETER',
      'ids[1]: Allowed are install_id, custom_id, advertising_id; this is "email".',
    ],
    [
      'an event of another kind',
      { events: ['inapp_shown'] },
      'MALFORMED_PARAMETER',
      'events[0]: Allowed are push_sent, push_open, push_opened, push_error; this is "inapp_shown".',
    ],
    [
      'a reversed range',
      { from: '2026-03-02T00:00:00', to: '2026-03-01T23:59:59' },
      'MALFORMED_PARAMETER',
      'to: The end must not lie before the start, which is "2026-03-02T00:00:00"; this is "2026-03-01T23:59:59".',
    ],
    ['a number', { from: 5 }, 'MALFORMED_PARAMETER', 'from: Allowed is text; this is 5.'],
  ];
  for (const [what, change, name, words] of cases)
    test(what, async () => assert.equal(checkRefusal(await post({ ...BODY, ...change }), name), words));

  test('times with a zone, without seconds, with a fraction, impossible or endless', async () => {
    const wrong = ['2019-08-14', '2019-08-14T22:00', '2019-08-14T22:00:00Z', '2019-08-14T22:00:00+02:00', 'NOW', ''];
    const impossible = ['2019-02-29T00:00:00', '2019-13-01T00:00:00', '2019-08-14T24:00:00', '0000-01-01T00:00:00'];
    for (const from of [...wrong, ...impossible, '2019-08-14T22:00:00.000', `${'9'.repeat(400)}`])
      assert.match(
        checkRefusal(await post({ ...BODY, from }), 'MALFORMED_PARAMETER'),
        /^from: Allowed is "now" or a UTC date and time as "2019-08-14T22:00:00", without a zone; this is ".{0,60}"\.$/,
      );
  });

  test('reachability and userbase want no more than they take', async () => {
    const { events: _, ...dated } = BODY;
    checkRefusal(await post({ ids: BODY.ids }, `${LIVE}/reachability/events`), 'MISSING_PARAMETER');
    checkRefusal(await post({}, `${LIVE}/userbase`), 'MISSING_PARAMETER');
    checkAnswer(await post({ ...dated, events: 5 }, `${LIVE}/reachability/events`), 202, schemas.created);
    checkAnswer(await post({ ...BODY, from: 'never', surplus: 1 }, `${LIVE}/userbase`), 202, schemas.created);
  });
});

describe('bodies as a whole', () => {
  test('malformed, of another kind, missing, too large, of another type', async () => {
    const flaws = ['{', "{'ids': []}", '{"ids": ["install_id"],}', 'NaN', '', '  ', '[]', '5', 'null'];
    for (const body of flaws) checkRefusal(await post(body), 'MALFORMED_JSON_BODY');
    checkRefusal(await waiting.call('POST', PUSH), 'MALFORMED_JSON_BODY');
    checkRefusal(await post({ ...BODY, note: 'x'.repeat(1_048_576) }), 'MALFORMED_JSON_BODY');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    checkRefusal(await post(JSON.stringify(BODY), PUSH, { headers: form }), 'MALFORMED_JSON_BODY');
    checkRefusal(await post('{"__proto__": {}}'), 'MALFORMED_JSON_BODY');
  });
});

describe('who asks', () => {
  test('no key, a key of nobody, of another dialect, without the right to create', async () => {
    checkRefusal(await post(BODY, PUSH, { key: null }), 'AUTHENTICATION_INVALID');
    for (const key of ['nobodys', KEYS.native, KEYS.reader, 'x'.repeat(500)])
      checkRefusal(await post(BODY, PUSH, { key }), 'AUTHENTICATION_INVALID');
    const bearer = { key: null, headers: { authorization: `Bearer ${KEYS.rest}` } };
    checkRefusal(await post(BODY, PUSH, bearer), 'AUTHENTICATION_INVALID');
  });

  test('an app of another key is answered like one of nobody, and before anything else', async () => {
    const answers = await Promise.all([
      post('{', `${exportOf('OTHERAPP')}/userbase`),
      post(BODY, `${exportOf('NOBODYS')}/userbase`),
      post(BODY, `${exportOf('LIVEAPP')}/userbase`, { key: KEYS.other }),
      post(BODY, `${exportOf('LIVEAPP')}/userbase`, { key: 'nobodys' }),
      post(BODY, `${exportOf('BASICAPP')}/userbase`),
      waiting.call('GET', `${exportOf('OTHERAPP')}/request/${NOBODYS}`),
    ]);
    for (const answer of answers) {
      checkRefusal(answer, 'AUTHENTICATION_INVALID');
      assert.deepEqual(sayingOf(answer), sayingOf(answers[0] as Answer));
    }
  });

  test('a plan below the floor', async () => {
    const words = checkRefusal(await post(BODY, `${exportOf('BASICAPP')}/userbase`, { key: KEYS.basic }), 'API_MISUSE');
    assert.match(words, /Enterprise/);
    checkRefusal(
      await waiting.call('GET', `${exportOf('BASICAPP')}/request/${NOBODYS}`, { key: KEYS.basic }),
      'API_MISUSE',
    );
  });
});

describe('what is not there', () => {
  test('routes, methods, and URLs nobody can read', async () => {
    for (const [method, path] of [
      ['GET', '/batch'],
      ['GET', '/batch/'],
      ['GET', '/batch/v1/jobs'],
      ['POST', `${LIVE}/userbase/`],
      ['POST', `${LIVE}/campaign/spring`],
      ['POST', `${LIVE}/inapp-campaign/banner/ids`],
      ['GET', `${LIVE}/userbase`],
      ['DELETE', `${LIVE}/request/${NOBODYS}`],
      ['GET', `${LIVE}/request`],
      ['GET', `${LIVE}/request/%zz`],
      ['GET', `${LIVE}/request/${'x'.repeat(300)}`],
    ] as const)
      checkRefusal(await waiting.call(method, path), 'ROUTE_NOT_FOUND');
  });

  test('campaigns and groups: unknown, of another kind, of another app', async () => {
    for (const [path, words] of [
      ['/campaign//ids', 'The app has no such push campaign.'],
      ['/campaign/nothing/ids', 'The app has no such push campaign.'],
      ['/campaign/banner/events', 'The app has no such push campaign.'],
      ['/campaign/only-DEVAPP/ids', 'The app has no such push campaign.'],
      ['/campaign/spring%00/ids', 'The app has no such push campaign.'],
      ["/campaign/spring'--/ids", 'The app has no such push campaign.'],
      ['/transactional/spring/ids', 'The app has no such transactional group.'],
    ] as const)
      assert.equal(checkRefusal(await post(BODY, `${LIVE}${path}`), 'ROUTE_NOT_FOUND'), words);
    const body = { ...BODY, events: ['inapp_shown'] };
    const words = checkRefusal(await post(body, `${LIVE}/in-app-campaign/spring/ids`), 'ROUTE_NOT_FOUND');
    assert.equal(words, 'The app has no such in-app campaign.');
    checkAnswer(await post(BODY, `${LIVE}/campaign/only-LIVEAPP/ids`), 202, schemas.created);
  });

  test('requests: of nobody, of another app, of a wrong form; results that are not there yet', async () => {
    const id = await waiting.create('/userbase', { ids: ['custom_id'] });
    const known = await waiting.call('GET', `${LIVE}/request/${id}`);
    checkAnswer(known, 200, schemas.status('userbase', 'open'));
    assert.equal(known.json.status, 'CREATED');
    assert.equal(known.headers.get('retry-after'), '1');
    const look = (app: string, wanted: string, key = KEYS.rest) =>
      waiting.call('GET', `${exportOf(app)}/request/${wanted}`, { key });
    const unknown = await look('LIVEAPP', NOBODYS);
    assert.equal(checkRefusal(unknown, 'ROUTE_NOT_FOUND'), 'There is no such request.');
    // A key that holds both apps sees each app's own alone.
    for (const other of [
      await look('DEVAPP', id),
      await look('OTHERAPP', id, KEYS.other),
      await look('LIVEAPP', 'no-uuid'),
      await waiting.call('GET', `${exportOf('OTHERAPP')}/request/${id}/results/a.csv`, { key: KEYS.other }),
    ])
      assert.deepEqual(sayingOf(other), sayingOf(unknown));
    for (const name of [`userbase-${id}.csv`, 'x.csv', 'x.txt', ''])
      checkRefusal(await waiting.call('GET', `${LIVE}/request/${id}/results/${name}`), 'ROUTE_NOT_FOUND');
  });
});

describe('limits', () => {
  test('an identical unfinished request conflicts, and is named; any other does not', async () => {
    const path = '/campaign/summer/events';
    const body = { ...BODY, ids: ['install_id', 'custom_id'] };
    const id = await waiting.create(path, body);
    const { ids, events, to, from } = body;
    for (const same of [body, { ids, events, to, from }, { ...body, surplus: true }]) {
      const words = checkRefusal(await post(same, `${LIVE}${path}`), 'CONFLICT');
      assert.equal(words, `The export ${id} is still in progress.`);
    }
    await waiting.create('/campaign/summer/ids', body);
    await waiting.create('/campaign/spring/events', body);
    await waiting.create(path, { ...body, from: '2019-08-14T22:00:01' });
    await waiting.create(path, body, { app: 'DEVAPP' });
  });

  test('a full queue', async () => {
    const full = async (at: number): Promise<Answer> => {
      const answer = await post(
        { ...BODY, from: `2020-01-01T00:00:${at}` },
        `${exportOf('OTHERAPP')}/campaign/spring/ids`,
        {
          key: KEYS.other,
        },
      );
      return answer.status === 202 ? full(at + 1) : answer;
    };
    const answer = await full(10);
    assert.match(checkRefusal(answer, 'TOO_MANY_REQUESTS'), /20 runs/);
  });

  test('maintenance takes nothing, and tells what was taken; unknown campaigns are let through where they may be', async () => {
    const config = { maintenance: true };
    await using closed = await BatchGround.open({ dispatches: false, config, batch: { unknownTarget: 'empty' } });
    checkRefusal(await closed.call('POST', PUSH, { body: BODY }), 'MAINTENANCE_ERROR');
    checkRefusal(await closed.call('POST', `${LIVE}/campaign/nothing/ids`, { body: BODY }), 'MAINTENANCE_ERROR');
    checkRefusal(await closed.call('GET', `${LIVE}/request/${NOBODYS}`), 'ROUTE_NOT_FOUND');
  });

  test('a store that is away', async () => {
    const id = await waiting.create('/userbase', { ids: ['advertising_id'] });
    await waiting.change('alter table runs rename to gone');
    const answers = [await waiting.call('GET', `${LIVE}/request/${id}`), await post(BODY)];
    await waiting.change('alter table gone rename to runs');
    const words = 'This failed for a reason on our side; try again later.';
    for (const answer of answers) assert.equal(checkRefusal(answer, 'SERVER_ERROR'), words);
    checkAnswer(await waiting.call('GET', `${LIVE}/request/${id}`), 200, schemas.status('userbase', 'open'));
  });
});
