import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ColumnType } from '../src/column/type.ts';
import type { Dataset } from '../src/dataset/dataset.ts';
import { readWindow, windowConditions } from '../src/dataset/window.ts';
import { Engine } from '../src/source/engine.ts';

const NOW = '2026-06-15T12:00:00.000Z';

function timed(type: ColumnType | null, lookbackDays: number | null = null): Dataset {
  const columns =
    type === null ? [] : [{ name: 'at', type, nullable: true, from: 'at', description: null, hidden: false }];
  return { name: 'rows', columns, key: [], time: type === null ? null : 'at', tenancy: 'shared', lookbackDays };
}

const INSTANT: ColumnType = { is: 'instant', unit: 'us' };

it('reads both ends, one, or none', () => {
  const dataset = timed(INSTANT);
  assert.deepEqual(readWindow({}, dataset, NOW), { start: null, end: null });
  assert.deepEqual(readWindow({ start: '2026-01-01' }, dataset, NOW), {
    start: '2026-01-01T00:00:00.000000Z',
    end: null,
  });
  assert.deepEqual(readWindow({ end: '2026-01-01T02:00:00+02:00' }, dataset, NOW), {
    start: null,
    end: '2026-01-01T00:00:00.000000Z',
  });
  assert.deepEqual(readWindow({}, timed(null), NOW), { start: null, end: null });
});

it('refuses windows that are none', () => {
  const refused = (ask: object, dataset: Dataset, pointer: string) =>
    assert.throws(() => windowConditions(readWindow(ask, dataset, NOW), dataset), { code: 'request.invalid', pointer });
  refused({ start: '2026-01-01' }, timed(null), '/window');
  refused({ start: '2026-01-01', end: '2026-01-01' }, timed(INSTANT), '/window/end');
  refused({ start: '2026-01-02', end: '2026-01-01' }, timed(INSTANT), '/window/end');
  refused({ start: null }, timed(INSTANT), '/window/start');
  refused({ end: 1769860800000 }, timed(INSTANT), '/window/end');
  refused({ start: '2026-01-01T12:00:00Z' }, timed({ is: 'date' }), '/window/start');
  refused({ start: '2026-01-01' }, timed({ is: 'text' }), '/window/start');
  refused({ start: '1600-01-01' }, timed({ is: 'timestamp', unit: 'ns' }), '/window/start');
});

it('keeps to the lookback', () => {
  const dataset = timed(INSTANT, 30);
  const bound = '2026-05-16T12:00:00.000000Z';
  assert.deepEqual(readWindow({}, dataset, NOW), { start: bound, end: null });
  assert.deepEqual(readWindow({ end: '2026-06-01' }, dataset, NOW).start, bound);
  assert.equal(readWindow({ start: bound }, dataset, NOW).start, bound);
  assert.throws(() => readWindow({ start: '2026-05-16T11:59:59.999999Z' }, dataset, NOW), {
    code: 'request.invalid',
    pointer: '/window/start',
    message: /the last 30 days, from 2026-05-16T12:00:00/,
  });
});

it('moves what lies before the lookback when it is clamped, down to nothing', () => {
  const dataset = timed(INSTANT, 30);
  const bound = '2026-05-16T12:00:00.000000Z';
  const clamped = (start: string, end: string) => readWindow({ start, end, clamp: true }, dataset, NOW);
  assert.deepEqual(clamped('2026-01-01', '2026-06-01'), { start: bound, end: '2026-06-01T00:00:00.000000Z' });
  assert.deepEqual(clamped('2026-01-01', '2026-02-01'), { start: bound, end: bound });
  assert.deepEqual(clamped('2026-06-02', '2026-06-01'), {
    start: '2026-06-02T00:00:00.000000Z',
    end: '2026-06-02T00:00:00.000000Z',
  });
  assert.deepEqual(readWindow({ start: '2020-01-01', end: '2020-01-01', clamp: true }, timed(INSTANT), NOW), {
    start: '2020-01-01T00:00:00.000000Z',
    end: '2020-01-01T00:00:00.000000Z',
  });
});

it('is half-open in every type of time column, and a row without a time lies in none', async () => {
  await using engine = await Engine.open({ memoryBytes: 256 * 1024 * 1024, threads: 2, stageFolder: null, files: [] });
  const session = await engine.session();
  const cases: readonly [type: ColumnType, sql: string][] = [
    [INSTANT, 'timestamptz'],
    [{ is: 'timestamp', unit: 'us' }, 'timestamp'],
    [{ is: 'timestamp', unit: 'ns' }, 'timestamp_ns'],
    [{ is: 'date' }, 'date'],
  ];
  for (const [type, sql] of cases) {
    const dataset = timed(type);
    const values = ['2025-12-31', '2026-01-01', '2026-01-02', '2026-01-03'].map((day) => `('${day}'::${sql})`);
    const where = (ask: object) => windowConditions(readWindow(ask, dataset, NOW), dataset).join(' and ') || 'true';
    const days = async (ask: object) => {
      const { rows } = await session.read(
        `select strftime("at"::timestamp, '%d')::integer from (values ${values.join(', ')}, (null)) as given("at") where ${where(ask)} order by "at"`,
      );
      return rows.map(([day]) => day);
    };
    assert.deepEqual(await days({ start: '2026-01-01', end: '2026-01-03' }), [1, 2], sql);
    assert.deepEqual(await days({ start: '2026-01-02' }), [2, 3], sql);
    assert.deepEqual(await days({ end: '2026-01-01' }), [31], sql);
    assert.deepEqual(await days({}), [31, 1, 2, 3, null], sql);
  }
});

it('cuts between microseconds', async () => {
  await using engine = await Engine.open({ memoryBytes: 256 * 1024 * 1024, threads: 2, stageFolder: null, files: [] });
  const session = await engine.session();
  const dataset = timed(INSTANT);
  const conditions = windowConditions(
    readWindow({ start: '2026-01-01T00:00:00.000001Z', end: '2026-01-01T00:00:00.000003Z' }, dataset, NOW),
    dataset,
  );
  const { rows } = await session.read(
    `select epoch_us("at") % 10 from (select make_timestamptz(1767225600000000 + i) as "at" from range(6) r(i)) where ${conditions.join(' and ')} order by 1`,
  );
  assert.deepEqual(
    rows.map(([micros]) => Number(micros)),
    [1, 2],
  );
});
