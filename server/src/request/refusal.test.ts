import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../base/errors.ts';
import { jsonRefusal } from './refusal.ts';

const PLAIN = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };

const limited = (retryAfterMs?: number) =>
  new Fault('rate.limited', 'Too many.', retryAfterMs === undefined ? {} : { retryAfterMs });

function headersOf(parts: Partial<Parameters<typeof jsonRefusal>[0]>) {
  return jsonRefusal({ status: 429, body: {}, fault: limited(), ...parts }).headers;
}

test('the time to wait is the whole seconds of the fault, at least one, else what the dialect says', () => {
  for (const [ms, seconds] of [
    [0, '1'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [60_000, '60'],
  ] as const)
    assert.deepEqual(headersOf({ fault: limited(ms), retryAfterS: 5 }), { ...PLAIN, 'retry-after': seconds });
  assert.deepEqual(headersOf({ retryAfterS: 5 }), { ...PLAIN, 'retry-after': '5' });
  assert.deepEqual(headersOf({}), PLAIN);
});

test('only a 401 says how to show who asks, and a dialect may name other headers', () => {
  assert.deepEqual(headersOf({ status: 401, challenge: 'Bearer' }), { ...PLAIN, 'www-authenticate': 'Bearer' });
  assert.deepEqual(headersOf({ status: 403, challenge: 'Bearer' }), PLAIN);
  const headers = { 'content-type': 'application/problem+json', 'x-surface': 'export' };
  assert.deepEqual(headersOf({ headers }), { ...PLAIN, ...headers });
});
