import { readFile } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import avsc from 'avsc';

/**
 * An object container file as avsc reads it, nothing rounded: integers are bigint, text is decoded strictly, bytes (and
 * decimals) are a Buffer, a record is an array of its fields' values in order and a map an object.
 */
export interface AvroContent {
  readonly codec: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export async function readAvro(path: string): Promise<AvroContent> {
  const { schema, codec, rows } = await decoded(path);
  const columns = schema.fields.map((field) => ({ name: ownName(field), type: typeName(field.type) }));
  return { codec, columns, rows };
}

/** The schema as it stands in the file. */
export async function readAvroSchema(path: string): Promise<RecordSchema> {
  return (await decoded(path)).schema;
}

async function decoded(path: string) {
  let [schema, codec] = [{} as RecordSchema, ''];
  const decoder = new avsc.streams.BlockDecoder({
    parseHook: (found) => {
      schema = found as unknown as RecordSchema;
      return avsc.Type.forSchema(bare(schema) as avsc.Schema, { registry: { long: LONG }, wrapUnions: false });
    },
    codecs: {
      ...avsc.streams.BlockDecoder.defaultCodecs(),
      zstandard: (data, callback) => callback(null, zstdDecompressSync(data)),
    },
  });
  decoder.on('metadata', (_: unknown, name: string) => {
    codec = name;
  });
  decoder.end(await readFile(path));
  const rows: unknown[][] = [];
  for await (const row of decoder) rows.push(loaded(row, schema) as unknown[]);
  return { schema, codec, rows };
}

/** avsc's own refuses what lies beyond 2^53. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: () => {
    throw new Error('Nothing is written.');
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => (left === right ? 0 : left < right ? -1 : 1),
});

interface Field {
  readonly name: string;
  readonly type: Schema;
  readonly default?: unknown;
  readonly originalName?: string;
}

interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly Field[];
}

type Schema =
  | string
  | readonly [string, Schema]
  | RecordSchema
  | { readonly type: 'array'; readonly items: Schema }
  | { readonly type: 'map'; readonly values: Schema }
  | { readonly type: string; readonly logicalType: string; readonly precision?: number; readonly scale?: number };

/** The same bytes' schema with fields named by number, which avsc makes code of, and text as bytes. */
function bare(schema: Schema): unknown {
  if (typeof schema === 'string') return schema === 'string' ? 'bytes' : schema;
  if (isUnion(schema)) return [schema[0], bare(schema[1])];
  if ('fields' in schema)
    return { ...schema, fields: schema.fields.map(({ type }, at) => ({ name: `f${at}`, type: bare(type) })) };
  if ('items' in schema) return { type: 'array', items: bare(schema.items) };
  if ('values' in schema) return { type: 'map', values: bare(schema.values) };
  return bare(schema.type);
}

function isUnion(schema: Schema): schema is readonly [string, Schema] {
  return Array.isArray(schema);
}

/** Throws on text that is not UTF-8, and keeps a byte order mark. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function loaded(value: unknown, schema: Schema): unknown {
  if (isUnion(schema)) return value === null ? null : loaded(value, schema[1]);
  if (typeof schema === 'object' && 'fields' in schema)
    return schema.fields.map(({ type }, at) => loaded((value as Record<string, unknown>)[`f${at}`], type));
  if (typeof schema === 'object' && 'items' in schema)
    return (value as unknown[]).map((item) => loaded(item, schema.items));
  if (typeof schema === 'object' && 'values' in schema)
    return Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, loaded(each, schema.values)]));
  const stored = typeof schema === 'string' ? schema : schema.type;
  if (stored === 'string') return decoder.decode(value as Buffer);
  return stored === 'int' ? BigInt(value as number) : value;
}

const BY_TYPE: Readonly<Record<string, string>> = {
  boolean: 'bool',
  int: 'int32',
  long: 'int64',
  float: 'float32',
  double: 'float64',
  bytes: 'bytes',
  string: 'text',
  'string uuid': 'uuid',
  'int date': 'date',
  'long time-micros': 'time',
  'long local-timestamp-micros': 'timestamp',
  'long local-timestamp-nanos': 'timestamp(ns)',
  'long timestamp-micros': 'instant',
  'long timestamp-millis': 'instant(ms)',
};

/** A type by its schema alone, in the words of manifests. */
function typeName(schema: Schema): string {
  if (typeof schema === 'string') return BY_TYPE[schema] ?? schema;
  if (isUnion(schema)) return schema[0] === 'null' ? typeName(schema[1]) : JSON.stringify(schema);
  if ('fields' in schema)
    return `struct(${schema.fields.map((field) => `${quoted(ownName(field))} ${typeName(nullable(field.type))}`).join(', ')})`;
  if ('items' in schema) return `list(${typeName(nullable(schema.items))})`;
  if ('values' in schema) return `map(text, ${typeName(nullable(schema.values))})`;
  if (schema.logicalType === 'decimal' && schema.type === 'bytes')
    return `decimal(${schema.precision},${schema.scale})`;
  return BY_TYPE[`${schema.type} ${schema.logicalType}`] ?? JSON.stringify(schema);
}

/** Everything inside nested values may be NULL. */
function nullable(schema: Schema): Schema {
  if (!isUnion(schema)) throw new Error(`${JSON.stringify(schema)} cannot be NULL.`);
  return schema;
}

/** The name before it was made a legal one. Avro refuses a union's default that is not of its first type. */
function ownName({ name, type, originalName, ...rest }: Field): string {
  const own = originalName ?? name;
  const legal = own.replace(/[^A-Za-z0-9_]/gu, '_').replace(/^(?=[^A-Za-z_]|$)/, '_');
  if (
    originalName === name ||
    !(name === legal || (originalName !== undefined && /^_\d+$/.test(name.slice(legal.length))))
  )
    throw new Error(`The field ${name} stands for ${own}.`);
  if (isUnion(type) !== 'default' in rest) throw new Error(`The default of ${name} is ${rest.default}.`);
  return own;
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
