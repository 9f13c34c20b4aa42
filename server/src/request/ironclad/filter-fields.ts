import type { ColumnType } from '../../column/type.ts';
import { parseType } from '../../column/type-name.ts';
import type { ShapeColumn } from '../../dataset/shape.ts';

/** What a filter may name: columns, and names inside references with the column each stands for. */
export interface FilterFields {
  readonly columns: ReadonlyMap<string, ColumnType>;
  /** contract → _id → contract. */
  readonly references: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** A column, or a place inside a JSON column. */
export interface Field {
  readonly column: string;
  readonly type: ColumnType;
  /** Names from the column inwards; empty for the column itself. */
  readonly path: readonly string[];
}

/** A row holds what an activity refers to as columns of its own; clients name them as parts of the thing. */
const REFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  contract: { _id: 'contract', title: 'contract_title' },
  version: { _id: 'version', version_number: 'version_number' },
  group: { _id: 'group', key: 'group_key' },
  site: { _id: 'site' },
  account: { _id: 'account' },
};

/** The fields of a shape's columns. A reference's names whose column the shape lacks are left out. */
export function fieldsOf(columns: readonly ShapeColumn[]): FilterFields {
  const types = new Map(columns.map(({ name, type }) => [name, parseType(type, '')]));
  const references = Object.entries(REFERENCES).flatMap(([name, parts]) => {
    const known = Object.entries(parts).filter(([, column]) => types.has(column));
    return known.length === 0 ? [] : [[name, new Map(known)] as const];
  });
  return { columns: types, references: new Map(references) };
}

/** The field of a name and the names inside it, or what to say of one that is none. */
export function findField(fields: FilterFields, names: readonly string[]): Field | string {
  const [head = '', inner] = names;
  const type = fields.columns.get(head);
  if (type && names.length === 1) return { column: head, type, path: [] };
  if (type?.is === 'json') {
    const path = names.slice(1);
    return path.includes('') ? `A name inside ${head} is empty.` : { column: head, type, path };
  }
  const parts = fields.references.get(head);
  if (parts && inner !== undefined) return findPart(fields, parts, names);
  return `${quoted(head)} ${type ? `has no names inside` : 'is not a field'}; allowed are ${listed(fields)}.`;
}

function findPart(fields: FilterFields, parts: ReadonlyMap<string, string>, names: readonly string[]): Field | string {
  const [head = '', inner = ''] = names;
  const column = names.length === 2 ? parts.get(inner) : undefined;
  const type = column === undefined ? undefined : fields.columns.get(column);
  if (column !== undefined && type) return { column, type, path: [] };
  const allowed = [...parts.keys()].map((part) => `${head}.${part}`).join(', ');
  return `${quoted(names.slice(1).join('.'))} is not a field of ${head}; allowed are ${allowed}.`;
}

/** Whether an object under the names may hold further names. */
export function holdsNames(fields: FilterFields, names: readonly string[]): boolean {
  const [head = ''] = names;
  return fields.columns.get(head)?.is === 'json' || (names.length === 1 && fields.references.has(head));
}

function listed({ columns, references }: FilterFields): string {
  const plain = [...columns].map(([name, type]) => (type.is === 'json' ? `${name}.*` : name));
  const parts = [...references].flatMap(([name, inner]) => [...inner.keys()].map((part) => `${name}.${part}`));
  return [...plain, ...parts].join(', ');
}

function quoted(name: string): string {
  return name.length > 100 ? 'That name' : JSON.stringify(name);
}
