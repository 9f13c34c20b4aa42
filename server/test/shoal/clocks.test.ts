import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it, mock } from 'node:test';
import { setClock } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';
import { assertDocumented, assertHeaders } from './contract.ts';
import { JOBS, KEYS, SAMPLE, ShoalGround } from './ground.ts';

const DAY_MS = 86_400_000;

let ground: ShoalGround;
/** Whose operator set everything otherwise. */
let custom: ShoalGround;

before(async () => {
  ground = await ShoalGround.open({
    shoal: { requestsPerMinute: 100, monthlyCredits: { default: 7, enterprise: 12 }, createCredits: 3 },
  });
  custom = await ShoalGround.open({
    shoal: {
      monthlyCredits: { default: 2 },
      enforceCredits: true,
      fileLife: '2h',
      statuses: { completed: 'ready', expired: 'gone' },
    },
  });
});

after(async () => {
  await ground[Symbol.asyncDispose]();
  await custom[Symbol.asyncDispose]();
});

afterEach(() => mock.timers.reset());

function numbers({ headers }: Answer, ...names: string[]): number[] {
  return names.map((name) => Number(headers.get(name) ?? Number.NaN));
}

const look = (key: string = KEYS.first) => ground.call('GET', JOBS, { key });

/** Creates none of which is accepted before all were let in. */
async function createdAtOnce(on: ShoalGround, count: number): Promise<Answer[]> {
  const creates = await on.writing(async () => {
    const asked = Array.from({ length: count }, () => on.call('POST', JOBS, { body: SAMPLE }));
    for (let looks = 0; looks < 2 * count; looks++) await on.call('GET', JOBS);
    return { asked };
  });
  return Promise.all(creates.asked);
}

describe('the rate', () => {
  it('is 100 in a window of 60 s that begins with the first request, for each key by itself', async () => {
    const start = Date.parse('2027-03-01T12:00:00.000Z');
    setClock(start);
    const key = KEYS.second;
    for (let left = 99; left >= 0; left--) {
      if (left === 50) setClock(start + 30_000);
      const answer = await look(key);
      assert.equal(answer.status, 200);
      assert.deepEqual(numbers(answer, 'x-ratelimit-limit', 'x-ratelimit-remaining'), [100, left]);
    }
    for (const [at, wait] of [
      [start + 30_000, 30],
      [start + 58_999, 2],
      [start + 59_999, 1],
    ] as const) {
      setClock(at);
      const over = await look(key);
      assert.equal(over.status, 429);
      assert.deepEqual(over.json, { error: 'Rate limit exceeded', retryAfter: wait });
      assertDocumented('limited', over.json);
      assertHeaders(over, { isKeyed: true });
      assert.deepEqual(numbers(over, 'retry-after', 'x-ratelimit-remaining'), [wait, 0]);
    }
    assert.equal((await look(KEYS.other)).headers.get('x-ratelimit-remaining'), '99');
    setClock(start + 60_000);
    assert.deepEqual(numbers(await look(key), 'x-ratelimit-remaining'), [99]);
  });

  it('counts refusals of a known key, and nothing where no key is asked for', async () => {
    setClock('2027-03-02T12:00:00.000Z');
    assert.equal((await look()).headers.get('x-ratelimit-remaining'), '99');
    assert.equal((await ground.call('POST', JOBS, { body: '{' })).headers.get('x-ratelimit-remaining'), '98');
    assert.equal((await ground.call('GET', `${JOBS}/x`)).headers.get('x-ratelimit-remaining'), '97');
    await ground.call('GET', '/shoal/nope');
    await ground.call('GET', JOBS, { key: 'nobodys' });
    assert.equal((await look()).headers.get('x-ratelimit-remaining'), '96');
  });
});

describe('credits', () => {
  it('are counted by day, by week from Monday and by month, of UTC, for the whole account', async () => {
    // A Saturday, the last of February's days but one; then Sunday, Monday the 1st, and the Monday after.
    const key = KEYS.other;
    const usage = async () => (await ground.call('GET', '/shoal/v1/usage', { key })).json.data;
    for (const [instant, creates, expected] of [
      ['2027-02-27T23:59:59.999Z', 1, [3, 3, 3]],
      ['2027-02-28T00:00:00.000Z', 1, [3, 6, 6]],
      ['2027-02-28T23:59:59.999Z', 0, [3, 6, 6]],
      ['2027-03-01T00:00:00.000Z', 0, [0, 0, 0]],
      ['2027-03-01T00:00:00.001Z', 2, [6, 6, 6]],
      ['2027-03-07T23:59:59.999Z', 0, [0, 6, 6]],
      ['2027-03-08T00:00:00.000Z', 0, [0, 0, 6]],
    ] as const) {
      setClock(instant);
      for (let at = 0; at < creates; at++) await ground.created(SAMPLE, key);
      const data = await usage();
      assertDocumented('usage', { data });
      const [today, thisWeek, thisMonth] = expected;
      const budget = { limit: 12, used: thisMonth, remaining: 12 - thisMonth };
      assert.deepEqual(data, { today, thisWeek, thisMonth, budget }, instant);
    }
  });

  it('stand in the headers: what a create cost, and nothing for looking or for being refused', async () => {
    setClock('2027-05-01T00:00:00.000Z');
    const names = ['x-credit-cost', 'x-monthly-limit', 'x-monthly-used', 'x-monthly-remaining'];
    assert.deepEqual(numbers(await look(), ...names), [0, 12, 0, 12]);
    const made = await ground.call('POST', JOBS, { body: SAMPLE });
    assert.deepEqual([made.status, ...numbers(made, ...names)], [201, 3, 12, 3, 9]);
    const bad = await ground.call('POST', JOBS, { body: {} });
    assert.deepEqual([bad.status, ...numbers(bad, ...names)], [400, 0, 12, 3, 9]);
    assert.deepEqual(numbers(await look(KEYS.second), ...names), [0, 12, 3, 9]);
    assert.deepEqual(numbers(await look(KEYS.growth), ...names), [0, 7, 0, 7]);
  });

  it('that are used up refuse nothing, unless the operator says so', async () => {
    setClock('2027-05-31T23:59:00.000Z');
    for (let made = 0; made < 5; made++) await ground.created();
    assert.deepEqual(numbers(await look(), 'x-monthly-used', 'x-monthly-remaining'), [18, 0]);
    const refused = (await createdAtOnce(custom, 10)).filter(({ status }) => status !== 201);
    assert.equal(refused.length, 8);
    for (const { status, json } of refused)
      assert.deepEqual([status, json], [429, { error: 'Monthly credit limit exceeded', retryAfter: 60 }]);
    setClock('2027-06-01T00:00:00.000Z');
    await custom.created();
  });
});

describe('a file', () => {
  it('can be downloaded for seven days; then its job is expired and its link is dead', async () => {
    const job = await ground.fulfilled(SAMPLE);
    const made = Date.parse(job.updatedAt);
    const end = Date.parse(job.expiresAt);
    assert.ok(Math.abs(end - made - 7 * DAY_MS) <= 1000, `${job.updatedAt} ${job.expiresAt}`);
    const at = async (instant: number) => {
      setClock(instant);
      const { json } = await ground.call('GET', `${JOBS}/${job.id}`);
      assertDocumented('job', json);
      const { status, bytes } = await ground.download(job.downloadUrl);
      return { shown: json.data, status, bytes };
    };
    const before = await at(end - 1);
    assert.deepEqual(before.shown, job);
    assert.equal(before.status, 200);
    const past = await at(end);
    assert.equal(past.status, 410);
    assertDocumented('error', JSON.parse(past.bytes.toString()));
    const expired = { status: 'expired', downloadUrl: null, updatedAt: job.expiresAt };
    assert.deepEqual(past.shown, { ...job, ...expired });
  });

  it('lives as long as the operator says, and is gone for good once it is cleared away', async () => {
    const job = await custom.fulfilled({ scope: 'organizations.registry', format: 'csv' }, KEYS.other);
    assert.equal(job.status, 'ready');
    assert.ok(Math.abs(Date.parse(job.expiresAt) - Date.parse(job.updatedAt) - 7_200_000) <= 60_000);
    await custom.change('update files set removed_at = expires_at');
    const { json } = await custom.call('GET', `${JOBS}/${job.id}`, { key: KEYS.other });
    assert.deepEqual([json.data.status, json.data.downloadUrl], ['gone', null]);
    assert.equal((await custom.download(job.downloadUrl)).status, 410);
  });
});

describe('a link', () => {
  it('dies with its key', async () => {
    const job = await ground.fulfilled(SAMPLE, KEYS.second);
    assert.equal((await ground.download(job.downloadUrl)).status, 200);
    await ground.change("update principals set revoked_at = '2026-01-01T00:00:00.000Z' where id = 18");
    const dead = await ground.download(job.downloadUrl);
    assert.equal(dead.status, 403);
    assertDocumented('error', JSON.parse(dead.bytes.toString()));
    assert.equal((await look(KEYS.second)).status, 403);
  });
});
