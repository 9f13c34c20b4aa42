/**
 * Thrift compact protocol as a tree that knows no schema.
 *
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 * Decoding and then encoding gives back the same bytes for every writer that uses the shortest form of
 * field headers and varints, as all known Parquet writers do.
 */

/** Compact type codes, as they stand in field and list headers. */
export const thriftType = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

/** One field: `type` is a code of `thriftType`, and decides which kind of value belongs here. */
export interface ThriftField {
  readonly id: number;
  readonly type: number;
  readonly value: ThriftValue;
}

export interface ThriftStruct {
  readonly fields: readonly ThriftField[];
}

/** A list or a set. */
export interface ThriftList {
  readonly elementType: number;
  readonly values: readonly ThriftValue[];
}

/** The types are 0 when the map is empty: the format then leaves them out. */
export interface ThriftMap {
  readonly keyType: number;
  readonly valueType: number;
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
}

/**
 * boolean for a boolean field (inside lists and maps it stays the byte that was written), number for byte, i16
 * and i32, bigint for i64, bytes for binary, uuid (16) and double (8, little-endian). For the encoder, bytes in
 * place of a struct are that struct, already encoded.
 */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftStruct | ThriftList | ThriftMap;

/** The value of field `id`, or undefined. */
export function fieldOf(struct: ThriftStruct, id: number): ThriftValue | undefined {
  return struct.fields.find((field) => field.id === id)?.value;
}

/** Narrows to a struct. Throws Error naming `what` otherwise. */
export function asStruct(value: ThriftValue | undefined, what: string): ThriftStruct {
  if (typeof value === 'object' && 'fields' in value) return value;
  throw new Error(`Thrift: ${what} is not a struct`);
}

/** Narrows to a list or set. Throws Error naming `what` otherwise. */
export function asList(value: ThriftValue | undefined, what: string): ThriftList {
  if (typeof value === 'object' && 'elementType' in value) return value;
  throw new Error(`Thrift: ${what} is not a list`);
}

/** Narrows to an i64. Throws Error naming `what` otherwise. */
export function asLong(value: ThriftValue | undefined, what: string): bigint {
  if (typeof value === 'bigint') return value;
  throw new Error(`Thrift: ${what} is not an i64`);
}
