import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { identifier, literal } from '../src/column/sql.ts';
import type { ColumnType } from '../src/column/type.ts';
import type { Dataset, Scope } from '../src/dataset/dataset.ts';
import { pushDown } from '../src/dataset/push-down.ts';
import { makeQuery } from '../src/dataset/query.ts';
import type { Window } from '../src/dataset/window.ts';
import { Engine, type Session } from '../src/source/engine.ts';
import { column } from './dataset-column.ts';
import { fc } from './draws.ts';
import { HOSTILE } from './hostile.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';

/** A column in both databases. Values are as PostgreSQL writes them. */
interface Given {
  readonly type: ColumnType;
  readonly postgres: string;
  readonly engine: string;
  /** Null for a type that is never pushed down. */
  readonly natural: string | null;
  readonly values: readonly string[];
  readonly operands: readonly unknown[];
}

const TEXTS = [
  ...HOSTILE.filter((text) => !text.includes('\0')),
  'a',
  'A',
  'ä',
  'Ä',
  'b',
  'B',
  'a ',
  ' a',
  'a\u{1}',
  'aa',
  '\u{ffff}',
  '😀',
];
const INTEGERS = ['0', '1', '-1', '32767', '-32768'];
const LARGER = [...INTEGERS, '2147483647', '-2147483648'];
const LARGEST = [...LARGER, '9007199254740993', '9223372036854775807', '-9223372036854775808'];
const FLOATS = ['0', '-0', '1', '-1.5', '0.1', '16777217', '1e-45', '3.4028235e38', 'NaN', 'Infinity', '-Infinity'];
const DOUBLES = [...FLOATS, '5e-324', '1.7976931348623157e308', '0.30000000000000004'];
const MEASURES = [
  0,
  -0,
  0.1,
  '-0',
  '0.10',
  1,
  -1.5,
  16777217,
  1e-45,
  7e-46,
  3.4028235e38,
  3.4028235677973366e38,
  1e300,
  5e-324,
  0.30000000000000004,
];
const FACTORS = [
  '0',
  '1',
  '-1',
  '0.1',
  '9007199254740992.5',
  '-9999999999999999999999999999.9999999999',
  '0.0000000001',
];
const UUIDS = [
  '00000000-0000-0000-0000-000000000000',
  '7fffffff-ffff-4fff-bfff-ffffffffffff',
  '80000000-0000-4000-8000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];
const DAYS = ['0001-01-01', '1969-12-31', '2000-02-29', '2026-01-31', '9999-12-31'];
const FAR_DAYS = ['4713-01-01 BC', '0044-03-15 BC', '12026-01-31', 'infinity', '-infinity'];
const CLOCKS = ['00:00:00', '23:59:59.999999', '12:00:00.5', '12:00:00', '24:00:00'];
const LOCALS = DAYS.flatMap((day, at) => [`${day} 00:00:00`, `${day} ${CLOCKS[at % 3]}`]);
const FAR_LOCALS = [
  '4713-01-01 00:00:00 BC',
  '0044-03-15 12:00:00.000001 BC',
  '12026-01-31 12:00:00',
  'infinity',
  '-infinity',
];

const DECIMAL: ColumnType = { is: 'decimal', precision: 38, scale: 10 };
const text = (postgres: string, natural: string): Given => ({
  type: { is: 'text' },
  postgres,
  engine: 'varchar',
  natural,
  values: TEXTS,
  operands: [...HOSTILE, ...TEXTS],
});

const GIVEN: Readonly<Record<string, Given>> = {
  on: {
    type: { is: 'bool' },
    postgres: 'bool',
    engine: 'boolean',
    natural: 'bool',
    values: ['t', 'f'],
    operands: [true, false],
  },
  tiny: {
    type: { is: 'integer', bits: 32 },
    postgres: 'int2',
    engine: 'integer',
    natural: 'int2',
    values: INTEGERS,
    operands: [...LARGER, -0],
  },
  small: {
    type: { is: 'integer', bits: 64 },
    postgres: 'int4',
    engine: 'bigint',
    natural: 'int4',
    values: LARGER,
    operands: [...LARGEST, '-0'],
  },
  large: {
    type: { is: 'integer', bits: 64 },
    postgres: 'int8',
    engine: 'bigint',
    natural: 'int8',
    values: LARGEST,
    operands: [...LARGEST, '007', 9007199254740991],
  },
  factor: {
    type: DECIMAL,
    postgres: 'numeric(30,10)',
    engine: 'decimal(38,10)',
    natural: null,
    values: FACTORS.filter((each) => each.length < 30),
    operands: FACTORS,
  },
  amount: {
    type: DECIMAL,
    postgres: 'numeric(38,10)',
    engine: 'decimal(38,10)',
    natural: 'numeric(38,10)',
    values: FACTORS,
    operands: [...FACTORS, 0.1, '1.50000000000000', '-0.0', '0000001'],
  },
  cents: {
    type: DECIMAL,
    postgres: 'numeric(10,2)',
    engine: 'decimal(38,10)',
    natural: 'numeric(10,2)',
    values: ['0', '1', '-1', '0.10'],
    operands: FACTORS,
  },
  short: {
    type: { is: 'float', bits: 32 },
    postgres: 'float4',
    engine: 'float',
    natural: 'float4',
    values: FLOATS,
    operands: MEASURES,
  },
  wide: {
    type: { is: 'float', bits: 64 },
    postgres: 'float8',
    engine: 'double',
    natural: 'float8',
    values: DOUBLES,
    operands: [...MEASURES, '1e23', '1.7976931348623157e308'],
  },
  name: text('text collate "und-x-icu"', 'text'),
  'la"bel\\': text('varchar collate "C"', 'varchar'),
  key: {
    type: { is: 'uuid' },
    postgres: 'uuid',
    engine: 'uuid',
    natural: 'uuid',
    values: UUIDS,
    operands: [...UUIDS, ...UUIDS.map((each) => each.toUpperCase())],
  },
  day: {
    type: { is: 'date' },
    postgres: 'date',
    engine: 'date',
    natural: 'date',
    values: [...DAYS, ...FAR_DAYS],
    operands: DAYS,
  },
  clock: {
    type: { is: 'time' },
    postgres: 'time',
    engine: 'time',
    natural: 'time',
    values: CLOCKS,
    operands: [...CLOCKS.slice(0, 4), '12:00:00.500000'],
  },
  local: {
    type: { is: 'timestamp', unit: 'us' },
    postgres: 'timestamp',
    engine: 'timestamp',
    natural: 'timestamp',
    values: [...LOCALS, ...FAR_LOCALS],
    operands: LOCALS.flatMap((each) => [each, each.replace(' ', 'T')]),
  },
  at: {
    type: { is: 'instant', unit: 'us' },
    postgres: 'timestamptz',
    engine: 'timestamptz',
    natural: 'timestamptz',
    values: [...LOCALS, ...FAR_LOCALS].map(inUtc),
    operands: ['2026-01-31', '2026-01-31T12:00:00.5+02:00', ...LOCALS.map((each) => `${each}Z`)],
  },
  data: {
    type: { is: 'json' },
    postgres: 'jsonb',
    engine: 'json',
    natural: null,
    values: ['null', '{"a": 1}', '[]'],
    operands: [],
  },
  owner: text('text', 'text'),
};

function inUtc(local: string): string {
  return local.endsWith('infinity') ? local : local.replace(/( BC)?$/, '+00$1');
}

/** What only DuckDB writes otherwise. */
function engineText(value: string): string {
  return value.replace(/^(\d+-\d\d-\d\d)(.*) BC$/, '$1 (BC)$2');
}

const NAMES = Object.keys(GIVEN);
const ROWS = 150;

/** Every value of every column, each with others beside it; one row in ten of a column is NULL. */
function cellOf(name: string, row: number): string | null {
  const { values } = GIVEN[name] as Given;
  const place = row + NAMES.indexOf(name) * 7;
  return place % 10 === 9 ? null : (values[(place - Math.floor(place / 10)) % values.length] ?? null);
}

const dataset: Dataset = {
  name: 'rows',
  columns: NAMES.map((name) => column(name, (GIVEN[name] as Given).type)),
  key: [],
  time: null,
  tenancy: 'shared',
  lookbackDays: null,
};

const NATURAL = new Map(NAMES.flatMap((name) => (GIVEN[name]?.natural ? [[name, GIVEN[name].natural]] : [])));

let reader: PostgresReader;
let plain: pg.Client;
/** Set up to read literals in every other way it can. */
let odd: pg.Client;
let engine: Engine;
let session: Session;

async function fill(): Promise<void> {
  const columns = NAMES.map((name) => `${identifier(name)} ${GIVEN[name]?.postgres}`);
  await plain.query(`create table rows (id int4, ${columns.join(', ')})`);
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  await plain.query(
    `insert into rows select * from unnest($1::int4[], ${NAMES.map((name, at) => `$${at + 2}::${GIVEN[name]?.postgres.replace(/ collate.*/, '')}[]`).join(', ')})`,
    [rows, ...NAMES.map((name) => rows.map((row) => cellOf(name, row)))],
  );
  await session.run(
    `create table rows (id integer, ${NAMES.map((name) => `${identifier(name)} ${GIVEN[name]?.engine}`).join(', ')})`,
  );
  const stored = (name: string, row: number) => {
    const value = cellOf(name, row);
    return value === null ? 'null' : literal(engineText(value));
  };
  await session.run(
    `insert into rows values ${rows.map((row) => `(${[row, ...NAMES.map((name) => stored(name, row))].join(', ')})`).join(', ')}`,
  );
}

const skip = whyNoPostgres();

before(async () => {
  if (skip) return;
  reader = await PostgresReader.start();
  const connectionString = await reader.createDatabase();
  [plain, odd] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
  await Promise.all([plain.connect(), odd.connect()]);
  await odd.query(
    "set standard_conforming_strings = off; set backslash_quote = off; set DateStyle = 'SQL, DMY'; set TimeZone = 'America/New_York'; set extra_float_digits = 0; set escape_string_warning = off",
  );
  engine = await Engine.open({ memoryBytes: 512 * 1024 * 1024, threads: 2, stageFolder: null, files: [] });
  session = await engine.session();
  await fill();
});

after(async () => {
  if (skip) return;
  await Promise.all([plain.end(), odd.end()]);
  await reader[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

type Tree = Readonly<Record<string, unknown>>;

/** A question, and which columns have their natural type in it. */
interface Question {
  readonly tree: Tree;
  readonly tenant: string | null;
  readonly time: string;
  readonly window: Window;
  readonly natural: ReadonlyMap<string, string>;
}

const COMPARING = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];

function operandFor(verb: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  if (verb === 'exists') return fc.boolean();
  if (verb === 'in' || verb === 'nin') return fc.array(fc.option(value, { freq: 5 }), { maxLength: 4 });
  return verb === 'eq' || verb === 'ne' ? fc.option(value, { freq: 10 }) : value;
}

function testsOf(name: string): fc.Arbitrary<Tree> {
  const { type, operands } = GIVEN[name] as Given;
  if (operands.length === 0) return fc.constantFrom({ [`${name}.a`]: { eq: 1 } }, { [name]: { exists: true } });
  const textual = type.is === 'text' ? ['contains', 'startsWith'] : [];
  return fc
    .constantFrom(...COMPARING, 'in', 'nin', 'exists', ...textual)
    .chain((verb) =>
      operandFor(verb, fc.constantFrom(...operands)).map((operand) => ({ [name]: { [verb]: operand } })),
    );
}

const test = fc.oneof(
  ...NAMES.filter((name) => name !== 'owner').map((name) => ({
    weight: (GIVEN[name] as Given).natural === null ? 1 : 3,
    arbitrary: testsOf(name),
  })),
  { weight: 1, arbitrary: fc.constant({ name: { matches: '^[a-z]' } }) },
);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    test,
    tie('tree').map((not) => ({ not })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
  ),
}));

const side = fc.option(fc.constantFrom('0001-01-01', '2000-02-29', '2026-01-31', '9999-12-31'), { freq: 2 });

const question: fc.Arbitrary<Question> = fc.record({
  tree,
  tenant: fc.option(fc.constantFrom(...HOSTILE), { freq: 1 }),
  time: fc.constantFrom('day', 'local', 'at'),
  window: fc.tuple(side, side).map(([start, end]) => ({ start: midnight(start), end: midnight(end) })),
  natural: fc
    .oneof({ weight: 9, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.subarray(NAMES) })
    .map((left) => new Map([...NATURAL].filter(([name]) => !left.includes(name)))),
});

function midnight(day: string | null): string | null {
  return day === null ? null : `${day}T00:00:00.000000Z`;
}

function bothSql({ tree: filter, tenant, time, window, natural }: Question) {
  const asked: Dataset = { ...dataset, time, tenancy: tenant === null ? 'shared' : { column: 'owner' } };
  const scope: Scope = tenant === null ? { is: 'shared' } : { is: 'tenant', tenant };
  return {
    wanted: makeQuery(asked, scope, window, { filter }).where,
    pushed: pushDown(asked, { scope, window, filter }, natural),
  };
}

/** The rows each condition is true for, all told in one pass over the table. */
function selectAll(conditions: readonly (string | null)[]): string {
  return `select ${conditions.map((condition) => `(${condition ?? 'true'}) is true`).join(', ')} from rows order by id`;
}

function idsWhere(rows: readonly (readonly unknown[])[], at: number): number[] {
  return rows.flatMap((row, id) => (row[at] === true ? [id] : []));
}

/** How many of the questions were told exactly. */
async function compare(questions: readonly Question[], client: pg.Client): Promise<number> {
  const both = questions.map(bothSql);
  const [wanted, found] = await Promise.all([
    session.read(selectAll(both.map(({ wanted }) => wanted))),
    client.query({ text: selectAll(both.map(({ pushed }) => pushed.where)), rowMode: 'array' }),
  ]);
  for (const [at, { pushed }] of both.entries()) {
    const [theirs, ours] = [idsWhere(found.rows, at), idsWhere(wanted.rows, at)];
    const kept = pushed.isExact ? theirs : theirs.filter((id) => ours.includes(id));
    assert.deepEqual(kept, ours, `${JSON.stringify(questions[at])}: ${pushed.where}`);
  }
  return both.filter(({ pushed }) => pushed.isExact).length;
}

const asked = (filter: Tree): Question => ({
  tree: filter,
  tenant: null,
  time: 'at',
  window: { start: null, end: null },
  natural: NATURAL,
});

describe('PostgreSQL and DuckDB', { skip }, () => {
  it('find the same rows of random trees, or PostgreSQL more where it cannot tell all', async () => {
    let [exact, all] = [0, 0];
    const batches = fc.tuple(fc.array(question, { minLength: 60, maxLength: 60 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(batches, async ([questions, isOdd]) => {
        exact += await compare(questions, isOdd ? odd : plain);
        all += questions.length;
      }),
      { numRuns: 12, endOnFailure: true },
    );
    assert.ok(exact > all / 2, `${exact} of ${all}`);
  });

  it('find the same rows by every comparison with every operand of every type', async () => {
    for (const name of NAMES.filter((each) => each !== 'owner' && NATURAL.has(each))) {
      const { type, operands } = GIVEN[name] as Given;
      const verbs = [...COMPARING, ...(type.is === 'text' ? ['contains', 'startsWith'] : [])];
      const questions = operands.flatMap((operand) => verbs.map((verb) => asked({ [name]: { [verb]: operand } })));
      for (let at = 0; at < questions.length; at += 500) {
        const part = questions.slice(at, at + 500);
        assert.equal(await compare(part, at % 1000 === 0 ? odd : plain), part.length, name);
      }
    }
  });

  it('are not compared blindly: without bytes, NULLs or escapes the answers differ', async () => {
    const found = async (sql: string) =>
      idsWhere((await odd.query({ text: selectAll([sql]), rowMode: 'array' })).rows, 0);
    const right = async (filter: Tree) => await found(bothSql(asked(filter)).pushed.where ?? '');
    assert.notDeepEqual(await found(`name > 'a'`), await right({ name: { gt: 'a' } }));
    assert.notDeepEqual(await found(`name <> 'a'`), await right({ name: { ne: 'a' } }));
    assert.notDeepEqual(await found(`name = '\\\\'`), await right({ name: { eq: '\\\\' } }));
    const infinite = await found(`at = 'infinity'`);
    assert.ok(infinite.length > 0);
  });
});

/** Columns that are declared as text, and what some rows of them hold. */
const TENANTS: Readonly<Record<string, readonly [type: string, typeName: string, values: readonly string[]]>> = {
  padded: ['char(5)', 'bpchar', ['acme', 'Acme', '', 'a\\me', ' acm']],
  named: ['name', 'name', ['acme', 'Acme', '']],
  folded: ['text collate folded', 'text', ['acme', 'ACME', 'Acme']],
  listed: ['owners', 'owners', ['acme', 'ACME']],
  numbered: ['int8', 'int8', ['7', '-7']],
  keyed: ['uuid', 'uuid', UUIDS],
  flagged: ['bool', 'bool', ['true', 'false']],
  placed: ['inet', 'inet', ['10.0.0.1', '10.0.0.0/8']],
  lettered: ['"char"', 'char', ['a', 'A']],
};

describe('the scope', { skip }, () => {
  it('never loses a row of a tenant column that is read as text, whether cast or printed', async () => {
    await plain.query(`create type owners as enum ('acme', 'ACME')`);
    await plain.query(`create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
    for (const [name, [type, typeName, values]] of Object.entries(TENANTS)) {
      await plain.query(`create table ${name} (id serial, owner ${type})`);
      await plain.query(`insert into ${name} (owner) select * from unnest($1::${type.replace(/ collate.*/, '')}[])`, [
        [...values, null],
      ]);
      const { rows } = await plain.query(
        `select id, owner::text as "cast", format('%s', owner) as printed from ${name} where owner is not null`,
      );
      for (const tenant of new Set(
        rows.flatMap(({ cast, printed }) => [cast, printed, `${cast} `, cast.toUpperCase()]),
      )) {
        const natural = new Map(name === 'folded' ? [] : [['owner', typeName]]);
        const tenants: Dataset = { ...dataset, tenancy: { column: 'owner' } };
        const { where } = pushDown(
          tenants,
          { scope: { is: 'tenant', tenant }, window: { start: null, end: null } },
          natural,
        );
        const found = (await plain.query(`select id from ${name} where ${where} order by id`)).rows.map(({ id }) => id);
        const wanted = rows.filter(({ cast, printed }) => cast === tenant || printed === tenant).map(({ id }) => id);
        assert.deepEqual(
          wanted.filter((id) => !found.includes(id)),
          [],
          `${name} ${tenant} ${where}`,
        );
        assert.ok(found.length < 3 && !found.includes(values.length + 1), `${name} ${tenant}`);
      }
    }
  });

  it('and the window are answered from indexes', async () => {
    await plain.query('create table big (owner text collate "und-x-icu", padded char(5), at timestamptz, small int4)');
    for (const name of ['owner', 'padded', 'at', 'small']) await plain.query(`create index on big (${name})`);
    await plain.query('set enable_seqscan = off');
    const columns = [
      column('owner', { is: 'text' }),
      column('padded', { is: 'text' }),
      column('at', { is: 'instant', unit: 'us' }),
      column('small', { is: 'integer', bits: 64 }),
    ];
    const natural = new Map([
      ['owner', 'text'],
      ['padded', 'bpchar'],
      ['at', 'timestamptz'],
      ['small', 'int4'],
    ]);
    const cases = [
      { tenancy: { column: 'owner' }, index: 'owner' },
      { tenancy: { column: 'padded' }, index: 'padded' },
      { tenancy: 'shared', window: { start: '2026-01-01T00:00:00.000000Z', end: null }, index: 'at' },
      { tenancy: 'shared', filter: { small: { in: [1, 2] } }, index: 'small' },
      { tenancy: 'shared', filter: { small: { gte: 1, lt: 9 } }, index: 'small' },
    ] as const;
    for (const { tenancy, index, ...rest } of cases) {
      const scope: Scope = tenancy === 'shared' ? { is: 'shared' } : { is: 'tenant', tenant: 'acme' };
      const conditions = { scope, window: { start: null, end: null }, ...rest };
      const { where } = pushDown({ ...dataset, columns, time: 'at', tenancy }, conditions, natural);
      const { rows } = await plain.query(`explain select * from big where ${where}`);
      assert.match(JSON.stringify(rows), new RegExp(`Index Cond: \\(\\(?\\(?${index}`), where ?? '');
    }
  });
});
