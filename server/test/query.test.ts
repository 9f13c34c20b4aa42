import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { literal } from '../src/column/sql.ts';
import type { Dataset, Scope } from '../src/dataset/dataset.ts';
import { makeQuery, type QueryAsk, querySql } from '../src/dataset/query.ts';
import { Engine, type Session } from '../src/source/engine.ts';
import { column } from './dataset-column.ts';
import { draws, fc } from './draws.ts';
import { HOSTILE } from './hostile.ts';

const dataset: Dataset = {
  name: 'events',
  columns: [
    column('id', { is: 'integer', bits: 64 }),
    column('owner', { is: 'text' }),
    column('mark', { is: 'text' }),
    column('amount', { is: 'integer', bits: 64 }),
    column('data', { is: 'json' }),
    column('secret', { is: 'text' }, true),
  ],
  key: ['id'],
  time: null,
  tenancy: { column: 'owner' },
  lookbackDays: null,
};

const OPEN = { start: null, end: null };
const TENANTS = [...HOSTILE, 'acme', 'ACME', 'acme ', 'globex'];

let engine: Engine;
let session: Session;

before(async () => {
  engine = await Engine.open({ memoryBytes: 256 * 1024 * 1024, threads: 2, stageFolder: null, files: [] });
  session = await engine.session();
  await session.run(
    'create table events (id bigint, owner varchar, mark varchar, amount bigint, data json, secret varchar)',
  );
  // `mark` repeats whose the row is, as its owner would see it; two rows belong to nobody.
  const rows = TENANTS.flatMap((tenant, at) =>
    [0, 1, 2].map(
      (each) =>
        `(${at * 3 + each}, ${literal(tenant)}, ${literal(`of ${tenant}`)}, ${each === 2 ? 'null' : each}, '{"n": ${each}}', 'secret')`,
    ),
  );
  await session.run(
    `insert into events values ${rows.join(', ')}, (1000, null, 'of nobody', 1, null, 'secret'), (1001, null, 'of nobody', null, null, 'secret')`,
  );
});

after(() => engine[Symbol.asyncDispose]());

async function rowsOf(scope: Scope, ask: QueryAsk): Promise<readonly (readonly unknown[])[]> {
  return (await session.read(querySql(makeQuery(dataset, scope, OPEN, ask), 'events'))).rows;
}

const test: fc.Arbitrary<object> = fc.oneof(
  fc.record({ amount: fc.record({ ne: fc.constantFrom(0, 1, null) }) }),
  fc.record({ amount: fc.record({ nin: fc.constant([]) }) }),
  fc.record({ amount: fc.record({ in: fc.constant([0, 1, null]) }) }),
  fc.record({ id: fc.record({ gte: fc.constantFrom(0, -1) }) }),
  fc.record({ mark: fc.record({ exists: fc.boolean() }) }),
  fc.record({ mark: fc.record({ contains: fc.constantFrom('', 'of', ...TENANTS) }) }),
  fc.record({ mark: fc.record({ ne: fc.constantFrom(...TENANTS) }) }),
  fc.record({ 'data.n': fc.record({ ne: fc.constantFrom<unknown>(7, 'x', true, null) }) }),
  fc.record({ 'data.owner': fc.record({ exists: fc.boolean() }) }),
  fc.constant({}),
);

const { filter } = fc.letrec<{ filter: object }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 5, depthSize: 'large' },
    test,
    tie('filter').map((not) => ({ not })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
  ),
}));

const ask: fc.Arbitrary<QueryAsk> = fc
  .record({
    filter: fc.option(filter, { nil: undefined }),
    columns: fc.constantFrom(undefined, ['mark'], ['mark', 'id'], ['id', 'mark', 'amount', 'data']),
    order: fc.constantFrom(undefined, ['mark'], ['-mark']),
    distinct: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined)));

describe('a tenant', () => {
  it('sees no row of another, whatever is asked', async () => {
    const asks = fc.tuple(fc.constantFrom(...TENANTS), ask);
    await fc.assert(
      fc.asyncProperty(asks, async ([tenant, each]) => {
        const { columns } = makeQuery(dataset, { is: 'tenant', tenant }, OPEN, each);
        const mark = columns.findIndex(({ name }) => name === 'mark');
        const rows = await rowsOf({ is: 'tenant', tenant }, each);
        for (const row of rows) assert.equal(row[mark], `of ${tenant}`);
        assert.ok(rows.length <= 3);
      }),
      { numRuns: draws({ few: 300, many: 15_000 }) },
    );
  });

  it('sees all of its own', async () => {
    for (const tenant of TENANTS) {
      assert.equal((await rowsOf({ is: 'tenant', tenant }, {})).length, 3, tenant);
      assert.equal(
        (
          await rowsOf(
            { is: 'tenant', tenant },
            { filter: { or: [{ amount: { eq: 7 } }, { not: { amount: { eq: 7 } } }] } },
          )
        ).length,
        3,
        tenant,
      );
    }
    assert.deepEqual(await rowsOf({ is: 'tenant', tenant: 'nobody' }, {}), []);
  });

  it('gets the same rows and their complement by a filter and its not', async () => {
    await fc.assert(
      fc.asyncProperty(filter, async (each) => {
        const scope: Scope = { is: 'tenant', tenant: 'acme' };
        const ids = async (asked: object) =>
          (await rowsOf(scope, { columns: ['id'], filter: asked, order: ['id'] })).map(([id]) => Number(id));
        const [matching, others, all] = [await ids(each), await ids({ not: each }), await ids({})];
        assert.deepEqual(
          [...matching, ...others].sort((left, right) => left - right),
          all,
        );
      }),
      { numRuns: draws({ few: 60, many: 2000 }) },
    );
  });
});

describe('the scope', () => {
  it('cannot be shared for rows that belong to tenants', () => {
    for (const each of [{}, { distinct: true }, { filter: { id: { eq: 1 } } }, { columns: ['id'], order: ['id'] }]) {
      assert.throws(() => makeQuery(dataset, { is: 'shared' }, OPEN, each), { code: 'auth.forbidden' });
    }
  });

  it('shows all rows to the operator, and bounds nothing of shared data', async () => {
    assert.equal((await rowsOf({ is: 'operator' }, {})).length, TENANTS.length * 3 + 2);
    const shared: Dataset = { ...dataset, tenancy: 'shared' };
    for (const scope of [{ is: 'shared' }, { is: 'operator' }, { is: 'tenant', tenant: 'acme' }] as const) {
      assert.equal(makeQuery(shared, scope, OPEN, {}).where, null);
    }
  });

  it('is refused where the tenancy column is not there, rather than left out', () => {
    const broken: Dataset = { ...dataset, tenancy: { column: 'gone' } };
    assert.throws(() => makeQuery(broken, { is: 'tenant', tenant: 'acme' }, OPEN, {}), { code: 'internal' });
  });

  it('takes a tenant of the column’s type alone', () => {
    const numbered: Dataset = {
      ...dataset,
      columns: dataset.columns.map((each) =>
        each.name === 'owner' ? column('owner', { is: 'integer', bits: 64 }) : each,
      ),
    };
    assert.match(makeQuery(numbered, { is: 'tenant', tenant: '7' }, OPEN, {}).where ?? '', /^"owner" = '7'::BIGINT$/);
    for (const tenant of ['7 or 1=1', '', ' 7', '7.0', 'acme']) {
      assert.throws(() => makeQuery(numbered, { is: 'tenant', tenant }, OPEN, {}), {
        code: 'request.invalid',
        pointer: '/tenant',
      });
    }
  });

  it('cannot be put on another column by a name that differs in case', () => {
    const twin: Dataset = { ...dataset, columns: [column('OWNER', { is: 'text' }), ...dataset.columns] };
    assert.throws(() => makeQuery(twin, { is: 'tenant', tenant: 'acme' }, OPEN, {}), {
      code: 'source.refused',
      message: /upper and lower case/,
    });
  });
});

describe('columns that may not be seen', () => {
  it('are in no export', () => {
    const { columns } = makeQuery(dataset, { is: 'operator' }, OPEN, {});
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['id', 'mark', 'amount', 'data'],
    );
  });

  it('are answered like unknown ones: in columns, filter and order, byte for byte', () => {
    const asks: readonly ((name: string) => QueryAsk)[] = [
      (name) => ({ columns: ['id', name] }),
      (name) => ({ order: [name] }),
      (name) => ({ order: ['id', `-${name}`] }),
      (name) => ({ filter: { [name]: { eq: 'x' } } }),
      (name) => ({ filter: { not: { or: [{ [`${name}.x`]: { exists: true } }] } } }),
      (name) => ({ columns: ['id'], distinct: true, order: [name] }),
    ];
    const answer = (each: (name: string) => QueryAsk, name: string) => {
      try {
        makeQuery(dataset, { is: 'tenant', tenant: 'acme' }, OPEN, each(name));
      } catch (error) {
        const { code, message, pointer, cause } = error as Record<string, unknown>;
        return JSON.stringify({ code, message, pointer, cause }).replaceAll(name, '?');
      }
      return assert.fail(`${name} was let through`);
    };
    for (const each of asks) {
      const unknown = answer(each, 'nothere');
      for (const name of ['secret', 'owner', 'Owner', 'OWNER']) assert.equal(answer(each, name), unknown);
    }
  });
});

describe('an order', () => {
  it('is completed by the key, and with distinct by the chosen columns', () => {
    const orderBy = (each: QueryAsk) => makeQuery(dataset, { is: 'operator' }, OPEN, each).orderBy;
    assert.equal(orderBy({ order: ['-amount'] }), '"amount" desc nulls last, "id" asc nulls last');
    assert.equal(orderBy({ order: ['id'] }), '"id" asc nulls last');
    assert.equal(
      orderBy({ distinct: true, columns: ['mark', 'amount'] }),
      '"mark" asc nulls last, "amount" asc nulls last',
    );
    assert.equal(orderBy({}), null);
  });

  it('is refused without a key, and with distinct by a column that was not chosen', () => {
    const make =
      (each: QueryAsk, of: Dataset = dataset) =>
      () =>
        makeQuery(of, { is: 'operator' }, OPEN, each);
    assert.throws(make({ order: ['id'] }, { ...dataset, key: [] }), { code: 'request.invalid', pointer: '/order' });
    assert.throws(make({ order: ['amount'], columns: ['id'], distinct: true }), {
      code: 'request.invalid',
      pointer: '/order/0',
    });
    assert.throws(make({ columns: [] }), { code: 'request.invalid', pointer: '/columns' });
    assert.throws(make({ columns: ['id', 'id'] }), { code: 'request.invalid', pointer: '/columns/1' });
  });
});

describe('a limit', () => {
  it('takes the first rows of the order, which the key makes one', async () => {
    const ids = async (each: QueryAsk) =>
      (await rowsOf({ is: 'tenant', tenant: 'acme' }, { columns: ['id'], ...each })).map(([id]) => Number(id));
    const all = await ids({ order: ['id'] });
    assert.deepEqual(await ids({ limit: 2 }), all.slice(0, 2));
    assert.deepEqual(await ids({ limit: 2, order: ['-id'] }), all.toReversed().slice(0, 2));
    assert.deepEqual(await ids({ limit: 9 }), all);
    assert.deepEqual(await ids({ limit: 2, filter: { amount: { exists: false } } }), all.slice(2));
  });

  it('with distinct counts rows that differ', async () => {
    const ask = { columns: ['mark'], distinct: true, order: ['mark'], limit: 2 };
    const rows = await rowsOf({ is: 'operator' }, ask);
    assert.equal(new Set(rows.map(([mark]) => mark)).size, 2);
  });

  it('is in a query that has one alone, so that plans without keep their hash', () => {
    assert.equal(makeQuery(dataset, { is: 'operator' }, OPEN, { limit: 7 }).limit, 7);
    assert.equal('limit' in makeQuery(dataset, { is: 'operator' }, OPEN, { order: ['id'] }), false);
  });

  it('is refused where it is none, and without a key', () => {
    const refused = (limit: number, of: Dataset = dataset) =>
      assert.throws(() => makeQuery(of, { is: 'operator' }, OPEN, { limit }), {
        code: 'request.invalid',
        pointer: '/limit',
      });
    for (const limit of [0, -1, 1.5, Number.NaN, 2 ** 53]) refused(limit);
    refused(1, { ...dataset, key: [] });
  });
});
