import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../base/errors.ts';
import { KINDS, type Kind } from './kinds.ts';
import { options } from './options.ts';
import { readCreate } from './read.ts';
import type { Body } from './schemas.ts';

const NOW = '2026-05-01T12:00:00.123Z';
const REFERENCE = '110e8400-e29b-41d4-b543-446655440000';
const BODY: Body = {
  from: '2026-04-01T00:00:00',
  to: 'now',
  events: ['push_open', 'push_error'],
  ids: ['custom_id', 'install_id'],
};

function kindOf(name: string): Kind {
  const kind = KINDS.find((each) => each.name === name);
  assert.ok(kind);
  return kind;
}

function read(change: Partial<Body> = {}, { kind = 'push-events', token = 'spring', settings = {} } = {}) {
  const ground = { now: NOW, options: options.parse(settings), reference: REFERENCE, tenant: 'LIVEAPP' };
  return readCreate({ kind: kindOf(kind), token, body: { ...BODY, ...change } }, ground);
}

test('a request becomes an ask', () => {
  const { ask, ...rest } = read();
  assert.deepEqual(rest, {
    dialect: 'batch',
    tenant: 'LIVEAPP',
    request: { path: '/campaign/spring/events', body: BODY },
    idempotency: null,
    reference: REFERENCE,
  });
  const { outputs, exclusive, ...query } = ask;
  assert.match(exclusive ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(query, {
    dataset: 'batch.push',
    window: { start: '2026-04-01T00:00:00.000Z', end: NOW, clamp: true },
    filter: { campaign: { eq: 'spring' }, event_type: { in: ['push_opened', 'push_error'] } },
    columns: ['install_id', 'custom_id', 'event_date', 'event_type'],
    distinct: false,
    order: ['event_date', 'install_id'],
    destinations: [{ type: 'download' }],
    fileStem: `push-events-${REFERENCE}`,
    fileLifeMs: 30 * 86_400_000,
  });
});

test('the ids that are printed are those that were asked for, in their order, or all', () => {
  const printed = (settings: object) =>
    read({ ids: ['advertising_id', 'install_id', 'advertising_id'] }, { settings }).ask.columns?.slice(0, -2);
  assert.deepEqual(printed({}), ['install_id', 'advertising_id']);
  const blank = { name: 'custom_id', isBlank: true };
  assert.deepEqual(printed({ printedIds: 'all' }), ['install_id', blank, 'advertising_id']);
});

test('"now" is the time of the request, at either end', () => {
  assert.deepEqual(read({ from: 'now' }).ask.window, { start: NOW, end: NOW, clamp: true });
  const range = { from: 'now', to: '2026-05-01T12:00:01' };
  assert.deepEqual(read(range).ask.window, { start: NOW, end: '2026-05-01T12:00:01.000Z', clamp: true });
  assert.throws(() => read({ from: 'now', to: '2026-05-01T12:00:00' }), wrongAt('/to'));
});

test('a start is moved to the lookback, just before it and not at it', () => {
  const start = (from: string, settings = {}) => read({ from }, { settings }).ask.window.start;
  assert.equal(start('2026-01-31T12:00:00'), '2026-01-31T12:00:00.123Z');
  assert.equal(start('2026-01-31T12:00:01'), '2026-01-31T12:00:01.000Z');
  assert.equal(start('2019-08-14T22:00:00', { lookback: '10d' }), '2026-04-21T12:00:00.123Z');
});

test('a range is refused only when it is reversed', () => {
  const at = '2026-04-01T00:00:00';
  assert.equal(read({ from: at, to: at }).ask.window.end, `${at}.000Z`);
  assert.throws(() => read({ from: '2026-04-01T00:00:01', to: at }), wrongAt('/to'));
});

test('only requests that are alike exclude each other', () => {
  const mark = (...asked: Parameters<typeof read>) => read(...asked).ask.exclusive;
  const { ids, events, to, from } = BODY;
  assert.equal(mark(), mark({ ids, events, to, from } as Body));
  const others = [
    mark({ ids: ['install_id', 'custom_id'] }),
    mark({ to: '2026-04-02T00:00:00' }),
    mark({}, { kind: 'push-ids' }),
    mark({}, { token: 'summer' }),
    mark({}, { kind: 'transactional-events' }),
  ];
  assert.equal(new Set([mark(), ...others]).size, 6);
  assert.equal(mark({}, { settings: { conflict: 'app' } }), 'app');
  assert.equal(mark({}, { settings: { conflict: 'none' } }), undefined);
  assert.throws(() => read({}, { settings: { conflict: 'never' } }), /identical/);
});

test('a token is shown as it has to stand in a path', () => {
  const { request } = read({}, { token: 'a/b ü?' });
  assert.deepEqual(request, { path: '/campaign/a%2Fb%20%C3%BC%3F/events', body: BODY });
});

function wrongAt(pointer: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === 'request.invalid' && error.pointer === pointer;
}
