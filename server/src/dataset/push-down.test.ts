import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { column } from '../../test/dataset-column.ts';
import type { ColumnType } from '../column/type.ts';
import type { Dataset } from './dataset.ts';
import { pushDown, pushFirst } from './push-down.ts';
import { makeQuery } from './query.ts';

const COLUMNS: Readonly<Record<string, readonly [type: ColumnType, natural: string | null]>> = {
  id: [{ is: 'integer', bits: 64 }, 'int8'],
  small: [{ is: 'integer', bits: 32 }, 'int4'],
  narrow: [{ is: 'integer', bits: 32 }, 'int8'],
  amount: [{ is: 'decimal', precision: 10, scale: 2 }, 'numeric(10,2)'],
  loose: [{ is: 'decimal', precision: 10, scale: 2 }, 'numeric'],
  fine: [{ is: 'decimal', precision: 10, scale: 2 }, 'numeric(10,3)'],
  wide: [{ is: 'float', bits: 64 }, 'float8'],
  short: [{ is: 'float', bits: 32 }, 'float4'],
  name: [{ is: 'text' }, 'text'],
  'odd"name': [{ is: 'text' }, 'varchar'],
  padded: [{ is: 'text' }, 'bpchar'],
  folded: [{ is: 'text' }, 'citext'],
  count: [{ is: 'integer', bits: 64 }, 'text'],
  key: [{ is: 'uuid' }, 'uuid'],
  day: [{ is: 'date' }, 'date'],
  local: [{ is: 'timestamp', unit: 'us' }, 'timestamp'],
  nano: [{ is: 'timestamp', unit: 'ns' }, 'timestamp'],
  at: [{ is: 'instant', unit: 'us' }, 'timestamptz'],
  on: [{ is: 'bool' }, 'bool'],
  data: [{ is: 'json' }, 'jsonb'],
  tags: [{ is: 'list', of: { is: 'text' } }, '_text'],
  unknown: [{ is: 'text' }, null],
};

const dataset: Dataset = {
  name: 'rows',
  columns: Object.entries(COLUMNS).map(([name, [type]]) => ({ ...column(name, type), from: `${name}_` })),
  key: [],
  time: 'at',
  tenancy: 'shared',
  lookbackDays: null,
};

const natural = new Map(Object.entries(COLUMNS).flatMap(([name, [, type]]) => (type ? [[`${name}_`, type]] : [])));

const OPEN = { start: null, end: null };

const filtered = (filter: unknown) => pushDown(dataset, { scope: { is: 'shared' }, window: OPEN, filter }, natural);

function says(filter: unknown, where: string): void {
  assert.deepEqual(filtered(filter), { where, isExact: true });
}

function leaves(filter: unknown, where: string | null = null): void {
  assert.deepEqual(filtered(filter), { where, isExact: false }, JSON.stringify(filter));
}

describe('a filter', () => {
  it('of none is told exactly by no condition', () => {
    assert.deepEqual(filtered(undefined), { where: null, isExact: true });
    assert.deepEqual(filtered({}), { where: null, isExact: true });
  });

  it('compares bare columns with literals of their types', () => {
    says({ id: { eq: '-9223372036854775808' } }, `"id_" = '-9223372036854775808'::BIGINT`);
    says({ small: { lte: 7 } }, `"small_" <= '7'::INTEGER`);
    says({ amount: { gt: '1.50' } }, `"amount_" > '1.5'::DECIMAL(10,2)`);
    says({ wide: { lt: 1e21 } }, `"wide_" < '1e+21'::float8`);
    says({ short: { eq: 0.1 } }, `"short_" = '0.1'::float4`);
    says({ short: { lt: 1e300 } }, `"short_" < '1e+300'::float8`);
    says({ on: { eq: true } }, '"on_" = true');
    says(
      { key: { eq: '00000000-0000-0000-0000-00000000000A' } },
      `"key_" = '00000000-0000-0000-0000-00000000000A'::UUID`,
    );
    says({ day: { gte: '2026-01-31' } }, `"day_" >= '2026-01-31'::DATE`);
    says({ local: { lt: '2026-01-31 12:00:00.5' } }, `"local_" < '2026-01-31 12:00:00.5'::TIMESTAMP`);
    says({ at: { lt: '2026-01-31T12:00:00+02:00' } }, `"at_" < '2026-01-31T10:00:00.000000Z'::TIMESTAMPTZ`);
  });

  it('orders text by its bytes and asks for equality plainly', () => {
    says({ name: { eq: 'x' } }, `"name_" = 'x'`);
    says({ 'odd"name': { gt: 'x' } }, `"odd""name_" collate "C" > 'x'`);
    says({ name: { contains: '%' } }, `strpos("name_", '%') > 0`);
    says({ name: { startsWith: '' } }, `starts_with("name_", '')`);
  });

  it('quotes text so that no setting of the server changes it', () => {
    says({ name: { eq: "it's" } }, `"name_" = 'it''s'`);
    says({ name: { eq: "\\' or 1=1 --" } }, `"name_" = E'\\\\'' or 1=1 --'`);
    says({ name: { in: ['\\', 'a'] } }, `"name_" in (E'\\\\', 'a')`);
  });

  it('knows that no text there holds NUL', () => {
    says({ name: { eq: 'a\0b' } }, 'false');
    says({ name: { ne: 'a\0b' } }, '((false) is not true)');
    says({ name: { contains: '\0' } }, 'false');
    says({ name: { nin: ['\0', 'a'] } }, `(("name_" in ('a')) is not true)`);
    says({ name: { in: ['\0', null] } }, '(false or "name_" is null)');
    says({ name: { gte: 'a\0b' } }, `"name_" collate "C" > 'a'`);
    says({ name: { lt: 'a\0b' } }, `"name_" collate "C" <= 'a'`);
  });

  it('keeps rows without a value in every complement', () => {
    says({ id: { ne: 1 } }, `(("id_" = '1'::BIGINT) is not true)`);
    says({ not: { id: { lt: 1 } } }, `(("id_" < '1'::BIGINT) is not true)`);
    says({ id: { nin: [] } }, '((false) is not true)');
    says({ id: { ne: null } }, '(("id_" is null) is not true)');
    says({ id: { exists: false } }, '"id_" is null');
    says({ id: { in: [1, null] } }, `("id_" in ('1'::BIGINT) or "id_" is null)`);
  });

  it('takes a conjunction apart, also within one, and joins the rest in brackets', () => {
    says(
      { id: { gte: 1, lt: 3 }, and: [{ or: [{ on: { eq: true } }, { name: { eq: 'x' } }] }] },
      `"id_" >= '1'::BIGINT and "id_" < '3'::BIGINT and ("on_" = true or "name_" = 'x')`,
    );
    says({ or: [{}, { id: { eq: 1 } }] }, `(true or "id_" = '1'::BIGINT)`);
  });

  it('leaves out what only DuckDB can tell, and with it no more than the condition it stands in', () => {
    const [id, pattern] = [{ id: { eq: 1 } }, { name: { matches: 'x' } }];
    leaves({ and: [id, pattern] }, `"id_" = '1'::BIGINT`);
    leaves(
      { and: [id, { or: [id, pattern] }, { not: pattern }, { not: { and: [id, pattern] } }] },
      `"id_" = '1'::BIGINT`,
    );
    for (const each of [{ 'data.x': { eq: 1 } }, { tags: { has: 'x' } }, { data: { exists: true } }]) leaves(each);
  });

  it('is left alone where the type there is not known to be ours', () => {
    for (const name of ['padded', 'folded', 'unknown']) leaves({ [name]: { eq: 'x' } });
    for (const name of ['narrow', 'loose', 'fine', 'count']) leaves({ [name]: { ne: 1 } });
    leaves({ nano: { lt: '2026-01-31T12:00:00' } });
    leaves({ unknown: { exists: true } });
  });

  it('is refused for the operands that DuckDB’s would be refused for', () => {
    for (const filter of [
      { id: { eq: 'x' } },
      { name: { eq: 1 } },
      { name: { in: ['x', '\ud800'] } },
      { gone: { eq: 1 } },
    ])
      assert.throws(() => filtered(filter), { code: 'request.invalid' });
  });
});

describe('a window', () => {
  const window = { start: '2026-01-01T00:00:00.000000Z', end: '2026-02-01T00:00:00.000000Z' };
  const cut = (time: string) => pushDown({ ...dataset, time }, { scope: { is: 'shared' }, window }, natural);

  it('is cut on the time column’s own type', () => {
    const sides = (name: string, [start, end]: readonly [string, string], type: string) =>
      assert.deepEqual(cut(name), {
        where: `"${name}_" >= '${start}'::${type} and "${name}_" < '${end}'::${type}`,
        isExact: true,
      });
    sides('at', [window.start, window.end], 'TIMESTAMPTZ');
    sides('local', ['2026-01-01T00:00:00.000000', '2026-02-01T00:00:00.000000'], 'TIMESTAMP');
    sides('day', ['2026-01-01', '2026-02-01'], 'DATE');
    assert.deepEqual(cut('nano'), { where: null, isExact: false });
  });
});

describe('a scope', () => {
  const bound = (tenant: string, name: string, types: ReadonlyMap<string, string> = natural) =>
    pushDown({ ...dataset, tenancy: { column: name } }, { scope: { is: 'tenant', tenant }, window: OPEN }, types);

  it('stands first, on the bare column where the types are the same', () => {
    assert.deepEqual(bound("acme'", 'name'), { where: `"name_" = 'acme'''`, isExact: true });
    assert.deepEqual(bound('7', 'id'), { where: `"id_" = '7'::BIGINT`, isExact: true });
    assert.deepEqual(bound('a\0b', 'name'), { where: 'false', isExact: true });
  });

  it('is said of the text where they are not, and asked again by DuckDB', () => {
    const where = `("folded_" is not null and ("folded_"::text collate "C" = 'x' or concat("folded_") collate "C" = 'x'))`;
    assert.deepEqual(bound('x', 'folded'), { where, isExact: false });
    assert.deepEqual(bound('x\\', 'padded'), { where: `"padded_" = E'x\\\\'::bpchar`, isExact: false });
    assert.deepEqual(bound('\0', 'folded'), { where: 'false', isExact: false });
    assert.equal(bound('x', 'name', new Map()).where, where.replaceAll('folded', 'name'));
  });

  it('is never left out: what cannot be said is refused', () => {
    for (const name of ['count', 'narrow', 'loose'])
      assert.throws(() => bound('7', name), {
        code: 'source.refused',
        message: /^rows is not set up correctly/,
      });
    const tenants: Dataset = { ...dataset, tenancy: { column: 'name' } };
    assert.throws(() => pushDown(tenants, { scope: { is: 'shared' }, window: OPEN }, natural), {
      code: 'auth.forbidden',
    });
    assert.throws(() => bound('x', 'gone'), { code: 'internal' });
    assert.throws(() => bound('x', 'id'), { code: 'request.invalid', pointer: '/tenant' });
  });

  it('stays where nothing else can be said', () => {
    const tenants: Dataset = { ...dataset, tenancy: { column: 'name' } };
    const filter = { or: [{ unknown: { eq: 'x' } }, { id: { eq: 1 } }] };
    const scope = { is: 'tenant', tenant: 'acme' } as const;
    assert.deepEqual(pushDown(tenants, { scope, window: OPEN, filter }, natural), {
      where: `"name_" = 'acme'`,
      isExact: false,
    });
    assert.match(makeQuery(tenants, scope, OPEN, { filter }).where ?? '', /^"name" = 'acme' and /);
  });
});

describe('the first rows', () => {
  const keyed: Dataset = { ...dataset, key: ['id', 'name'] };
  const firstOf = (filter: unknown, order: readonly string[]) => {
    const pushed = pushDown(keyed, { scope: { is: 'shared' }, window: OPEN, filter }, natural);
    const terms = order.map(
      (name) => ({ name: name.replace('-', ''), direction: name.startsWith('-') ? 'desc' : 'asc' }) as const,
    );
    return { pushed, first: pushFirst(keyed, pushed, { order: terms, limit: 3, relation: '"s"."t"' }, natural) };
  };

  it('are told by their keys, text in the order of its bytes, and rows whose key has NULL stay', () => {
    const { first } = firstOf({ on: { eq: true } }, ['-at', 'id', 'name']);
    const order = '"at_" desc nulls last, "id_" asc nulls last, "name_" collate "C" asc nulls last';
    const select = `select "id_", "name_" from "s"."t" where "on_" = true order by ${order} limit 3`;
    const where = `"on_" = true and (("id_", "name_") in (${select}) or "id_" is null or "name_" is null)`;
    assert.deepEqual(first, { where, isExact: true });
  });

  it("are the engine's to tell where the filter or the order is not exact", () => {
    for (const [filter, order] of [
      [{ name: { matches: 'x' } }, ['id', 'name']],
      [undefined, ['padded', 'id', 'name']],
      [undefined, ['-data', 'id', 'name']],
    ] as const) {
      const { pushed, first } = firstOf(filter, order);
      assert.deepEqual(first, pushed);
    }
  });
});
