import type duckdb from '@duckdb/node-bindings';
import { Fault } from '../base/errors.ts';
import type { ColumnType } from '../column/type.ts';
import type { Bindings } from './connection.ts';

const SIMPLE: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: { is: 'bool' },
  TINYINT: { is: 'integer', bits: 32 },
  SMALLINT: { is: 'integer', bits: 32 },
  INTEGER: { is: 'integer', bits: 32 },
  UTINYINT: { is: 'integer', bits: 32 },
  USMALLINT: { is: 'integer', bits: 32 },
  UINTEGER: { is: 'integer', bits: 64 },
  BIGINT: { is: 'integer', bits: 64 },
  // Parquet and SQL have no exact home for wider integers but decimals; a 39th digit is refused.
  UBIGINT: { is: 'decimal', precision: 20, scale: 0 },
  HUGEINT: { is: 'decimal', precision: 38, scale: 0 },
  UHUGEINT: { is: 'decimal', precision: 38, scale: 0 },
  FLOAT: { is: 'float', bits: 32 },
  DOUBLE: { is: 'float', bits: 64 },
  VARCHAR: { is: 'text' },
  BLOB: { is: 'bytes' },
  UUID: { is: 'uuid' },
  DATE: { is: 'date' },
  TIME: { is: 'time' },
  TIMESTAMP: { is: 'timestamp', unit: 'us' },
  TIMESTAMP_S: { is: 'timestamp', unit: 'us' },
  TIMESTAMP_MS: { is: 'timestamp', unit: 'us' },
  TIMESTAMP_NS: { is: 'timestamp', unit: 'ns' },
  'TIMESTAMP WITH TIME ZONE': { is: 'instant', unit: 'us' },
};

/** A type as the engine tells it. `sql`: as SQL writes it; JSON is a name for VARCHAR. */
export type EngineType = { readonly sql: string } & (
  | { readonly is: 'simple' | 'json' | 'enum' }
  | { readonly is: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly is: 'list'; readonly of: EngineType }
  | { readonly is: 'map'; readonly key: EngineType; readonly value: EngineType }
  | { readonly is: 'struct'; readonly fields: readonly EngineField[] }
);

interface EngineField {
  readonly name: string;
  readonly type: EngineType;
}

const SQL_NAMES: Readonly<Record<string, string>> = {
  TIMESTAMP_TZ: 'TIMESTAMP WITH TIME ZONE',
  TIME_TZ: 'TIME WITH TIME ZONE',
};

/** What the engine's C interface tells of a type. */
export function readType(bindings: Bindings, type: duckdb.LogicalType): EngineType {
  const name = bindings.Type[bindings.get_type_id(type)] ?? '';
  const inner = (child: duckdb.LogicalType) => readType(bindings, child);
  switch (name) {
    case 'DECIMAL': {
      const [precision, scale] = [bindings.decimal_width(type), bindings.decimal_scale(type)];
      return { is: 'decimal', precision, scale, sql: `DECIMAL(${precision},${scale})` };
    }
    case 'LIST': {
      const of = inner(bindings.list_type_child_type(type));
      return { is: 'list', of, sql: `${of.sql}[]` };
    }
    case 'ARRAY': {
      const of = inner(bindings.array_type_child_type(type));
      return { is: 'list', of, sql: `${of.sql}[${bindings.array_type_array_size(type)}]` };
    }
    case 'MAP': {
      const [key, value] = [inner(bindings.map_type_key_type(type)), inner(bindings.map_type_value_type(type))];
      return { is: 'map', key, value, sql: `MAP(${key.sql}, ${value.sql})` };
    }
    case 'STRUCT':
      return readStruct(bindings, type);
    case 'UNION':
      return { is: 'simple', sql: `UNION(${membersOf(bindings, type)})` };
    case 'ENUM':
      return { is: 'enum', sql: name };
    default:
      return readSimple(name, bindings.logical_type_get_alias(type));
  }
}

function readStruct(bindings: Bindings, type: duckdb.LogicalType): EngineType {
  const fields = Array.from({ length: bindings.struct_type_child_count(type) }, (_, at) => ({
    name: bindings.struct_type_child_name(type, at),
    type: readType(bindings, bindings.struct_type_child_type(type, at)),
  }));
  return { is: 'struct', fields, sql: `STRUCT(${listOf(fields)})` };
}

function membersOf(bindings: Bindings, type: duckdb.LogicalType): string {
  const members = Array.from({ length: bindings.union_type_member_count(type) }, (_, at) => ({
    name: bindings.union_type_member_name(type, at),
    type: readType(bindings, bindings.union_type_member_type(type, at)),
  }));
  return listOf(members);
}

function listOf(fields: readonly EngineField[]): string {
  return fields.map(({ name, type }) => `"${name.replaceAll('"', '""')}" ${type.sql}`).join(', ');
}

function readSimple(name: string, alias: string | null): EngineType {
  return { is: alias === 'JSON' ? 'json' : 'simple', sql: SQL_NAMES[name] ?? name };
}

/** Our type of an engine type. Throws `source.refused` naming the column where there is none. */
export function columnType(type: EngineType, column: string): ColumnType {
  switch (type.is) {
    case 'json':
      return { is: 'json' };
    case 'decimal':
      return { is: 'decimal', precision: type.precision, scale: type.scale };
    case 'map':
      return { is: 'map', key: columnType(type.key, column), value: columnType(type.value, column) };
    case 'struct':
      return { is: 'struct', fields: type.fields.map((field) => fieldOf(field, column)) };
    case 'list':
      return { is: 'list', of: columnType(type.of, column) };
    case 'enum':
      return { is: 'text' };
    case 'simple':
      return simpleType(type.sql, column);
  }
}

function simpleType(name: string, column: string): ColumnType {
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple) return simple;
  throw new Fault(
    'source.refused',
    `Column "${column}" is of type ${name}, which exports cannot carry; declare it as text.`,
  );
}

function fieldOf({ name, type }: EngineField, column: string) {
  if (name === '') throw new Fault('source.refused', `Column "${column}" holds a struct without names.`);
  return { name, type: columnType(type, column) };
}
