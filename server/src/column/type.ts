/**
 * The types a column may have, whatever the source. Their text in every format is in `text.ts` and
 * `json.ts`; docs/values.md says the same for readers of exported files.
 */
export type ColumnType =
  | { readonly is: 'bool' | 'text' | 'bytes' | 'uuid' | 'date' | 'time' | 'json' }
  | { readonly is: 'integer'; readonly bits: 32 | 64 }
  | { readonly is: 'float'; readonly bits: 32 | 64 }
  | { readonly is: 'decimal'; readonly precision: number; readonly scale: number }
  /** A wall-clock date and time without zone. */
  | { readonly is: 'timestamp'; readonly unit: 'us' | 'ns' }
  /** A point in time, in UTC. The unit is what binary formats store where they can. */
  | { readonly is: 'instant'; readonly unit: 'ms' | 'us' }
  | { readonly is: 'list'; readonly of: ColumnType }
  | { readonly is: 'struct'; readonly fields: readonly Field[] }
  | { readonly is: 'map'; readonly key: ColumnType; readonly value: ColumnType };

export interface Field {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Column {
  readonly name: string;
  /** What CSV calls it, where the engine would take its own name for that of another. */
  readonly label?: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/** The name of a type as written in config, manifests and answers: `decimal(18,4)`, `list(int64)`. */
export function nameOf(type: ColumnType): string {
  switch (type.is) {
    case 'integer':
      return `int${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
    case 'instant':
      return type.unit === 'us' ? type.is : `${type.is}(${type.unit})`;
    case 'list':
      return `list(${nameOf(type.of)})`;
    case 'struct':
      return `struct(${type.fields.map((field) => `${quoted(field.name)} ${nameOf(field.type)}`).join(', ')})`;
    case 'map':
      return `map(${nameOf(type.key)}, ${nameOf(type.value)})`;
    default:
      return type.is;
  }
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The type as the engine (DuckDB) writes it. Every relation is cast to these before anything reads it. */
export function engineType(type: ColumnType): string {
  switch (type.is) {
    case 'integer':
      return type.bits === 32 ? 'INTEGER' : 'BIGINT';
    case 'float':
      return type.bits === 32 ? 'FLOAT' : 'DOUBLE';
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'timestamp':
      return type.unit === 'ns' ? 'TIMESTAMP_NS' : 'TIMESTAMP';
    case 'instant':
      return 'TIMESTAMP WITH TIME ZONE';
    case 'list':
      return `${engineType(type.of)}[]`;
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `"${field.name.replaceAll('"', '""')}" ${engineType(field.type)}`).join(', ')})`;
    case 'map':
      return `MAP(${engineType(type.key)}, ${engineType(type.value)})`;
    default:
      return SIMPLE_ENGINE_TYPES[type.is];
  }
}

const SIMPLE_ENGINE_TYPES = {
  bool: 'BOOLEAN',
  text: 'VARCHAR',
  bytes: 'BLOB',
  uuid: 'UUID',
  date: 'DATE',
  time: 'TIME',
  json: 'JSON',
} as const;

export function isNested(type: ColumnType): boolean {
  return type.is === 'list' || type.is === 'struct' || type.is === 'map';
}
