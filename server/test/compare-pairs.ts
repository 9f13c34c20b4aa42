import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import { type ExpectedTree, floatOf, type Loose, type Value } from './model.ts';
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

/** What was found beside what was expected, and where. */
export interface Pair {
  readonly place: string;
  readonly found: Tree;
  readonly expected: ExpectedTree;
  readonly hasLostZeroSigns: boolean;
}

/** Every value of the table beside what was read of it, column by column. */
export function pairsOf<Cell>(
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
        place: placeOf(row, name, type),
        found: read(found[row]?.[at] as Cell, expected),
        expected,
        hasLostZeroSigns,
      };
    }),
  );
}

/** Where a value stands, for who reads of a failure. */
export function placeOf(row: number, name: string, type: ColumnType): string {
  return `row ${row}, column ${JSON.stringify(name)} of type ${nameOf(type)}`;
}

/** Text that is to be JSON is read first; then all must be equal. JSON.stringify writes -0 as 0. */
export async function assertPairs(pairs: readonly Pair[], python: PythonJson): Promise<void> {
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

export function isLoose(tree: ExpectedTree): tree is Loose {
  return typeof tree === 'object' && tree !== null && ('f' in tree || 't' in tree);
}

function isString(tree: Tree): tree is { readonly s: string } {
  return typeof tree === 'object' && tree !== null && 's' in tree;
}

/** A text cell as a tree. */
export function looseTree(cell: null | string | Loose): ExpectedTree {
  return typeof cell === 'string' ? { s: cell } : cell;
}
