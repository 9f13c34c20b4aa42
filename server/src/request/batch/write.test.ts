import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_CODES, Fault } from '../../base/errors.ts';
import type { Job } from '../../job/job.ts';
import type { Run } from '../../run/run.ts';
import { explain, refuse } from './refuse.ts';
import { writeStatus } from './write.ts';

const ID = '110e8400-e29b-41d4-b543-446655440000';
const GROUND = { now: '2026-05-02T00:00:00.000Z', baseUrl: 'https://exports.example.com/batch' };
const BODY = { ids: ['install_id'] };
const JOB = {
  reference: ID,
  tenant: 'LIVEAPP',
  createdAt: '2026-05-01T12:00:00.999Z',
  request: { path: '/userbase', body: BODY },
} as unknown as Job;
const FILE = { path: 'userbase.csv', expiresAt: '2026-06-01T00:00:00.000Z', isRemoved: false };
const QUEUED = { state: 'queued', attempt: 0, error: null, finishedAt: null, files: [] } as unknown as Run;
const DONE = { ...QUEUED, state: 'succeeded', finishedAt: '2026-05-01T12:00:05.500Z', files: [FILE] } as unknown as Run;

const write = (run: object, ground: object = {}) =>
  writeStatus(JOB, { ...QUEUED, ...run } as Run, { ...GROUND, ...ground });

test('every state of a run has its word', () => {
  const words: [object, string][] = [
    [{}, 'CREATED'],
    [{ attempt: 1 }, 'PENDING'],
    [{ state: 'running', attempt: 1 }, 'PENDING'],
    [{ state: 'committing', attempt: 1 }, 'PENDING'],
    [{ state: 'failed' }, 'ERROR'],
    [{ state: 'cancelled' }, 'ERROR'],
    [DONE, 'SUCCESS'],
    [{ ...DONE, files: [{ ...FILE, isRemoved: true }] }, 'EXPIRED'],
    [{ ...DONE, files: [{ ...FILE, expiresAt: GROUND.now }] }, 'EXPIRED'],
  ];
  for (const [run, word] of words) assert.equal(write(run).status, word, JSON.stringify(run));
});

test('file and completion show with success, the error with failure alone', () => {
  const common = { id: ID, uri: '/batch/1.0/LIVEAPP/userbase', request_date: '2026-05-01T12:00:00', request: BODY };
  const open = { ...common, file_url: null, completion_date: null };
  const completion_date = '2026-05-01T12:00:05';
  const file_url = `${GROUND.baseUrl}/1.0/LIVEAPP/export/request/${ID}/results/userbase.csv`;
  assert.deepEqual(write({}), { ...open, status: 'CREATED' });
  assert.deepEqual(write(DONE), { ...common, file_url, completion_date, status: 'SUCCESS' });
  assert.deepEqual(write({ ...DONE, files: [] }), { ...open, completion_date, status: 'EXPIRED' });
  const error = { code: 'source.refused', message: 'column "secret" of /data/x.parquet' };
  assert.deepEqual(write({ state: 'failed', finishedAt: GROUND.now, error }), {
    ...open,
    status: 'ERROR',
    error_msg: 'SERVER_ERROR: This failed for a reason on our side; try again later.',
  });
  assert.match(write({ state: 'cancelled' }).error_msg ?? '', /cancelled/);
});

test('at a host name of its own there is no prefix, and without a public URL no host', () => {
  assert.equal(write({}, { baseUrl: 'http://batch.localhost:4400' }).uri, '/1.0/LIVEAPP/userbase');
  const { uri, file_url } = write(DONE, { baseUrl: '/batch' });
  assert.equal(uri, '/batch/1.0/LIVEAPP/userbase');
  assert.equal(file_url, `/batch/1.0/LIVEAPP/export/request/${ID}/results/userbase.csv`);
});

const DOCUMENTED = [
  'SERVER_ERROR 500 1',
  'MAINTENANCE_ERROR 503 2',
  'AUTHENTICATION_INVALID 401 10',
  'API_MISUSE 403 12',
  'ROUTE_NOT_FOUND 404 20',
  'MISSING_PARAMETER 400 30',
  'MALFORMED_PARAMETER 400 31',
  'MALFORMED_JSON_BODY 400 32',
  'CONFLICT 409 60',
  'TOO_MANY_REQUESTS 429 61',
];

test('every fault has an answer of the vendor, and faults of ours say nothing of what lies behind them', () => {
  const seen = new Set<string>();
  for (const code of FAULT_CODES) {
    const fault = new Fault(code, `secret of ${code}`, { pointer: '/ids/0' });
    const answer = refuse({ fault, requestId: 'req', part: 'body', method: 'POST', path: '/' });
    const { code: number, message } = answer.body as { code: number; message: string };
    const word = `${message.split(':')[0]} ${answer.status} ${number}`;
    assert.ok(DOCUMENTED.includes(word), `${code}: ${word}`);
    seen.add(word);
    if (answer.status >= 500) assert.doesNotMatch(message, /secret/);
    assert.doesNotMatch(explain({ code, message: '' }), /undefined/);
  }
  // Whether a parameter is missing, the fault tells beside its code.
  assert.deepEqual(
    DOCUMENTED.filter((word) => !seen.has(word)),
    ['MISSING_PARAMETER 400 30'],
  );
});

test('who is to come back is told when', () => {
  const retryOf = (fault: Fault) =>
    refuse({ fault, requestId: 'req', part: 'body', method: 'POST', path: '/' }).headers['retry-after'];
  assert.equal(retryOf(new Fault('tier.queue', 'x', { retryAfterMs: 4100 })), '5');
  assert.equal(retryOf(new Fault('maintenance', 'x')), '60');
  assert.equal(retryOf(new Fault('internal', 'x')), undefined);
});
