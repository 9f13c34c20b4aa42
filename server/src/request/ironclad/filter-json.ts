import { refuse } from '../../base/errors.ts';
import { escapePointer, FILTER_LIMITS } from '../../dataset/filter.ts';
import { type Field, type FilterFields, findField, holdsNames } from './filter-fields.ts';
import { FilterLevel, NodeCount } from './filter-level.ts';
import { coreTest, isOperator, kindOf, OPERATOR_NAMES, type Operator } from './filter-operators.ts';

/**
 * Reads the JSON form of a filter and gives the core's (`dataset/filter.ts`): an object whose keys
 * are fields with a value or an object of operators, references and groups of data with objects of
 * names, or `and`, `or` (lists) and `not`, also with `$`. All keys must hold. Throws
 * `request.invalid` naming the place in their body by pointer.
 */
export function readJsonFilter(value: unknown, fields: FilterFields): unknown {
  const filter = new JsonReader(fields).read(value, { pointer: '/filter', depth: 1 });
  const bytes = Buffer.byteLength(JSON.stringify(filter));
  if (bytes > FILTER_LIMITS.bytes)
    throw refuse('/filter', `The filter has ${bytes} bytes; allowed are ${FILTER_LIMITS.bytes}.`);
  return filter;
}

interface Place {
  readonly pointer: string;
  /** Levels from the filter itself, which is the first. Operators and lists are no levels; objects of names are. */
  readonly depth: number;
}

interface Names {
  readonly names: readonly string[];
  readonly value: unknown;
  readonly level: FilterLevel;
}

class JsonReader {
  readonly #fields: FilterFields;
  readonly #nodes = new NodeCount();

  constructor(fields: FilterFields) {
    this.#fields = fields;
  }

  read(value: unknown, place: Place): object {
    checkDepth(place);
    const members = membersOf(value, place.pointer);
    this.#nodes.add(place.pointer);
    const level = new FilterLevel(this.#nodes, place.depth);
    for (const [key, inner] of members) this.#member(key, inner, { level, place: under(place, key) });
    return level.filter();
  }

  #member(key: string, value: unknown, { level, place }: { level: FilterLevel; place: Place }): void {
    const combinator = /^\$?(and|or|not)$/.exec(key)?.[1];
    if (combinator) level.combine(combinator, this.#combined(combinator, value, place), place.pointer);
    else if (key.startsWith('$')) throw refuse(place.pointer, misplaced(key));
    else this.#field({ names: split(key, place.pointer), value, level }, place);
  }

  #combined(combinator: string, value: unknown, place: Place): unknown {
    const inside = { ...place, depth: place.depth + 1 };
    if (combinator === 'not') return this.read(value, inside);
    if (!Array.isArray(value) || value.length === 0)
      throw refuse(place.pointer, `${kindOf(value)} is not allowed here; allowed is a list of at least one filter.`);
    return value.map((each, at) => this.read(each, { ...inside, pointer: `${place.pointer}/${at}` }));
  }

  #field(asked: Names, place: Place): void {
    const { names, value } = asked;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#test(asked, '$eq', place);
      return;
    }
    const members = Object.entries(value);
    const areNames = members.length > 0 && !members.some(([key]) => key.startsWith('$'));
    if (areNames && holdsNames(this.#fields, names)) this.#names(asked, members, place);
    else this.#operators(asked, members, place);
  }

  #operators(asked: Names, members: readonly (readonly [string, unknown])[], place: Place): void {
    // A field that does not exist is said before what is wrong under it.
    this.#resolve(asked.names, place.pointer);
    if (members.length === 0)
      throw refuse(place.pointer, `Nothing is asked of it; allowed are a value or ${OPERATOR_NAMES}.`);
    for (const [key, operand] of members) {
      const at = under(place, key);
      if (!isOperator(key)) throw refuse(at.pointer, unknownOperator(key));
      this.#test({ ...asked, value: operand }, key, at);
    }
  }

  /** An object under a reference or a group of data. */
  #names({ names, level }: Names, members: readonly (readonly [string, unknown])[], place: Place): void {
    const inside = { ...place, depth: place.depth + 1 };
    checkDepth(inside);
    for (const [key, value] of members) {
      const at = under(inside, key);
      const all = [...names, ...split(key, at.pointer)];
      checkParts(all, at.pointer);
      this.#field({ names: all, value, level }, at);
    }
  }

  #test({ names, value, level }: Names, operator: Operator, { pointer }: Place): void {
    const field = this.#resolve(names, pointer);
    level.test(coreTest({ field, operator, operand: value, pointer }), pointer);
  }

  #resolve(names: readonly string[], pointer: string): Field {
    const field = findField(this.#fields, names);
    if (typeof field === 'string') throw refuse(pointer, field);
    return field;
  }
}

function membersOf(value: unknown, pointer: string): readonly [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw refuse(pointer, `${kindOf(value)} is not allowed here; allowed is an object of fields, and, or, not.`);
}

function checkDepth({ pointer, depth }: Place): void {
  if (depth > FILTER_LIMITS.depth) throw refuse(pointer, `The filter is deeper than ${FILTER_LIMITS.depth} levels.`);
}

function split(name: string, pointer: string): readonly string[] {
  if (!name.isWellFormed()) throw refuse(pointer, 'The name is not well-formed Unicode.');
  const names = name.split('.', FILTER_LIMITS.depth + 1);
  checkParts(names, pointer);
  return names;
}

function checkParts(names: readonly string[], pointer: string): void {
  if (names.length > FILTER_LIMITS.depth)
    throw refuse(pointer, `The name has more than ${FILTER_LIMITS.depth} parts between dots.`);
}

function under({ pointer, depth }: Place, key: string): Place {
  return { pointer: `${pointer}/${escapePointer(key)}`, depth };
}

function misplaced(key: string): string {
  return `${kindOf(key)} is not allowed here; allowed are fields, and, or, not, these three also with $.`;
}

function unknownOperator(key: string): string {
  if (/^\$(not|and|or)$/.test(key)) return `${key} stands around fields, not under one; allowed are ${OPERATOR_NAMES}.`;
  return `${kindOf(key)} is not an operator; allowed are ${OPERATOR_NAMES}.`;
}
