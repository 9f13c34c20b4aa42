import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import type { Shape } from '../dataset/shape.ts';
import { baseUrlOf, dialectUrl, readConfig, readOptions } from './config.ts';
import type { Dialect } from './dialect.ts';

const shape: Shape = {
  name: 'ships.voyages',
  columns: [
    { name: 'id', type: 'int64' },
    { name: 'sailedAt', type: 'instant(ms)', description: 'When it left' },
  ],
  key: ['id'],
  time: 'sailedAt',
};

const ships: Dialect = {
  name: 'ships',
  prefix: '/ships',
  shapes: [shape, { ...shape, name: 'ships.ports', time: null }],
  options: z.strictObject({ url: dialectUrl, days: z.int().default(3) }),
  routes: async () => {},
  refuse: () => ({ status: 400, headers: {}, body: {} }),
};

const source = { type: 'duckdb', files: 'voyages.parquet' };

function voyages(declaration: object, rest: object = {}) {
  return readConfig({ datasets: { 'ships.voyages': { source, tenancy: 'shared', ...declaration } }, ...rest }, [ships])
    .datasets['ships.voyages'];
}

function refusal(pointer: string, words: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault);
    assert.deepEqual([error.code, error.pointer], ['request.invalid', pointer]);
    assert.match(error.message, words);
    return true;
  };
}

describe('the history of runs', () => {
  it('is kept for ever, or for a month at least', () => {
    const historyOf = (runs: object) => readConfig({ datasets: {}, runs }, []).runs.history;
    assert.equal(historyOf({}), undefined);
    assert.equal(historyOf({ history: '31d' }), 31 * 86_400_000);
    assert.throws(() => historyOf({ history: '30d' }), refusal('/runs/history', /31d or longer/));
  });
});

describe('a dataset that fills a shape', () => {
  it('gets columns, types, key and time of the shape', () => {
    const { columns, key, time } = voyages({}) ?? {};
    assert.deepEqual(columns, [
      { name: 'id', type: 'int64' },
      { name: 'sailedAt', type: 'instant(ms)', description: 'When it left' },
    ]);
    assert.deepEqual([key, time], [['id'], 'sailedAt']);
  });

  it('maps columns of other names, and keeps columns of its own', () => {
    const { columns } = voyages({ columns: [{ name: 'owner' }, { name: 'sailedAt', from: 'sailed_at' }] }) ?? {};
    assert.deepEqual(columns, [
      { name: 'id', type: 'int64' },
      { name: 'sailedAt', from: 'sailed_at', type: 'instant(ms)', description: 'When it left' },
      { name: 'owner' },
    ]);
  });

  it('is refused where it says otherwise', () => {
    const at = (rest: string) => `/datasets/ships.voyages${rest}`;
    assert.throws(() => voyages({ key: ['name'] }), refusal(at('/key'), /The key of ships\.voyages is id/));
    assert.throws(() => voyages({ time: 'id' }), refusal(at('/time'), /The time .* is sailedAt/));
    const typed = { columns: [{ name: 'owner' }, { name: 'id', type: 'text' }] };
    assert.throws(() => voyages(typed), refusal(at('/columns/1/type'), /"id" is of type int64/));
    const hidden = { columns: [{ name: 'id', hidden: true }] };
    assert.throws(() => voyages(hidden), refusal(at('/columns/0/hidden'), /"id" is exported/));
  });

  it('has a name that its dialect knows', () => {
    const config = { datasets: { 'ships.captains': { source, tenancy: 'shared' } } };
    assert.throws(
      () => readConfig(config, [ships]),
      refusal('/datasets/ships.captains', /ships\.voyages, ships\.ports/),
    );
  });
});

describe('a configuration', () => {
  it('names dialects that there are, with what they take', () => {
    assert.throws(() => voyages({}, { dialects: { trains: {} } }), refusal('/dialects/trains', /there are ships/));
    assert.throws(
      () => voyages({}, { dialects: { ships: { days: 'two' } } }),
      refusal('/dialects/ships/days', /number/),
    );
    assert.throws(
      () => voyages({}, { dialects: { ships: { weeks: 2 } } }),
      refusal('/dialects/ships/weeks', /not known/),
    );
    assert.deepEqual(readOptions(ships, { dialects: {} }), { days: 3 });
  });

  it('names hosts for dialects that there are', () => {
    assert.throws(
      () => voyages({}, { hosts: { 'a.example': 'latin' } }),
      refusal('/hosts/a.example', /there are ships/),
    );
  });

  it('says where customers reach a dialect', () => {
    assert.equal(baseUrlOf(ships, {}, 'https://a.example'), 'https://a.example/ships');
    assert.equal(baseUrlOf(ships, {}, undefined), '/ships');
    const own = readOptions(ships, { dialects: { ships: { url: 'https://ships.example/' } } });
    assert.equal(baseUrlOf(ships, own, 'https://a.example'), 'https://ships.example');
  });
});
