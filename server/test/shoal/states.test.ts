import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FAULT_CODES, Fault } from '../../src/base/errors.ts';
import type { Config } from '../../src/job/config.ts';
import { refuse } from '../../src/request/shoal/refuse.ts';
import type { Answer } from '../server-ground.ts';
import { assertDocumented, assertHeaders, type Shown } from './contract.ts';
import { JOBS, KEYS, SAMPLE, ShoalGround } from './ground.ts';

async function expect(status: number, what: Shown, answer: Promise<Answer>): Promise<Answer> {
  const given = await answer;
  assert.equal(given.status, status, given.text);
  assertDocumented(what, given.json);
  return given;
}

/** A ground of its own that accepts jobs and starts none. */
function waiting(config: Partial<Config> = {}): Promise<ShoalGround> {
  return ShoalGround.open({ dispatches: false, config });
}

describe('a job', () => {
  let ground: ShoalGround;

  before(async () => {
    ground = await waiting();
  });

  after(() => ground[Symbol.asyncDispose]());

  /** The job after its run was moved on in the tables. */
  async function moved(change: string): Promise<Answer> {
    const { id } = await ground.created();
    await ground.change(`update runs set ${change}
      where job_id = (select id from jobs where reference = '${id}')`);
    return expect(200, 'job', ground.call('GET', `${JOBS}/${id}`));
  }

  it('is requested, then processing, also while it waits for another attempt', async () => {
    const requested = await moved("state = 'queued'");
    assert.deepEqual([requested.json.data.status, requested.headers.get('retry-after')], ['requested', '5']);
    const startedAt = '2027-01-01T00:00:00.000Z';
    for (const state of ['running', 'queued', 'committing']) {
      const { json, headers } = await moved(
        `state = '${state}', attempt = 1, started_at = '${startedAt}', error_code = 'source.busy', error_message = 'Busy.'`,
      );
      assert.equal(headers.get('retry-after'), '5');
      const { status, error, updatedAt, downloadUrl, expiresAt } = json.data;
      assert.deepEqual([status, error, updatedAt, downloadUrl, expiresAt], ['processing', null, startedAt, null, null]);
    }
  });

  it('that failed says why, and one that was cancelled says so', async () => {
    const ended = "started_at = '2027-01-01T00:00:00.000Z', finished_at = '2027-01-01T00:00:01.000Z'";
    for (const [change, text] of [
      ["state = 'failed', error_code = 'value.refused', error_message = 'A value.'", 'A value.'],
      ["state = 'failed', error_code = 'source.changed', error_message = '/data/x changed'", 'Internal server error'],
      ["state = 'cancelled'", 'The export was cancelled.'],
    ] as const) {
      const { json, headers } = await moved(`${change}, ${ended}`);
      const { status, error, updatedAt, downloadUrl, expiresAt } = json.data;
      assert.deepEqual([status, error, updatedAt], ['failed', text, '2027-01-01T00:00:01.000Z']);
      assert.deepEqual([downloadUrl, expiresAt, headers.get('retry-after')], [null, null, null]);
    }
  });

  it('whose store is gone is answered with 500, with nothing of what lies behind', async () => {
    const { id } = await ground.created();
    for (const table of ['jobs', 'principals']) {
      await ground.change(`alter table ${table} rename to ${table}_gone`);
      for (const [method, path] of [
        ['POST', JOBS],
        ['GET', JOBS],
        ['GET', `${JOBS}/${id}`],
        ['GET', '/shoal/v1/usage'],
      ] as const) {
        const body = method === 'POST' ? { body: SAMPLE } : {};
        const { json } = await expect(500, 'error', ground.call(method, path, body));
        assert.deepEqual(json, { error: 'Internal server error' });
      }
    }
    for (const table of ['jobs', 'principals']) await ground.change(`alter table ${table}_gone rename to ${table}`);
    await expect(200, 'job', ground.call('GET', `${JOBS}/${id}`));
  });
});

describe('a server', () => {
  it('under maintenance takes no job and says when to come back; the rest goes on', async () => {
    await using ground = await waiting({ maintenance: true });
    const refused = await expect(503, 'error', ground.call('POST', JOBS, { body: SAMPLE }));
    assert.equal(refused.headers.get('retry-after'), '60');
    assertHeaders(refused, { isKeyed: true });
    assert.deepEqual([refused.headers.get('x-credit-cost'), refused.headers.get('x-monthly-used')], ['0', '0']);
    await expect(200, 'list', ground.call('GET', JOBS));
    await expect(200, 'usage', ground.call('GET', '/shoal/v1/usage'));
    await expect(400, 'error', ground.call('POST', JOBS, { body: { ...SAMPLE, format: 'xml' } }));
  });

  it('refuses what its operator does not offer, in the words of the request', async () => {
    const events = { source: { type: 'duckdb', files: 'events.parquet' }, tenancy: 'shared', lookback: '1d' } as const;
    await using ground = await waiting({
      datasets: { 'shoal.events': events },
      tiers: { enterprise: { formats: ['jsonl', 'csv'], queuedRuns: 2 }, growth: { dialects: [] } },
    });
    const recent = { ...SAMPLE, since: new Date(Date.now() - 60_000).toISOString(), until: null };
    const create = (change: object, key: string = KEYS.first) =>
      ground.call('POST', JOBS, { key, body: { ...recent, ...change } });
    const since = await expect(400, 'error', create({ since: '2026-04-01' }));
    assert.match(since.json.error, /^since: .*the last 1 days/);
    const scope = await expect(400, 'error', create({ scope: 'organizations.registry' }));
    assert.deepEqual(scope.json, { error: 'scope: This scope is not available on this server' });
    const format = await expect(403, 'error', create({ format: 'parquet' }));
    assert.match(format.json.error, /^format: .*parquet; allowed are jsonl, csv/);
    for (let at = 0; at < 2; at++) await expect(201, 'job', create({}));
    const full = await expect(429, 'limited', create({}));
    assert.deepEqual([full.json.retryAfter, full.headers.get('retry-after')], [5, '5']);
    await expect(201, 'job', create({}, KEYS.other));
  });
});

describe('every fault', () => {
  it('has an answer in the envelope, which names no code of ours', () => {
    for (const code of FAULT_CODES) {
      const fault = new Fault(code, 'What was wrong.', { pointer: '/since', retryAfterMs: 1500 });
      const asked = { requestId: 'req_1', part: 'body', method: 'GET', path: '/v1/x' } as const;
      const { status, headers, body } = refuse({ fault, ...asked });
      const what =
        status === 429 ? 'limited' : code === 'route.unknown' || code === 'method.refused' ? 'unrouted' : 'error';
      assertDocumented(what, body);
      assert.ok(!code.includes('.') || !JSON.stringify([body, headers]).includes(code), code);
      assert.equal(headers['retry-after'], '2');
      if (status === 500) assert.deepEqual(body, { error: 'Internal server error' });
    }
  });
});
