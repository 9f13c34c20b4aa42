import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { Reach } from './arbitrary-json.ts';
import { nullable, postgresValue } from './arbitrary-value.ts';
import { fc } from './draws.ts';
import type { Value } from './model.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Whether the source stores it as text and only the declaration says what it is. */
  readonly isDeclared: boolean;
  readonly values: readonly Value[];
}

export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: number;
}

const ROWS = 14;

const NAMES = [
  'plain',
  'with space',
  'with "quotes"',
  "it's",
  'dot.ted',
  'com,ma',
  'emoji 😀',
  'line\nend',
  'שלום',
  '=cmd',
  '\ttab',
  'select',
  ' lead',
  'back\\slash',
  'semi;colon',
  'cr\rcr',
  '{files}',
  '%d',
  '$1',
  '~/x',
  "''",
  '__proto__',
  'ÄÖ',
];

const decimal: fc.Arbitrary<ColumnType> = fc
  .tuple(fc.constantFrom(1, 4, 5, 9, 10, 18, 19, 37, 38), fc.nat(38))
  .map(([precision, scale]) => ({ is: 'decimal', precision, scale: Math.min(precision, scale) }));

const SIMPLE: readonly ColumnType[] = [
  { is: 'bool' },
  { is: 'integer', bits: 32 },
  { is: 'integer', bits: 64 },
  { is: 'float', bits: 32 },
  { is: 'float', bits: 64 },
  { is: 'text' },
  { is: 'bytes' },
  { is: 'uuid' },
  { is: 'date' },
  { is: 'time' },
  { is: 'timestamp', unit: 'us' },
  { is: 'timestamp', unit: 'ns' },
  { is: 'instant', unit: 'us' },
  { is: 'json' },
];

const KEYS: readonly ColumnType[] = [
  { is: 'text' },
  { is: 'integer', bits: 64 },
  { is: 'date' },
  { is: 'uuid' },
  { is: 'bytes' },
  { is: 'bool' },
  { is: 'timestamp', unit: 'us' },
  { is: 'instant', unit: 'us' },
  { is: 'decimal', precision: 38, scale: 7 },
];

function nestedType(depth: number): fc.Arbitrary<ColumnType> {
  const leaf = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SIMPLE) }, { weight: 1, arbitrary: decimal });
  const inner = depth <= 1 ? leaf : fc.oneof(leaf, nestedType(depth - 1));
  const list = inner.map((of): ColumnType => ({ is: 'list', of }));
  const struct = fc.array(fc.tuple(fc.constantFrom(...NAMES), inner), { minLength: 1, maxLength: 3 }).map(
    (fields): ColumnType => ({
      is: 'struct',
      fields: fields.map(([name, type], at) => ({ name: `${name}_${at}`, type })),
    }),
  );
  const map = fc.tuple(fc.constantFrom(...KEYS), inner).map(([key, value]): ColumnType => ({ is: 'map', key, value }));
  return fc.oneof(list, struct, map);
}

interface Drawn {
  readonly type: ColumnType;
  readonly name: string;
  readonly isDeclared: boolean;
  readonly values: readonly Value[];
}

function drawn(type: ColumnType, reach: Reach = {}): fc.Arbitrary<Drawn> {
  return fc.record({
    type: fc.constant(type),
    name: fc.constantFrom(...NAMES),
    isDeclared: fc.constant(reach.isDeclared ?? false),
    values: fc.array(nullable(type, reach), { maxLength: ROWS }),
  });
}

function tableOf(columns: readonly Drawn[]): Table {
  const rows = Math.max(...columns.map(({ values }) => values.length));
  return {
    rows,
    columns: columns.map((column, at) => ({
      ...column,
      name: `${column.name}_${at}`,
      values: Array.from({ length: rows }, (_, row) => column.values[row] ?? null),
    })),
  };
}

/** A column of every simple type, some decimals, and a JSON column that the source knows as text. */
export const simpleTable: fc.Arbitrary<Table> = fc
  .tuple(
    fc.tuple(...SIMPLE.map((type) => drawn(type))),
    fc.array(
      decimal.chain((type) => drawn(type)),
      { minLength: 1, maxLength: 4 },
    ),
    fc.tuple(drawn({ is: 'json' }, { isDeclared: true }), drawn({ is: 'instant', unit: 'ms' }), drawn({ is: 'text' })),
  )
  .map((columns) => tableOf(columns.flat()));

/** Lists, structs and maps of each other, two to three deep. */
export const nestedTable: fc.Arbitrary<Table> = fc
  .array(
    nestedType(3).chain((type) => drawn(type)),
    { minLength: 2, maxLength: 6 },
  )
  .map(tableOf);

/** JSON that the engine's own parser refuses, though the grammar allows it. */
export const jsonTable: fc.Arbitrary<Table> = fc
  .tuple(drawn({ is: 'json' }, { isDeclared: true, hasSurrogates: true }), drawn({ is: 'json' }, { isDeclared: true }))
  .map(tableOf);

/** What text files can say: no JSON but what the engine parses, and no times outside of years 1 to 9999. */
const CALM = { isCalm: true } as const;

/** A column of every simple type, as CSV and JSON lines can hold it. */
export const calmTable: fc.Arbitrary<Table> = fc
  .tuple(
    fc.tuple(...SIMPLE.map((type) => drawn(type, CALM))),
    fc.tuple(
      decimal.chain((type) => drawn(type, CALM)),
      decimal.chain((type) => drawn(type, CALM)),
    ),
  )
  .map((columns) => tableOf(columns.flat()));

/** Nested columns, as JSON lines can hold them. */
export const nestedCalmTable: fc.Arbitrary<Table> = fc
  .array(
    nestedType(2).chain((type) => drawn(type, CALM)),
    { minLength: 2, maxLength: 5 },
  )
  .map(tableOf);

const IN_POSTGRES = SIMPLE.filter((type) => nameOf(type) !== 'timestamp(ns)');

const FLOATS = SIMPLE.filter(({ is }) => is === 'float');

/** A column of every simple type whose text PostgreSQL gives as the engine does, as far as it reaches. */
export const postgresTable: fc.Arbitrary<Table> = fc
  .tuple(
    fc.tuple(...IN_POSTGRES.filter(({ is }) => is !== 'float').map((type) => drawn(type))),
    fc.array(
      decimal.chain((type) => drawn(type)),
      { minLength: 1, maxLength: 3 },
    ),
    fc.tuple(drawn({ is: 'instant', unit: 'ms' }), drawn({ is: 'text' })),
  )
  .map((columns) => tableOf(columns.flat().map(withinPostgres)));

/** Floats, arrays, and JSON that the server knows as text: what only the engine can give the text of. */
export const postgresLists: fc.Arbitrary<Table> = fc
  .tuple(
    fc.array(
      fc.oneof(fc.constantFrom(...IN_POSTGRES), decimal).chain((of) => drawn({ is: 'list', of })),
      { minLength: 3, maxLength: 6 },
    ),
    fc.tuple(...FLOATS.map((type) => drawn(type)), drawn({ is: 'json' }, { isDeclared: true })),
  )
  .map((columns) => tableOf(columns.flat().map(withinPostgres)));

function withinPostgres(column: Drawn): Drawn {
  return { ...column, values: column.values.map((value) => postgresValue(value, column.type)) };
}
