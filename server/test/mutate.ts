import { Ajv2020 } from 'ajv/dist/2020.js';
import { draws, fc } from './draws.ts';
import { ALL_KINDS, BAD_MEANINGS, ILL_FORMED, NEVER_RIGHT, NO_JSON, Raw, word } from './mutate-values.ts';

/** One request that must be refused. */
export interface Mutation {
  /** Which operation and property it is of. */
  readonly property: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Where the fault lies; null where nothing has to be named. */
  readonly pointer: string | null;
  /** Whether the object around may be named as well. */
  readonly orAbove?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON schemas are walked as they come
type Schema = any;

/** Everything a body may have, right in every part. */
const WHOLE_BODY = {
  dataset: 'events',
  tenant: 'acme',
  window: { start: '2026-01-01', end: '2026-02-01' },
  filter: { id: { gte: 1 } },
  columns: ['id', 'kind', 'note'],
  distinct: false,
  order: ['-id'],
  format: 'csv',
  compression: 'none',
  split: { rows: 5000, bytes: 2_000_000 },
  destination: { type: 'download' },
  note: 'a note',
};

/** What a document needs. */
const LAYOUT = {
  name: 'id',
  title: 'Record',
  sections: [{ title: 'All', fields: [{ label: 'Note', column: 'note' }] }],
};

const DRAWN = draws({ few: 4, many: 12 });
const DRAWN_NAMES = draws({ few: 10, many: 15 });
/** Made once: making it takes longer than drawing from it. */
const ANY_VALUE = fc.jsonValue({ maxDepth: 3 });

const ajv = new Ajv2020({ strict: false, logger: false });

/** Wrong values of every property of a body, by its schema and by what its words mean. */
export function bodyMutations(method: string, path: string, schema: Schema): Mutation[] {
  const walk = (below: Schema, pointer: string, base: object): Mutation[] => {
    const at = { method, path, pointer, base };
    return [...valuesOf(below, at), ...inside(below, at, walk)];
  };
  const root = { method, path, pointer: '', base: WHOLE_BODY };
  const whole = ALL_KINDS.filter((value) => !ajv.validate(schema, value) && typeof value !== 'object');
  const bodies = [...whole.map((value) => JSON.stringify(value)), '[]', '[{}]', 'null', '', ' '];
  return [
    ...inside(schema, root, walk),
    ...bodies.map((body) => ({ property: `${path} body`, method, path, pointer: '', body })),
  ];
}

/** What is wrong wherever it stands: at each place a few, the next ones at the next; the soak tries all of them everywhere. */
class InTurn<T> {
  readonly #items: readonly T[];
  readonly #count: number;
  #at = 0;

  constructor(items: readonly T[], few: number) {
    this.#items = items;
    this.#count = draws({ few, many: items.length });
  }

  some(): T[] {
    const start = this.#at;
    this.#at += this.#count;
    return Array.from({ length: this.#count }, (_, at) => this.#items[(start + at) % this.#items.length] as T);
  }
}

const NO_JSON_IN_TURN = new InTurn(NO_JSON, 2);
const NEVER_RIGHT_IN_TURN = new InTurn(NEVER_RIGHT, 4);

interface Place {
  readonly method: string;
  readonly path: string;
  readonly pointer: string;
  /** The body that is right. */
  readonly base: object;
}

function inside(schema: Schema, place: Place, walk: (schema: Schema, pointer: string, base: object) => Mutation[]) {
  const { pointer, base } = place;
  // What is not there has nothing inside that could be wrong.
  const here = valueAt(base, pointer);
  if (schema.anyOf ?? schema.oneOf)
    return (schema.anyOf ?? schema.oneOf).flatMap((branch: Schema): Mutation[] => {
      const type = branch.properties?.type?.enum[0];
      if (branch.oneOf) return inside(branch, place, walk);
      const right = { ...(type === 'pdf' ? LAYOUT : {}), type };
      return type === undefined ? [] : inside(branch, { ...place, base: changed(base, pointer, right) }, walk);
    });
  if (schema.items) return Array.isArray(here) ? walk(schema.items, `${pointer}/0`, base) : [];
  if (schema.properties && (typeof here !== 'object' || here === null)) return [];
  const mutations: Mutation[] = [];
  for (const [name, below] of Object.entries<Schema>(schema.properties ?? {})) {
    mutations.push(...walk(below, `${pointer}/${name}`, base));
    if (schema.required?.includes(name))
      mutations.push({ ...mutationOf(place, `${pointer}/${name}`, undefined), orAbove: true });
  }
  if (schema.additionalProperties === false) mutations.push(...extras(place));
  return mutations;
}

function extras(place: Place): Mutation[] {
  const names = fc.sample(word, DRAWN_NAMES).map((name) => `x-${name}`);
  const hostile = [
    '__proto__',
    'constructor ',
    'toString',
    'Type',
    'DATASET',
    ' ',
    '',
    '/',
    '~1',
    'a/b~c',
    'hasOwnProperty',
  ];
  return [...names, ...hostile].map((name) => {
    const pointer = `${place.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const mutation = { ...mutationOf(place, pointer, 1), property: `${place.path} body ${place.pointer}/(more)` };
    return name === '__proto__' ? { ...mutation, orAbove: true } : mutation;
  });
}

function valuesOf(schema: Schema, place: Place): Mutation[] {
  const isRight = ajv.compile(schema);
  const drawn = fc.sample(ANY_VALUE, DRAWN);
  const byKind = [...ALL_KINDS, ...drawn].filter((value) => !isRight(value));
  const texts = schema.type === 'string' ? ILL_FORMED : [];
  const meant = BAD_MEANINGS[place.pointer] ?? [];
  const exempt = NO_JSON_IN_TURN.some().map((text) => ({
    ...mutationOf(place, place.pointer, new Raw(text)),
    pointer: null,
  }));
  const values = [...byKind, ...texts, ...meant, ...NEVER_RIGHT_IN_TURN.some()];
  return [...values.map((value) => mutationOf(place, place.pointer, value)), ...exempt];
}

function mutationOf(place: Place, pointer: string, value: unknown): Mutation {
  const { method, path, base } = place;
  const format = (base as { format: { type?: string } }).format.type;
  const within = pointer.startsWith('/format/') ? ` (${format})` : '';
  return {
    property: `${path} body ${pointer}${within}`,
    method,
    path,
    pointer,
    body: written(changed(base, pointer, value)),
  };
}

const PLACEHOLDER = '@raw@';

/** The JSON text, with raw text where it was asked for. */
function written(body: object): string {
  let raw = '';
  const text = JSON.stringify(body, (_key, value) => {
    if (!(value instanceof Raw)) return value;
    raw = value.text;
    return PLACEHOLDER;
  });
  return text.replace(`"${PLACEHOLDER}"`, () => raw);
}

function valueAt(base: object, pointer: string): unknown {
  // biome-ignore lint/suspicious/noExplicitAny: any part of the body
  return partsOf(pointer).reduce((inner: any, part) => inner?.[part], base);
}

function partsOf(pointer: string): string[] {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy with another value at the pointer; undefined takes it away. */
function changed(base: object, pointer: string, value: unknown): object {
  const copy = structuredClone(base);
  const parts = partsOf(pointer);
  const last = parts.pop() ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: any part of the body
  const parent = parts.reduce((inner: any, part) => inner[part], copy);
  Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}
