import type { ThriftField, ThriftList, ThriftMap, ThriftStruct, ThriftValue } from './thrift.ts';
import { thriftType } from './thrift.ts';

/**
 * Decodes the struct that begins at byte 0; what follows it is not looked at.
 * Throws Error when the bytes end early or hold an unknown type code. Binary values are views of `bytes`.
 */
export function decodeThrift(bytes: Uint8Array): ThriftStruct {
  return new ThriftReader(bytes).readStruct();
}

class ThriftReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readStruct(): ThriftStruct {
    const fields: ThriftField[] = [];
    let id = 0;
    for (;;) {
      const header = this.#readByte();
      if (header === 0) return { fields };
      const type = header & 15;
      // The high half is the distance from the last field's id; 0 says that the id follows in full.
      id = header >> 4 === 0 ? this.#readInteger() : id + (header >> 4);
      const isBoolean = type === thriftType.true || type === thriftType.false;
      fields.push({ id, type, value: isBoolean ? type === thriftType.true : this.#readValue(type) });
    }
  }

  #readValue(type: number): ThriftValue {
    switch (type) {
      case thriftType.true:
      case thriftType.false:
      case thriftType.byte:
        return this.#readByte();
      case thriftType.i16:
      case thriftType.i32:
        return this.#readInteger();
      case thriftType.i64:
        return this.#readLong();
      case thriftType.double:
        return this.#readBytes(8);
      case thriftType.binary:
        return this.#readBytes(this.#readSize());
      case thriftType.list:
      case thriftType.set:
        return this.#readList();
      case thriftType.map:
        return this.#readMap();
      case thriftType.struct:
        return this.readStruct();
      case thriftType.uuid:
        return this.#readBytes(16);
      default:
        throw new Error(`Thrift: unknown type ${type} at byte ${this.#at}`);
    }
  }

  #readList(): ThriftList {
    const header = this.#readByte();
    const elementType = header & 15;
    // 15 in the high half says that the size did not fit there and follows.
    const size = header >> 4 === 15 ? this.#readSize() : header >> 4;
    const values: ThriftValue[] = [];
    for (let index = 0; index < size; index += 1) values.push(this.#readValue(elementType));
    return { elementType, values };
  }

  #readMap(): ThriftMap {
    const size = this.#readSize();
    if (size === 0) return { keyType: 0, valueType: 0, entries: [] };
    const types = this.#readByte();
    const keyType = types >> 4;
    const valueType = types & 15;
    const entries: [ThriftValue, ThriftValue][] = [];
    for (let index = 0; index < size; index += 1) entries.push([this.#readValue(keyType), this.#readValue(valueType)]);
    return { keyType, valueType, entries };
  }

  #readByte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error(`Thrift: the bytes end early, at ${this.#at}`);
    this.#at += 1;
    return byte;
  }

  #readBytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error(`Thrift: ${length} bytes at ${this.#at} reach past the end`);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** An unsigned varint of at most 32 bits. */
  #readSize(): number {
    let size = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#readByte();
      size += (byte & 127) * scale;
      if (byte < 128 && size <= 0xffffffff) return size;
    }
    throw new Error(`Thrift: a number before byte ${this.#at} is longer than 32 bits`);
  }

  #readInteger(): number {
    const zigzag = this.#readSize();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  #readLong(): bigint {
    let zigzag = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#readByte();
      zigzag |= BigInt(byte & 127) << shift;
      if (byte < 128) return (zigzag >> 1n) ^ -(zigzag & 1n);
    }
    throw new Error(`Thrift: a number before byte ${this.#at} is longer than 64 bits`);
  }
}
