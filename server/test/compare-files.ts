import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import {
  cellOf,
  type ExpectedTree,
  floatOf,
  isNested,
  type Loose,
  MODEL_DEFAULTS,
  type ModelOptions,
  memberOf,
  oneLine,
  storedOf,
  type Value,
} from './model.ts';
import { loaded } from './parquet-values.ts';
import { readParquet } from './readers/parquet.ts';
import type { PostgresReader } from './readers/postgres.ts';
import type { PythonJson, Tree } from './readers/python-json.ts';

/** What a file is to hold. */
export interface Expected {
  readonly columns: readonly ExpectedColumn[];
  readonly rows: number;
  /** The engine stored the source, which keeps 0 and -0 in one column as the one of them that came first. */
  readonly hasLostZeroSigns?: boolean;
}

interface ExpectedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly values: readonly Value[];
}

export interface Readers {
  readonly postgres: PostgresReader;
  readonly python: PythonJson;
}

/** Reads the file by a reader that is not the engine, and fails at the first value that is not the table's. */
export async function assertHolds(
  path: string,
  options: FormatOptions,
  expected: Expected,
  readers: Readers,
): Promise<void> {
  switch (options.type) {
    case 'csv':
      return assertCsv(await readFile(path), options, expected, readers);
    case 'json':
      return assertJson(await readFile(path), options, expected, readers);
    case 'jsonl':
      return assertJsonl(await readFile(path), options, expected, readers);
    case 'parquet':
      return assertParquet(path, options, expected, readers);
  }
}

type Options<Type extends FormatOptions['type']> = FormatOptions & { readonly type: Type };

async function assertCsv(
  bytes: Buffer,
  options: Options<'csv'>,
  expected: Expected,
  { postgres, python }: Readers,
): Promise<void> {
  const bom = Buffer.from('\u{feff}');
  assert.equal(options.bom, bytes.subarray(0, bom.length).equals(bom) && options.bom, 'byte order mark');
  const content = options.bom ? bytes.subarray(bom.length) : bytes;
  const dialect = { columns: expected.columns.length, delimiter: options.delimiter, nullText: options.nullText ?? '' };
  const rows = await postgres.readCsv(content, dialect);
  const header = options.header ? rows.shift() : null;
  if (options.header)
    assert.deepEqual(
      header,
      expected.columns.map(({ name }) => name),
    );
  const lineEnd = options.lineEnd === 'crlf' ? '\r\n' : '\n';
  assert.equal(rows.length === 0 || content.subarray(-lineEnd.length).toString() === lineEnd, true, 'line end');
  const model: ModelOptions = { ...MODEL_DEFAULTS, instants: options.instants };
  const cells = pairsOf(expected, rows, (value, type) => looseTree(cellOf(value, type, model)), cellTree);
  await assertPairs(cells, python);
}

function cellTree(cell: string | null, expected: ExpectedTree): Tree {
  if (cell === null) return null;
  return isLoose(expected) && 'f' in expected ? { n: cell } : { s: cell };
}

function looseTree(cell: null | string | Loose): ExpectedTree {
  return typeof cell === 'string' ? { s: cell } : cell;
}

async function assertJson(
  bytes: Buffer,
  options: Options<'json'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const [document] = await python.parse([bytes]);
  assert.ok(document && typeof document === 'object' && 'a' in document, 'The document is an array.');
  await assertRows(document.a, options, expected, python);
}

async function assertJsonl(
  bytes: Buffer,
  options: Options<'jsonl'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const lines = bytes.toString('utf8').split('\n');
  assert.equal(lines.pop(), '', 'The last line ends.');
  await assertRows(await python.parse(lines), options, expected, python);
  if (options.nested === 'structure') assertSourceText(lines, expected);
}

/** JSON columns keep their text, down to the blanks, which no reader of JSON could tell. */
function assertSourceText(lines: readonly string[], { columns }: Expected): void {
  for (const { name, type, values } of columns) {
    if (type.is !== 'json') continue;
    for (const [row, value] of values.entries()) {
      const member = `${JSON.stringify(name)}:${value === null ? 'null' : oneLine(memberText(value))}`;
      const isThere = lines[row]?.includes(`${member},`) || lines[row]?.endsWith(`${member}}`);
      assert.ok(isThere, `row ${row}, column ${name}: the source text is not in the line`);
    }
  }
}

function memberText(value: Value): string {
  return (value as { readonly text: string }).text;
}

type JsonChoices = Options<'json'> | Options<'jsonl'>;

async function assertRows(
  found: readonly Tree[],
  options: JsonChoices,
  expected: Expected,
  python: PythonJson,
): Promise<void> {
  const { instants, bigIntegers, nested } = options;
  const model: ModelOptions = {
    instants,
    bigIntegers,
    nested,
    nonFinite: options.nonFinite === 'null' ? 'null' : 'string',
  };
  const names = expected.columns.map(({ name }) => name);
  const rows = found.map((row) => {
    assert.ok(row && typeof row === 'object' && 'o' in row, 'A row is an object.');
    assert.deepEqual(
      row.o.map(([name]) => name),
      names,
    );
    return row.o.map(([, member]) => member);
  });
  await assertPairs(
    pairsOf(
      expected,
      rows,
      (value, type) => memberOf(value, type, model),
      (member) => member,
    ),
    python,
  );
}

/** What was found beside what was expected, and where. */
interface Pair {
  readonly place: string;
  readonly found: Tree;
  readonly expected: ExpectedTree;
  readonly hasLostZeroSigns: boolean;
}

function pairsOf<Cell>(
  { columns, rows, hasLostZeroSigns = false }: Expected,
  found: readonly (readonly Cell[])[],
  expect: (value: Value, type: ColumnType) => ExpectedTree,
  read: (cell: Cell, expected: ExpectedTree) => Tree,
): Pair[] {
  assert.equal(found.length, rows, 'number of rows');
  return columns.flatMap(({ name, type, values }, at) =>
    values.map((value, row) => {
      const expected = expect(value, type);
      return {
        place: `row ${row}, column ${JSON.stringify(name)} of type ${nameOf(type)}`,
        found: read(found[row]?.[at] as Cell, expected),
        expected,
        hasLostZeroSigns,
      };
    }),
  );
}

/** Text that is to be JSON is read first; then all must be equal. JSON.stringify writes -0 as 0. */
async function assertPairs(pairs: readonly Pair[], python: PythonJson): Promise<void> {
  const texts = [
    ...new Set(
      pairs.flatMap(({ found, expected }) =>
        isLoose(expected) && 't' in expected && isString(found) ? [found.s] : [],
      ),
    ),
  ];
  const trees = await python.parse(texts);
  const inner = new Map(texts.map((text, at) => [text, trees[at] ?? null]));
  for (const { place, found, expected, hasLostZeroSigns } of pairs) {
    const canonical = alike(found, expected, inner);
    const isSame = hasLostZeroSigns
      ? JSON.stringify(canonical) === JSON.stringify(expected)
      : isDeepStrictEqual(canonical, expected);
    if (!isSame)
      assert.deepEqual(
        canonical,
        expected,
        `${place}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
      );
  }
}

/** The tree that was found, with floats for numbers wherever floats are expected. */
function alike(found: Tree, expected: ExpectedTree, inner: ReadonlyMap<string, Tree>): ExpectedTree {
  if (found === null || typeof found === 'boolean' || expected === null || typeof expected === 'boolean') return found;
  if ('f' in expected) return 'n' in found ? floatOf(found.n, expected.bits) : found;
  if ('t' in expected) return 's' in found ? { t: alike(inner.get(found.s) ?? null, expected.t, inner) } : found;
  if ('a' in expected && 'a' in found)
    return { a: found.a.map((item, at) => alike(item, expected.a[at] ?? null, inner)) };
  if ('o' in expected && 'o' in found)
    return { o: found.o.map(([name, member], at) => [name, alike(member, expected.o[at]?.[1] ?? null, inner)]) };
  return found;
}

function isLoose(tree: ExpectedTree): tree is Loose {
  return typeof tree === 'object' && tree !== null && ('f' in tree || 't' in tree);
}

function isString(tree: Tree): tree is { readonly s: string } {
  return typeof tree === 'object' && tree !== null && 's' in tree;
}

async function assertParquet(
  path: string,
  { nested }: Options<'parquet'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const { columns, rows } = await readParquet(path);
  const { hasLostZeroSigns = false } = expected;
  const isText = (type: ColumnType) => nested === 'text' && (isNested(type) || type.is === 'json');
  assert.deepEqual(
    columns,
    expected.columns.map(({ name, type }) => ({ name, type: isText(type) ? 'text' : storedName(type) })),
  );
  assert.equal(rows.length, expected.rows, 'number of rows');
  const texts: Pair[] = [];
  for (const [at, { name, type, values }] of expected.columns.entries()) {
    for (const [row, value] of values.entries()) {
      const place = `row ${row}, column ${JSON.stringify(name)} of type ${nameOf(type)}`;
      const cell = rows[row]?.[at];
      const asText = isText(type) && value !== null ? looseTree(cellOf(value, type, MODEL_DEFAULTS)) : null;
      if (asText) texts.push({ place, found: { s: String(cell) }, expected: asText, hasLostZeroSigns });
      else assert.deepEqual(loaded(cell, type), storedOf(value, type), place);
    }
  }
  await assertPairs(texts, python);
}

/** Parquet of the engine has no instants in milliseconds: they are stored finer, losing nothing. */
function storedName(type: ColumnType): string {
  return nameOf(type).replaceAll('instant(ms)', 'instant');
}
