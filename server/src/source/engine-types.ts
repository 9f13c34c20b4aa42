import type { DuckDBType } from '@duckdb/node-api';
import { Fault } from '../base/errors.ts';
import type { ColumnType } from '../column/type.ts';

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

/** Our type of an engine type. Throws `source.refused` naming the column where there is none. */
export function columnType(type: DuckDBType, column: string): ColumnType {
  if (type.alias === 'JSON') return { is: 'json' };
  if ('width' in type && 'scale' in type) return { is: 'decimal', precision: type.width, scale: type.scale };
  if ('keyType' in type)
    return { is: 'map', key: columnType(type.keyType, column), value: columnType(type.valueType, column) };
  if ('entryNames' in type) return structType(type, column);
  if ('valueType' in type) return { is: 'list', of: columnType(type.valueType, column) };
  if ('values' in type) return { is: 'text' };
  const name = type.toString();
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple) return simple;
  throw new Fault(
    'source.refused',
    `Column "${column}" is of type ${name}, which exports cannot carry; declare it as text.`,
  );
}

function structType(type: DuckDBType & { readonly entryNames: readonly string[] }, column: string): ColumnType {
  const types = 'entryTypes' in type ? type.entryTypes : [];
  return {
    is: 'struct',
    fields: type.entryNames.map((name, at) => {
      const inner = types[at];
      if (name === '' || !inner) throw new Fault('source.refused', `Column "${column}" holds a struct without names.`);
      return { name, type: columnType(inner, column) };
    }),
  };
}
