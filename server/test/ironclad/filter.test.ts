import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseType } from '../../src/column/type-name.ts';
import type { Dataset } from '../../src/dataset/dataset.ts';
import { makeQuery, querySql } from '../../src/dataset/query.ts';
import { fieldsOf } from '../../src/request/ironclad/filter-fields.ts';
import { readJsonFilter } from '../../src/request/ironclad/filter-json.ts';
import { readStringFilter } from '../../src/request/ironclad/filter-string.ts';
import { describeSource } from '../../src/run/describe.ts';
import { Engine, type Session } from '../../src/source/engine.ts';
import { relationSql } from '../../src/source/relation.ts';
import { column } from '../dataset-column.ts';
import { draws, fc } from '../draws.ts';
import { whyNoPython } from '../readers/python-json.ts';
import { TableWriter } from '../table-files.ts';
import { ACTIVITIES, type Activity, activityTable, COLUMNS } from './activities.ts';

interface Case {
  readonly asks: string;
  readonly filter?: unknown;
  readonly text?: string;
}

const CASES: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'filter-cases.json'), 'utf8'));
const REFERENCE = join(import.meta.dirname, 'reference.py');
const LIMITS = { memoryBytes: 400 * 2 ** 20, threads: 2 };

const fields = fieldsOf(COLUMNS);
const columns = COLUMNS.map(({ name, type }) => column(name, parseType(type, '')));
const dataset: Dataset = {
  name: 'ironclad.activities',
  columns,
  key: ['id'],
  time: 'created_time',
  tenancy: 'shared',
  lookbackDays: null,
};

let folder: string;
let engine: Engine;
let session: Session;
let relation: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ironclad-filter-'));
  using writer = await TableWriter.open(folder);
  const { parquet } = await writer.write(activityTable());
  const types = Object.fromEntries(columns.map(({ name, type }) => [name, type]));
  const { shape } = await describeSource({ options: { type: 'duckdb', files: [parquet] }, types, folder }, LIMITS);
  relation = relationSql(shape, columns, null);
  engine = await Engine.open({ ...LIMITS, stageFolder: null, files: [parquet] });
  session = await engine.session();
});

after(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function coreFilter({ filter, text }: Omit<Case, 'asks'>): unknown {
  return text === undefined ? readJsonFilter(filter, fields) : readStringFilter(text, fields);
}

/** Numbers of the rows a filter of theirs selects, by way of the core and the engine. */
async function selected(asked: Omit<Case, 'asks'>): Promise<readonly number[]> {
  const ask = { filter: coreFilter(asked), columns: ['id'], order: ['id'] };
  const query = makeQuery(dataset, { is: 'shared' }, { start: null, end: null }, ask);
  return (await session.read(querySql(query, relation))).rows.map(([id]) => Number.parseInt(String(id), 16));
}

/** What the reference says of each: row numbers, or null where it refuses. */
function referred(cases: readonly Omit<Case, 'asks'>[]): readonly (readonly number[] | null)[] {
  const input = JSON.stringify({ rows: ACTIVITIES, cases });
  const { stdout, stderr } = spawnSync('python3', [REFERENCE], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

describe('filters select what a reference in Python selects', { skip: whyNoPython() }, () => {
  it('in every case of the list', async () => {
    const wanted = referred(CASES);
    for (const [at, each] of CASES.entries()) assert.deepEqual(await selected(each), wanted[at], each.asks);
  });

  it('of at least sixty cases, at least forty of which select neither none nor all', () => {
    const counts = referred(CASES).map((rows) => rows?.length ?? 0);
    assert.ok(CASES.length >= 60);
    assert.equal(new Set(CASES.map(({ asks }) => asks)).size, CASES.length);
    assert.ok(counts.filter((count) => count > 0 && count < ACTIVITIES.length).length >= 40);
    assert.ok(ACTIVITIES.length >= 400);
  });

  it('in filters drawn at random, and refuse what it refuses', () => agree(filters().map((filter) => ({ filter }))));

  it('in terms of text drawn at random as well', () => agree(texts().map((text) => ({ text }))));
});

/** Holds what is drawn against the reference; enough of it has to select some rows, and to be refused. */
async function agree(cases: fc.Arbitrary<Omit<Case, 'asks'>>): Promise<void> {
  const drawn = fc.sample(cases, draws({ few: 120, many: 6000 }));
  const wanted = referred(drawn);
  const isRefused = wanted.map((rows) => rows === null);
  const isPart = wanted.map((rows) => rows !== null && rows.length > 0 && rows.length < ACTIVITIES.length);
  for (const some of [isRefused, isPart]) assert.ok(some.filter(Boolean).length > drawn.length / 10);
  for (const [at, each] of drawn.entries())
    assert.deepEqual(await selected(each).catch(refusal), wanted[at], JSON.stringify(each));
}

function refusal(error: unknown): null {
  assert.equal((error as { code?: string }).code, 'request.invalid', String(error));
  return null;
}

const DATA = [
  'first_name',
  'vip',
  'score',
  'mixed',
  'tags',
  'tags.0',
  'address',
  'address.city',
  'address.geo.1',
  'none',
];

/** Fields and the values that fit them; now and then one draws from another line. */
const FITTING: readonly (readonly [readonly string[], readonly unknown[]])[] = [
  [
    ['event_type', 'signer_id', 'session', 'group_key'],
    ['agreed', 'displayed', '7', '', 'null', 'session 7', 'm', null],
  ],
  [
    ['execution_method', 'contract.title', 'group.key'],
    ['esignature', 'clickthrough', 'checkout', 'Terms', null],
  ],
  [
    ['contract', 'contract._id', 'version_number', 'version.version_number'],
    [1, 2, '2', 3, 4, null],
  ],
  [
    ['created_time', 'event_time'],
    ['2022-10-06', '2022-10-05T12:00:00', '2022-10-07 14:00+02:00', '2022-10-06T05:59:59.999Z'],
  ],
  [
    DATA.map((name) => `custom_data.${name}`),
    [null, true, false, 0, 2, 10, -1.5, '', '2', '10', 'gold', 'new', 'Ada', 'Paris', 'x'],
  ],
  [
    ['connection_data.cookies', 'connection_data.screen_color_depth', 'render_data.terms.days'],
    [true, 24, 30, 7, null],
  ],
  [['nothing', 'contract.x', 'custom_data', 'custom_data.'], ['x']],
];
const VALUES = FITTING.flatMap(([, values]) => values);

function filters(): fc.Arbitrary<object> {
  const asked = fc.oneof(
    ...FITTING.map(([names, values]) => ({
      weight: names.includes('nothing') ? 1 : 10,
      arbitrary: askedOf(
        names,
        fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...values) }, fc.constantFrom(...VALUES)),
      ),
    })),
  );
  const word = (each: string) => fc.constantFrom(each, `$${each}`);
  return fc.letrec<{ filter: object }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      asked,
      fc.tuple(word('not'), tie('filter')).map(([key, not]) => ({ [key]: not })),
      fc
        .tuple(fc.oneof(word('and'), word('or')), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
        .map(([key, of]) => ({ [key]: of })),
      fc.tuple(tie('filter'), tie('filter')).map(([one, other]) => ({ ...one, ...other })),
    ),
  })).filter;
}

/** One field with a value, with operators, or with names inside it. */
function askedOf(names: readonly string[], value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const operators = fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte');
  const list = fc.array(value, { maxLength: 4 });
  const operand = fc.oneof(
    { weight: 8, arbitrary: value },
    { weight: 12, arbitrary: fc.dictionary(operators, value, { minKeys: 1, maxKeys: 2 }) },
    { weight: 8, arbitrary: fc.dictionary(fc.constantFrom('$in', '$nin'), list, { minKeys: 1 }) },
    { weight: 2, arbitrary: fc.boolean().map(($exists) => ({ $exists })) },
    { weight: 1, arbitrary: fc.constantFrom('a', '^[A-Z]', '1$').map(($regex) => ({ $regex })) },
    { weight: 1, arbitrary: fc.constantFrom({}, [], { $like: 1 }, { $eq: {} }, { $eq: 1, x: 1 }, { x: 1 }) },
  );
  return fc.tuple(fc.constantFrom(...names), operand, fc.boolean()).map(([name, each, isNested]) => {
    const [head = '', ...inner] = name.split('.');
    return isNested && inner.length > 0 ? { [head]: { [inner.join('.')]: each } } : { [name]: each };
  });
}

/** Terms of the string form: values bare, in either quotes, and some that do not fit. */
function texts(): fc.Arbitrary<string> {
  const terms = FITTING.map(([names, values]) => {
    const texted = fc.constantFrom(...values.map(String), 'sign and up', 'Seller\'s "NDA"', 'Privacy, Policy');
    const written = fc
      .tuple(texted, fc.constantFrom('', '', '"', "'"), fc.constantFrom('', ' '))
      .map(
        ([text, quote, blank]) =>
          `${blank}${quote}${quote === '' ? text : text.replace(/["'\\]/g, '\\$&')}${quote}${blank}`,
      );
    const operator = fc.constantFrom('==', '!=', '>', '>=', '<', '<=');
    const term = fc.tuple(fc.constantFrom(...names), operator, written).map((parts) => parts.join(''));
    return { weight: names.includes('nothing') ? 1 : 10, arbitrary: term };
  });
  const joint = fc.constantFrom(' and ', ' AND ', ' and\t', ' or ');
  return fc
    .array(fc.tuple(fc.oneof(...terms), joint), { minLength: 1, maxLength: 3 })
    .map((all) => all.map(([term, and], at) => (at === all.length - 1 ? term : term + and)).join(''));
}

describe('filters at their limits are evaluated', () => {
  const ofContract = (contract: number) => rowsWhere((row) => row.contract === contract);

  it('50 levels of each kind', async () => {
    const tower = (build: (inner: object) => object, top: object) =>
      Array.from({ length: 49 }).reduce<object>((inner) => build(inner), top);
    assert.deepEqual(await selected({ filter: tower((and) => ({ and: [and] }), { contract: 1 }) }), ofContract(1));
    assert.deepEqual(
      await selected({ filter: tower((not) => ({ $not: not }), { contract: { $nin: [2] } }) }),
      ofContract(2),
    );
    const alternating = (inner: object) => ({ or: [{ and: [inner, { contract: 1 }] }, { contract: 2 }] });
    const alternated = Array.from({ length: 24 }).reduce<object>(alternating, { 'custom_data.vip': true });
    const isIn = ({ contract, custom_data: data }: Activity) => contract === 2 || (contract === 1 && isVip(data));
    assert.deepEqual(
      await selected({ filter: { not: alternated } }),
      rowsWhere((row) => !isIn(row)),
    );
    assert.equal((await selected({ filter: { custom_data: namesOf(49) } })).length, ACTIVITIES.length);
    assert.equal((await selected({ filter: { [`custom_data${'.a'.repeat(49)}`]: null } })).length, ACTIVITIES.length);
  });

  it('10 000 items, on columns, moments and within JSON', async () => {
    const items = <T>(make: (at: number) => T) => Array.from({ length: 10_000 }, (_, at) => make(at));
    const later = rowsWhere(({ batch }) => Number(batch) >= 1_442_324_122_300);
    assert.deepEqual(
      await selected({ filter: { batch: { $in: items((at) => String(1_442_324_122_300 + at)) } } }),
      later,
    );
    assert.deepEqual(await selected({ filter: { contract: { _id: { $nin: items((at) => at + 2) } } } }), ofContract(1));
    const moments = items((at) => new Date(Date.parse('2022-10-06T00:00:00Z') + at * 60_000).toISOString());
    const quarters = rowsWhere(({ created_time: time }) => moments.includes(String(time)));
    assert.deepEqual(await selected({ filter: { created_time: { $in: moments } } }), quarters);
    const scores = items((at) => (at % 2 === 0 ? at : `x${at}`));
    const scored = rowsWhere(({ custom_data: data }) =>
      scores.includes((data as { score?: number } | null)?.score ?? -1),
    );
    assert.deepEqual(await selected({ filter: { 'custom_data.score': { $in: scores } } }), scored);
  });

  it('499 terms of text, and 999 fields of an object', async () => {
    const terms = Array.from({ length: 499 }, (_, at) => `contract!=${at + 2}`);
    assert.deepEqual(await selected({ text: terms.join(' and ') }), ofContract(1));
    const names = Array.from({ length: 999 }, (_, at) => [`n${at}`, { $exists: false }]);
    assert.equal((await selected({ filter: { render_data: Object.fromEntries(names) } })).length, ACTIVITIES.length);
  });
});

function rowsWhere(holds: (row: Activity) => boolean): readonly number[] {
  return ACTIVITIES.flatMap((row, at) => (holds(row) ? [at] : []));
}

function isVip(data: unknown): boolean {
  return (data as { vip?: unknown } | null)?.vip === true;
}

/** Names within names, so many levels deep, the last asked to be absent. */
function namesOf(levels: number): object {
  return Array.from({ length: levels }).reduce<object>((inner) => ({ a: inner }), { $exists: false });
}
