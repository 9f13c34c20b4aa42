import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { column } from '../../test/dataset-column.ts';
import type { Dataset } from './dataset.ts';
import { readFilter } from './filter.ts';
import { filterSql } from './filter-sql.ts';

const dataset: Dataset = {
  name: 'rows',
  columns: [
    column('a', { is: 'integer', bits: 64 }),
    column('t', { is: 'text' }),
    column('data', { is: 'json' }),
    column('data.x', { is: 'integer', bits: 64 }),
    column('tags', { is: 'list', of: { is: 'text' } }),
    column('secret', { is: 'text' }, true),
    column('tenant', { is: 'text' }),
  ],
  key: [],
  time: null,
  tenancy: { column: 'tenant' },
  lookbackDays: null,
};

const sql = (filter: unknown) => filterSql(readFilter(filter, dataset));

function refused(filter: unknown, pointer: string, message: RegExp): void {
  assert.throws(() => sql(filter), { code: 'request.invalid', pointer, message });
}

function nested(levels: number): object {
  return levels === 1 ? { a: { eq: 1 } } : { not: nested(levels - 1) };
}

describe('the limits of a filter', () => {
  it('50 levels, not 51', () => {
    assert.ok(sql(nested(50)));
    refused(nested(51), `/filter${'/not'.repeat(50)}`, /deeper than 50 levels/);
    const lists = (levels: number): object => (levels === 1 ? {} : { or: [lists(levels - 1)] });
    assert.ok(sql(lists(50)));
    refused(lists(51), `/filter${'/or/0'.repeat(50)}`, /deeper than 50/);
  });

  it('1 000 nodes, not 1 001', () => {
    // The list's own object, and two nodes for each part.
    const parts = (count: number) => ({ or: Array.from({ length: count }, () => ({ a: { eq: 1 } })) });
    assert.ok(sql({ ...parts(499), t: { eq: 'x' } }));
    refused({ ...parts(499), t: { eq: 'x', ne: 'y' } }, '/filter/t/ne', /more than 1000 nodes/);
    refused(parts(500), '/filter/or/499/a/eq', /more than 1000 nodes/);
  });

  it('10 000 items, not 10 001', () => {
    const items = (count: number) => Array.from({ length: count }, (_, at) => at);
    assert.ok(sql({ a: { in: items(10_000) } }));
    refused({ a: { in: items(10_001) } }, '/filter/a/in', /10001 items; allowed are 10000/);
    refused({ or: [{ a: { nin: items(10_001) } }] }, '/filter/or/0/a/nin', /10001 items/);
    refused({ 'data.y': { in: items(10_001) } }, '/filter/data.y/in', /10001 items/);
    assert.ok(sql({ 'data.y': { anyOf: items(10_000) } }));
    refused({ 'data.y': { noneOf: items(10_001) } }, '/filter/data.y/noneOf', /10001 items/);
  });

  it('1 000 000 bytes, not one more', () => {
    const around = '{"t":{"eq":""}}'.length;
    assert.ok(sql({ t: { eq: 'x'.repeat(1_000_000 - around) } }));
    refused({ t: { eq: 'x'.repeat(1_000_001 - around) } }, '/filter', /1000001 bytes; allowed are 1000000/);
    refused({ t: { eq: 'é'.repeat(600_000) } }, '/filter', /bytes/);
  });

  it('1 000 characters of a pattern, not 1 001', () => {
    assert.ok(sql({ t: { matches: 'x'.repeat(1000) } }));
    refused({ t: { matches: 'x'.repeat(1001) } }, '/filter/t/matches', /more than 1000 characters/);
  });

  it('50 parts of a name, not 51, and no length that would take time', () => {
    const path = (parts: number) => ['data', ...Array.from({ length: parts - 1 }, () => 'y')].join('.');
    assert.ok(sql({ [path(50)]: { eq: 1 } }));
    for (const parts of [51, 400_000])
      refused({ [path(parts)]: { eq: 1 } }, `/filter/${path(parts)}`, /more than 50 parts/);
  });

  it('no depth that would exhaust the stack', () => {
    for (const [open, close] of [
      ['{"not":', '}'],
      ['{"or":[', ']}'],
      ['{"a":{"eq":[', ']}}'],
    ] as const) {
      refused(JSON.parse(`${open.repeat(100_000)}{}${close.repeat(100_000)}`), '/filter', /deeper than 50 levels/);
    }
  });
});

describe('the places of a filter', () => {
  it('are named by pointer', () => {
    refused(null, '/filter', /object of columns/);
    refused([], '/filter', /object of columns/);
    refused('a = 1', '/filter', /object of columns/);
    refused({ a: 1 }, '/filter/a', /object of eq, ne/);
    refused({ a: {} }, '/filter/a', /Nothing is asked/);
    refused({ a: { like: 'x' } }, '/filter/a/like', /"like" is not a test; allowed are eq/);
    refused({ 'x/y~z': { eq: 1 } }, '/filter/x~1y~0z', /is not a column of rows/);
    refused({ and: [] }, '/filter/and', /at least one filter/);
    refused({ and: {} }, '/filter/and', /at least one filter/);
    refused({ or: [{ a: { eq: 1 } }, 7] }, '/filter/or/1', /7 is not allowed here/);
    refused({ not: [{ a: { eq: 1 } }] }, '/filter/not', /not allowed here/);
    refused({ a: { in: 'x' } }, '/filter/a/in', /a list/);
    refused({ a: { in: [1, 'x'] } }, '/filter/a/in/1', /whole number/);
    refused({ a: { exists: 1 } }, '/filter/a/exists', /true or false/);
    refused({ a: { contains: '1' } }, '/filter/a/contains', /contains needs text/);
    refused({ a: { has: 1 } }, '/filter/a/has', /has needs a list/);
    refused({ a: { gt: null } }, '/filter/a/gt', /allowed/);
    refused({ tags: { has: 7 } }, '/filter/tags/has', /allowed is text/);
    refused({ data: { eq: '{}' } }, '/filter/data/eq', /dotted path/);
    refused({ 'data.y': { gt: true } }, '/filter/data.y/gt', /no order/);
    refused({ 'data.y': { in: [1, {}] } }, '/filter/data.y/in/1', /text, a number, true or false/);
    refused(
      { 'data.y': { eq: 2 ** 53 } },
      '/filter/data.y/eq',
      /beyond 2\^53; values inside JSON are compared with smaller/,
    );
    refused({ a: { eq: 2 ** 53 } }, '/filter/a/eq', /beyond 2\^53; send it as a string/);
    refused({ a: { anyOf: [1] } }, '/filter/a/anyOf', /dotted path into a JSON column/);
    refused({ data: { noneOf: [1] } }, '/filter/data/noneOf', /dotted path into a JSON column/);
    refused({ 'data.y': { anyOf: 1 } }, '/filter/data.y/anyOf', /a list/);
    refused({ 'data.y': { noneOf: [1, []] } }, '/filter/data.y/noneOf/1', /text, a number, true or false/);
    refused({ 't.y': { eq: 1 } }, '/filter/t.y', /is not a column/);
  });

  it('a column of a dotted name wins over a path', () => {
    assert.equal(sql({ 'data.x': { eq: 1 } }), `"data.x" = '1'::BIGINT`);
    assert.match(sql({ 'data.z': { eq: 1 } }), /'c0': "data"\}.* json_extract\(columns\.c0, \['\/z'\]\)/);
  });

  it('a long value is not repeated in the message', () => {
    assert.throws(
      () => sql({ tags: { has: { x: 'y'.repeat(1000) } } }),
      (error: Error) => error.message.length < 200,
    );
    assert.throws(
      () => sql({ ['x'.repeat(5000)]: { eq: 1 } }),
      (error: Error) => error.message.length < 300,
    );
  });
});

it('hidden, tenancy and unknown columns are answered alike, as columns and by path', () => {
  const answer = (name: string, key: string) => {
    try {
      sql({ [key]: { eq: 'x' } });
    } catch (error) {
      return (
        JSON.stringify(error, ['code', 'pointer', 'message']).replaceAll(name, '?') +
        (error as Error).message.replaceAll(name, '?')
      );
    }
    return assert.fail(`${key} was let through`);
  };
  for (const suffix of ['', '.x', '.x.y']) {
    const unknown = answer('nothere', `nothere${suffix}`);
    assert.equal(answer('secret', `secret${suffix}`), unknown);
    assert.equal(answer('tenant', `tenant${suffix}`), unknown);
  }
  assert.equal(answer('TENANT', 'TENANT'), answer('nothere', 'nothere'));
});
