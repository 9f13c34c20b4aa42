import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../../job/job.ts';
import type { Run } from '../../run/run.ts';
import { checkKeys } from './keys.ts';
import { writeFailure, writeJob } from './write.ts';

const CREATED = '2026-05-01T12:00:00.000Z';
const JOB = {
  reference: '0123456789abcdef01234567',
  tenant: '1',
  principal: 31,
  createdAt: CREATED,
  request: { jobName: 'ExtractEvidenceCSV', exportTypes: ['clickwrap_activities'], site: 1, account: 901, data: {} },
} as unknown as Job;
const QUEUED = { state: 'queued', attempt: 0, error: null, startedAt: null, finishedAt: null, files: [] };

const write = (run: object) => writeJob({ job: JOB, run: { ...QUEUED, ...run } as unknown as Run });

test('every state of a run has its word, and is active until it is over', () => {
  const words: [object, string, boolean, number][] = [
    [{}, 'pending', true, 0],
    [{ attempt: 1 }, 'scheduled', true, 0],
    [{ state: 'running', attempt: 1 }, 'started', true, 0],
    [{ attempt: 2 }, 'scheduled', true, 1],
    [{ state: 'committing', attempt: 3 }, 'started', true, 2],
    [{ state: 'succeeded', attempt: 5 }, 'success', false, 4],
    [{ state: 'failed', attempt: 9 }, 'failed', false, 4],
    [{ state: 'cancelled' }, 'failed', false, 0],
  ];
  for (const [run, status, active, retries] of words) {
    const job = write(run);
    assert.deepEqual([job.status, job.active, job.retry_count], [status, active, retries], JSON.stringify(run));
  }
  assert.equal(write({}).message, 'Export job is currently pending.');
});

test('a job moves on with its run', () => {
  const [startedAt, finishedAt] = ['2026-05-01T12:00:01.000Z', '2026-05-01T12:00:02.000Z'];
  assert.equal(write({}).updated_time, CREATED);
  assert.equal(write({ state: 'running', startedAt }).updated_time, startedAt);
  assert.equal(write({ state: 'succeeded', startedAt, finishedAt }).updated_time, finishedAt);
});

test('why it failed says nothing of what lies behind', () => {
  const error = { code: 'source.refused', message: 'column "secret" of /data/x.parquet' };
  const failure = writeFailure({ ...QUEUED, state: 'failed', error } as unknown as Run);
  assert.deepEqual(failure.presignedUrls, []);
  assert.doesNotMatch(failure.error ?? '', /secret|undefined/);
  assert.match(write({ state: 'cancelled' }).message, /cancelled/);
});

test('2000 keys of custom data are columns, 2001 are not', () => {
  const keys = Array.from({ length: 2001 }, (_, at) => `key ${at}`);
  assert.equal(checkKeys(keys.slice(1)).length, 2000);
  assert.throws(() => checkKeys(keys), { code: 'request.invalid', pointer: '/custom_all', message: /select\.custom/ });
  assert.deepEqual(checkKeys(['', 'é', 'É']), ['', 'é', 'É']);
});
