import { type Column, type ColumnType, nameOf } from '../column/type.ts';

type Schema = string | readonly Schema[] | { readonly [attribute: string]: unknown };

/**
 * The Avro schema of a row, a record named `Row`. Nullable columns, and everything inside nested values but map keys,
 * are a union of null and the type, with null as the default.
 *
 * Avro takes names of ASCII letters, digits and `_` that start with no digit. Any other name has each of its other
 * characters replaced by `_`, and a `_` before a leading digit; when the result is taken, `_2`, `_3` … is appended.
 * Legal names always stay as they are. A field that was renamed has its own name in the attribute `originalName`.
 */
export function avroSchema(columns: readonly Column[]): Schema {
  return record('Row', columns, new Set());
}

interface RecordField {
  readonly name: string;
  readonly type: ColumnType;
  /** Absent inside structs, where everything may be NULL. */
  readonly nullable?: boolean;
}

/** `records` holds the names of the schema's records so far: each must be another. */
function record(name: string, fields: readonly RecordField[], records: Set<string>): Schema {
  const ownName = freeName(name, records);
  const names = avroNames(fields.map((field) => field.name));
  return {
    type: 'record',
    name: ownName,
    fields: fields.map((field, at) => {
      const fieldName = names[at] ?? '';
      const type = avroType(field.type, `${ownName}_${fieldName}`, records);
      return {
        name: fieldName,
        type: field.nullable === false ? type : ['null', type],
        ...(field.nullable === false ? {} : { default: null }),
        ...(fieldName === field.name ? {} : { originalName: field.name }),
      };
    }),
  };
}

/** `path` is what a record found on the way is named. */
function avroType(type: ColumnType, path: string, records: Set<string>): Schema {
  switch (type.is) {
    case 'list':
      return { type: 'array', items: ['null', avroType(type.of, path, records)] };
    case 'map':
      return { type: 'map', values: ['null', avroType(type.value, path, records)] };
    case 'struct':
      return record(path, type.fields, records);
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale };
    default:
      return SIMPLE[nameOf(type)] ?? 'string';
  }
}

const SIMPLE: Readonly<Record<string, Schema>> = {
  bool: 'boolean',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  bytes: 'bytes',
  uuid: { type: 'string', logicalType: 'uuid' },
  date: { type: 'int', logicalType: 'date' },
  time: { type: 'long', logicalType: 'time-micros' },
  timestamp: { type: 'long', logicalType: 'local-timestamp-micros' },
  'timestamp(ns)': { type: 'long', logicalType: 'local-timestamp-nanos' },
  instant: { type: 'long', logicalType: 'timestamp-micros' },
  'instant(ms)': { type: 'long', logicalType: 'timestamp-millis' },
};

const LEGAL = /^[A-Za-z_][A-Za-z0-9_]*$/;

function avroNames(names: readonly string[]): string[] {
  const taken = new Set(names.filter((name) => LEGAL.test(name)));
  return names.map((name) => (LEGAL.test(name) ? name : freeName(legalName(name), taken)));
}

function legalName(name: string): string {
  const letters = name.replace(/[^A-Za-z0-9_]/gu, '_');
  return /^[A-Za-z_]/.test(letters) ? letters : `_${letters}`;
}

/** The name, or the first of `name_2`, `name_3` … that is not taken; from then on it is. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
  taken.add(free);
  return free;
}
