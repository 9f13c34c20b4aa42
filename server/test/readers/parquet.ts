import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/**
 * A Parquet file as hyparquet reads it, nothing rounded: dates are days, times and timestamps the
 * integers that are stored, decimals unscaled (as number, bigint or big-endian bytes), JSON is text,
 * a struct is an object and a map is `{ key_value: [{ key, value }] }`.
 */
export interface ParquetContent {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Throws on text that is not UTF-8, and keeps a byte order mark, which is a character like any other here. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const EXACT = {
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  dateFromDays: (days: number) => days,
  stringFromBytes: decodeText,
  jsonFromBytes: decodeText,
};

export async function readParquet(path: string): Promise<ParquetContent> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map((tree) => ({ name: tree.element.name, type: typeName(tree) }));
  let rows: unknown[][] = [];
  const options = { parsers: EXACT, compressors, utf8: false, geoparquet: false };
  await parquetRead({ file, metadata: withoutRounding(metadata), ...options, onComplete: (read) => (rows = read) });
  if (rows.length !== Number(metadata.num_rows)) throw new Error(`${rows.length} rows read of ${metadata.num_rows}`);
  return { columns, rows };
}

/** hyparquet turns decimals into floats and maps into objects; it cannot when it does not know them for such. */
function withoutRounding(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element): SchemaElement => {
    if (element.converted_type !== 'DECIMAL' && element.converted_type !== 'MAP') return element;
    const { converted_type: _, logical_type: __, ...plain } = element;
    return plain;
  });
  return { ...metadata, schema };
}

function decodeText(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decoder.decode(bytes);
}

/** A column's type by its annotations alone, in the words of manifests. */
function typeName({ element, children }: SchemaTree): string {
  const [first] = children;
  if (element.converted_type === 'LIST' && first?.children[0]) return `list(${typeName(first.children[0])})`;
  if (element.converted_type === 'MAP' && first?.children[0] && first.children[1]) {
    return `map(${typeName(first.children[0])}, ${typeName(first.children[1])})`;
  }
  if (children.length > 0)
    return `struct(${children.map((child) => `${named(child.element.name)} ${typeName(child)}`).join(', ')})`;
  return leafName(element);
}

function named(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const BY_ANNOTATION: Readonly<Record<string, string>> = {
  UTF8: 'text',
  JSON: 'json',
  DATE: 'date',
  TIME_MICROS: 'time',
  INT_32: 'int32',
  INT_64: 'int64',
};
const BY_PHYSICAL: Readonly<Record<string, string>> = {
  BOOLEAN: 'bool',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT: 'float32',
  DOUBLE: 'float64',
  BYTE_ARRAY: 'bytes',
};
const UNITS: Readonly<Record<string, string>> = { MICROS: '', MILLIS: '(ms)', NANOS: '(ns)' };

function leafName({
  type,
  converted_type: annotation,
  logical_type: logical,
  precision,
  scale,
}: SchemaElement): string {
  if (annotation === 'DECIMAL') return `decimal(${precision},${scale ?? 0})`;
  if (logical?.type === 'UUID') return 'uuid';
  if (logical?.type === 'TIMESTAMP')
    return `${logical.isAdjustedToUTC ? 'instant' : 'timestamp'}${UNITS[logical.unit]}`;
  const name = annotation ? BY_ANNOTATION[annotation] : BY_PHYSICAL[type ?? ''];
  return name ?? `${type} ${annotation} ${JSON.stringify(logical)}`;
}
