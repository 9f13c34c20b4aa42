import type { ThriftList, ThriftMap, ThriftStruct, ThriftValue } from './thrift.ts';
import { thriftType } from './thrift.ts';

/** Encodes a struct, its stop byte included, into a buffer of its own. Throws Error for a value not of its type. */
export function encodeThrift(struct: ThriftStruct): Uint8Array {
  const writer = new ThriftWriter();
  writer.writeStruct(struct);
  return writer.takeBytes();
}

class ThriftWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  takeBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  writeStruct(struct: ThriftStruct): void {
    let lastId = 0;
    for (const { id, type, value } of struct.fields) {
      const wireType = typeof value === 'boolean' ? (value ? thriftType.true : thriftType.false) : type;
      const distance = id - lastId;
      if (distance > 0 && distance <= 15) {
        this.#writeByte((distance << 4) | wireType);
      } else {
        this.#writeByte(wireType);
        this.#writeInteger(id);
      }
      if (typeof value !== 'boolean') this.#writeValue(type, value);
      lastId = id;
    }
    this.#writeByte(0);
  }

  #writeValue(type: number, value: ThriftValue): void {
    if (typeof value === 'bigint') {
      if (type !== thriftType.i64) throw new Error(`Thrift: a bigint stands where type ${type} belongs`);
      this.#writeLong(value);
    } else if (typeof value === 'number') {
      if (type === thriftType.i16 || type === thriftType.i32) this.#writeInteger(value);
      else if (type <= thriftType.byte) this.#writeByte(value);
      else throw new Error(`Thrift: a number stands where type ${type} belongs`);
    } else if (value instanceof Uint8Array) {
      if (type === thriftType.binary) this.#writeSize(value.length);
      this.#writeBytes(value);
    } else if (typeof value === 'object') {
      this.#writeNested(value);
    } else {
      throw new Error('Thrift: a boolean inside a list is written as a byte');
    }
  }

  #writeNested(value: ThriftStruct | ThriftList | ThriftMap): void {
    if ('fields' in value) this.writeStruct(value);
    else if ('elementType' in value) this.#writeList(value);
    else this.#writeMap(value);
  }

  #writeList(list: ThriftList): void {
    const size = list.values.length;
    this.#writeByte((Math.min(size, 15) << 4) | list.elementType);
    if (size >= 15) this.#writeSize(size);
    for (const value of list.values) this.#writeValue(list.elementType, value);
  }

  #writeMap(map: ThriftMap): void {
    this.#writeSize(map.entries.length);
    if (map.entries.length > 0) this.#writeByte((map.keyType << 4) | map.valueType);
    for (const [key, value] of map.entries) {
      this.#writeValue(map.keyType, key);
      this.#writeValue(map.valueType, value);
    }
  }

  #writeInteger(value: number): void {
    this.#writeSize(((value << 1) ^ (value >> 31)) >>> 0);
  }

  #writeSize(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#writeByte((rest & 127) | 128);
    this.#writeByte(rest);
  }

  #writeLong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 127n; rest >>= 7n) this.#writeByte(Number(rest & 127n) | 128);
    this.#writeByte(Number(rest));
  }

  #writeByte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
