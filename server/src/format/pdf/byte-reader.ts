/** Reads numbers one behind the other, as WOFF2 writes them. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint8(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  uint16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  uint32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  /** UIntBase128: seven bits a byte, as long as the eighth is set. */
  base128(): number {
    let number = 0;
    for (;;) {
      const byte = this.uint8();
      number = number * 128 + (byte & 127);
      if (byte < 128) return number;
    }
  }

  /** 255UInt16: one byte up to 252, behind which come larger numbers. */
  short255(): number {
    const byte = this.uint8();
    if (byte === 253) return this.uint16();
    if (byte === 254) return this.uint8() + 506;
    if (byte === 255) return this.uint8() + 253;
    return byte;
  }
}
