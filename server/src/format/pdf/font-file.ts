import { openSync, readSync } from 'node:fs';

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** An OpenType file, open for the life of the process, of which only what is asked for is read. */
export class FontFile {
  readonly #handle: number;
  readonly #tables: ReadonlyMap<string, Range>;

  constructor(path: string) {
    this.#handle = openSync(path, 'r');
    const count = this.#bytes(4, 2).readUInt16BE();
    const directory = this.#bytes(12, 16 * count);
    this.#tables = new Map(
      Array.from({ length: count }, (_, at) => {
        const entry = 16 * at;
        const range = { offset: directory.readUInt32BE(entry + 8), length: directory.readUInt32BE(entry + 12) };
        return [directory.toString('latin1', entry, entry + 4), range];
      }),
    );
  }

  /** A table, or what stands in it from `start` to `end`. */
  read(tag: string, start = 0, end = this.#range(tag).length): Buffer {
    return this.#bytes(this.#range(tag).offset + start, end - start);
  }

  /** The font without the outlines: shaping looks at them for fonts only whose marks have no places of their own. */
  withoutOutlines(): Buffer {
    const tags = [...this.#tables.keys()].filter((tag) => tag !== 'glyf' && tag !== 'loca');
    return fontBytes(tags.map((tag) => [tag, this.read(tag)]));
  }

  #range(tag: string): Range {
    const range = this.#tables.get(tag);
    if (range === undefined) throw new Error(`The font has no table ${tag}.`);
    return range;
  }

  #bytes(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (readSync(this.#handle, bytes, 0, length, offset) < length) throw new Error('The font is cut short.');
    return bytes;
  }
}

/** Tables in the order of their tags. Checksums are left 0: no reader of embedded fonts looks at them. */
export function fontBytes(tables: readonly (readonly [string, Buffer])[]): Buffer {
  const directory = Buffer.alloc(12 + 16 * tables.length);
  directory.writeUInt32BE(0x00010000, 0);
  directory.writeUInt16BE(tables.length, 4);
  const power = Math.floor(Math.log2(tables.length));
  directory.writeUInt16BE(16 * 2 ** power, 6);
  directory.writeUInt16BE(power, 8);
  directory.writeUInt16BE(16 * (tables.length - 2 ** power), 10);
  let offset = directory.length;
  for (const [at, [tag, table]] of tables.entries()) {
    directory.write(tag, 12 + 16 * at, 'latin1');
    directory.writeUInt32BE(offset, 12 + 16 * at + 8);
    directory.writeUInt32BE(table.length, 12 + 16 * at + 12);
    offset += table.length + (-table.length & 3);
  }
  return Buffer.concat([directory, ...tables.map(([, table]) => padded(table))]);
}

export function padded(bytes: Buffer): Buffer {
  const missing = -bytes.length & 3;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}
