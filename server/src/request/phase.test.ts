import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN_STATES, type RunFile } from '../run/run.ts';
import { isKept, keptFiles, phaseOf } from './phase.ts';

test('every state of a run is a phase, and what waits again is told from what waits', () => {
  const phases = RUN_STATES.map((state) => phaseOf({ state, attempt: 0 }));
  assert.deepEqual(phases, ['waiting', 'running', 'running', 'succeeded', 'failed', 'failed']);
  assert.equal(phaseOf({ state: 'queued', attempt: 1 }), 'retrying');
});

test('files are there to their last moment', () => {
  const end = '2026-05-01T12:00:00.000Z';
  const file = { expiresAt: end, isRemoved: false } as RunFile;
  assert.equal(isKept(file, '2026-05-01T11:59:59.999Z'), true);
  assert.equal(isKept(file, end), false);
  const removed = { ...file, isRemoved: true };
  assert.deepEqual(keptFiles({ files: [file, removed] }, '2026-05-01T11:59:59.999Z'), [file]);
});
