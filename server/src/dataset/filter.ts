import { refuse } from '../base/errors.ts';
import { shown } from '../column/operand.ts';
import { type Dataset, type DatasetColumn, findVisible, unknownColumn } from './dataset.ts';

/** Tests on one column, or on one value inside a JSON column. */
const VERBS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'nin',
  'contains',
  'startsWith',
  'exists',
  'has',
  'anyOf',
  'noneOf',
  'matches',
] as const;

export type Verb = (typeof VERBS)[number];

/** A checked filter tree. Two-valued: `not` is the exact complement, and a NULL matches no test but ne, nin and noneOf. */
export type Filter =
  | { readonly is: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly is: 'not'; readonly of: Filter }
  | Test;

export interface Test {
  readonly is: 'test';
  readonly column: DatasetColumn;
  /** Names from the column inwards; empty for the column itself. */
  readonly path: readonly string[];
  readonly verb: Verb;
  readonly operand: unknown;
  readonly pointer: string;
}

/** Deep or broad trees cost the engine more than any real question needs. A path's names are counted like levels. */
export const FILTER_LIMITS = { depth: 50, nodes: 1000, listItems: 10_000, bytes: 1_000_000 } as const;

/**
 * Reads a filter: an object whose keys are column names (or dotted paths into JSON columns) with
 * objects of verb → value, or `and`, `or` (lists) and `not`. All keys must hold. Throws
 * `request.invalid` naming the place by pointer.
 */
export function readFilter(value: unknown, dataset: Dataset): Filter {
  const size = sizeOf(value);
  if (size > FILTER_LIMITS.bytes)
    throw refuse('/filter', `The filter has ${size} bytes; allowed are ${FILTER_LIMITS.bytes}.`);
  return new FilterReader(dataset).read(value, '/filter', 1);
}

function sizeOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse('/filter', `The filter is deeper than ${FILTER_LIMITS.depth} levels.`);
  }
}

class FilterReader {
  readonly #dataset: Dataset;
  #nodes = 0;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  read(value: unknown, pointer: string, depth: number): Filter {
    if (depth > FILTER_LIMITS.depth) throw refuse(pointer, `The filter is deeper than ${FILTER_LIMITS.depth} levels.`);
    const entries = Object.entries(objectAt(value, pointer, 'an object of columns, and, or, not'));
    this.#count(pointer);
    return all(
      entries.map(([key, inner]) => this.#member(key, inner, { pointer: `${pointer}/${escapePointer(key)}`, depth })),
    );
  }

  #member(key: string, value: unknown, { pointer, depth }: { pointer: string; depth: number }): Filter {
    if (key === 'not') return { is: 'not', of: this.read(value, pointer, depth + 1) };
    if (key === 'and' || key === 'or') {
      if (!Array.isArray(value) || value.length === 0)
        throw refuse(pointer, `Allowed is a list of at least one filter.`);
      return { is: key, of: value.map((inner, at) => this.read(inner, `${pointer}/${at}`, depth + 1)) };
    }
    const { column, path } = this.#resolve(key, pointer);
    const tests = Object.entries(objectAt(value, pointer, `an object of ${VERBS.join(', ')}`));
    if (tests.length === 0) throw refuse(pointer, `Nothing is asked of the column; allowed are ${VERBS.join(', ')}.`);
    return all(
      tests.map(([verb, operand]) =>
        this.#test({ column, path, operand, pointer: `${pointer}/${escapePointer(verb)}` }, verb),
      ),
    );
  }

  #test(test: Omit<Test, 'is' | 'verb'>, verb: string): Test {
    this.#count(test.pointer);
    const known = VERBS.find((each) => each === verb);
    if (!known) throw refuse(test.pointer, `${shown(verb)} is not a test; allowed are ${VERBS.join(', ')}.`);
    return { is: 'test', ...test, verb: known };
  }

  /** A column of that very name wins over a path, since names may hold dots. */
  #resolve(name: string, pointer: string): { column: DatasetColumn; path: readonly string[] } {
    const parts = name.split('.', FILTER_LIMITS.depth + 1);
    if (parts.length > FILTER_LIMITS.depth)
      throw refuse(pointer, `The name has more than ${FILTER_LIMITS.depth} parts between dots.`);
    for (let taken = parts.length; taken > 0; taken--) {
      const column = findVisible(this.#dataset, parts.slice(0, taken).join('.'));
      if (column && (taken === parts.length || column.type.is === 'json')) return { column, path: parts.slice(taken) };
    }
    throw refuse(pointer, unknownColumn(this.#dataset, name));
  }

  #count(pointer: string): void {
    this.#nodes++;
    if (this.#nodes > FILTER_LIMITS.nodes)
      throw refuse(pointer, `The filter has more than ${FILTER_LIMITS.nodes} nodes.`);
  }
}

function all(filters: readonly Filter[]): Filter {
  const [only] = filters;
  return only && filters.length === 1 ? only : { is: 'and', of: filters };
}

function objectAt(value: unknown, pointer: string, allowed: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw refuse(pointer, `${shown(value)} is not allowed here; allowed is ${allowed}.`);
}

/** RFC 6901 §3. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
