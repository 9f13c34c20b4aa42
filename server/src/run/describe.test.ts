import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version } from '@duckdb/node-api';
import { engineVersions } from './describe.ts';

test('the version that stands in plans is the one the engine tells of itself', () => {
  assert.equal(engineVersions().duckdb, version());
});
