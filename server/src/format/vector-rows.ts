import { Fault } from '../base/errors.ts';
import type { Global, Memory, WasmModule } from '../base/wasm.ts';
import { DOUBLING_END, SLACK_BYTES } from '../column/csv-text.ts';
import type { ColumnType } from '../column/type.ts';
import { unusualDate, unusualMoment } from '../column/unusual.ts';
import { LAYOUT_BYTES, type Layout, type Vectors } from '../column/vectors.ts';
import { addressAt, spansByAddress } from './text-spans.ts';
import { PIECE_BYTES } from './zstd-frame.ts';

/** The kinds of columns of vector-rows.wat. */
const KINDS: Readonly<Record<Layout['is'], number>> = {
  ...{ text: 0, bool: 1, int16: 2, int32: 3, int64: 4 },
  ...{ uuid: 5, date: 6, time: 7, timestamp: 8, instant: 8 },
};

/** Where vector-rows.wat has its columns, and how many bytes of each. */
const COLUMNS_AT = DOUBLING_END;
const COLUMN_BYTES = 16;

/** With more spans than this, texts stand in another order than their rows: sorting them costs less than a copy each. */
const MANY_SPANS = 64;

/** No value that is not text is longer: a 64-bit integer with sign and point, a UUID, a year of six digits. */
const PLAIN_BYTES = 40;

/** Rows are taken together until they may come to this much; a longer row comes alone. */
const SLICE_BYTES = 4 * PIECE_BYTES;

/** Of a row with what is made of it. */
const MAX_BYTES = 2 ** 31 - 2 ** 20;

type Numbers = 'columns' | 'row' | 'column' | 'out' | 'lowest' | 'length';

/** The exports of vector-rows.wat, which says what they mean. */
export interface RowsExports extends Readonly<Record<Numbers, Global<number>>> {
  readonly memory: Memory;
  readonly write: (end: number) => number;
  readonly textBytes: (values: number, row: number, end: number) => number;
  readonly span: (values: number, row: number, end: number) => number;
  readonly move: (values: number, row: number, end: number, to: number) => void;
}

/** What cells and rows take beside their values. */
export interface RowsRoom {
  /** Bytes for which what the rows are made with needs a place. */
  readonly placedBytes: number;
  /** The most that stands in a row beside the texts of values, quotes around them apart. */
  readonly rowBytes: number;
  /** The most that a byte of a text may become. */
  readonly expansion: number;
}

/** Whether the module makes a value's text in every year, and of every length; `instants` as docs/values.md has them. */
export function isWritten(type: ColumnType, instantsAreIso: boolean): boolean {
  switch (type.is) {
    case 'decimal':
      return type.precision <= 18;
    case 'timestamp':
      return type.unit === 'us';
    case 'instant':
      return instantsAreIso;
    default:
      return ['text', 'json', 'bool', 'integer', 'uuid', 'date', 'time'].includes(type.is);
  }
}

/**
 * Writes rows out of the engine's vectors, as docs/values.md has values. Text comes in pieces of 1 MiB but for the
 * last, whatever the vectors; each stays as it is until more is asked for. In the memory, text that waits to be a piece
 * is followed by the vectors.
 */
export abstract class VectorRows<Exports extends RowsExports = RowsExports> {
  protected readonly wasm: Exports;
  /** Where what the rows are made with has its place. */
  protected readonly placedAt: number;
  readonly #layouts: readonly Layout[];
  readonly #texts: readonly number[];
  readonly #room: RowsRoom;
  readonly #textAt: number;
  readonly #vectorsAt: number;
  /** How much text waits. */
  #waiting = 0;
  #bytes: Buffer;
  #words: Uint32Array;

  constructor(module: WasmModule<Exports>, layouts: readonly Layout[], room: RowsRoom) {
    this.wasm = module.instantiate();
    this.#bytes = Buffer.from(this.wasm.memory.buffer);
    this.#words = new Uint32Array(this.wasm.memory.buffer);
    this.#layouts = layouts;
    this.#texts = layouts.flatMap(({ is }, column) => (is === 'text' ? [column] : []));
    this.#room = room;
    this.placedAt = COLUMNS_AT + layouts.length * COLUMN_BYTES;
    this.#textAt = aligned(this.placedAt + room.placedBytes);
    this.#vectorsAt = aligned(this.#textAt + PIECE_BYTES + SLICE_BYTES);
    this.#reserve(this.#vectorsAt);
    this.#begin();
  }

  /** The module's memory, until rows are written. */
  protected get bytes(): Buffer {
    return this.#bytes;
  }

  /** That in which the pieces stand. */
  get memory(): Memory {
    return this.wasm.memory;
  }

  /** Takes rows, and gives the pieces that are full. */
  *write(vectors: Vectors): Generator<Buffer> {
    const { row, column } = this.wasm;
    const vectorsEnd = this.#place(vectors);
    row.value = column.value = 0;
    while (row.value < vectors.rows) yield* this.#slice(vectors, vectorsEnd);
  }

  /** The last piece; empty where nothing waits. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#textAt, this.#textAt + this.#waiting);
  }

  #begin(): void {
    this.wasm.columns.value = this.#layouts.length;
    for (let power = 0; power <= 18; power++) this.#bytes.writeBigUInt64LE(10n ** BigInt(power), power * 8);
    this.#layouts.forEach((layout, at) => {
      const column = COLUMNS_AT + at * COLUMN_BYTES;
      this.#bytes.writeUInt32LE(KINDS[layout.is], column);
      this.#bytes.writeUInt32LE('scale' in layout ? layout.scale : Number(layout.is === 'instant'), column + 4);
    });
  }

  /** Copies values and validity in and gives where they end. */
  #place(vectors: Vectors): number {
    const { rows } = vectors;
    let at = this.#vectorsAt;
    this.#layouts.forEach(({ is }, column) => {
      const validity = vectors.validity(column);
      const bytes = rows * LAYOUT_BYTES[is];
      const validityAt = at + aligned(bytes);
      this.#reserve(validityAt + Math.ceil(rows / 8));
      this.#bytes.set(vectors.values(column), at);
      if (validity !== null) this.#bytes.set(validity, validityAt);
      const words = (COLUMNS_AT + column * COLUMN_BYTES) / 4;
      this.#words[words + 2] = at;
      this.#words[words + 3] = validity === null ? 0 : validityAt;
      if (is === 'text' && validity !== null) this.#emptyWhereNull(at, validity, rows);
      at = aligned(validityAt + Math.ceil(rows / 8));
    });
    return at;
  }

  /** What stands where a row has no value is arbitrary; it becomes empty text. */
  #emptyWhereNull(at: number, validity: Uint8Array, rows: number): void {
    for (let row = 0; row < rows; row++) {
      if ((((validity[row >> 3] as number) >> (row & 7)) & 1) === 0) this.#words[at / 4 + row * 4] = 0;
    }
  }

  /** Writes the next rows, as many as fit. */
  *#slice(vectors: Vectors, vectorsEnd: number): Generator<Buffer> {
    const { end, bytes } = this.#fitting(this.wasm.row.value, vectors.rows);
    let at = vectorsEnd;
    for (const column of this.#texts) at = this.#fetchTexts(vectors, column, end, at);
    if (bytes > SLICE_BYTES) yield* this.#writeLong(end, { at, bytes });
    else {
      this.#waiting += this.#write(end, this.#textAt + this.#waiting).length;
      yield* this.#full(this.rest());
    }
  }

  /** A row for which there is no room where text waits. */
  *#writeLong(end: number, { at, bytes }: { readonly at: number; readonly bytes: number }): Generator<Buffer> {
    this.#reserve(at + bytes);
    const long = this.#write(end, at);
    const missing = PIECE_BYTES - this.#waiting;
    this.#bytes.set(long.subarray(0, missing), this.#textAt + this.#waiting);
    this.#waiting += Math.min(missing, long.length);
    yield* this.#full(this.rest());
    if (long.length > missing) yield* this.#full(long.subarray(missing));
  }

  /** Gives the full pieces of a text that ends what waits; the rest of it goes on waiting. */
  *#full(text: Buffer): Generator<Buffer> {
    let at = 0;
    for (; at + PIECE_BYTES <= text.length; at += PIECE_BYTES) yield text.subarray(at, at + PIECE_BYTES);
    if (text.byteOffset + at !== this.#textAt) this.#bytes.set(text.subarray(at), this.#textAt);
    this.#waiting = text.length - at;
  }

  /** Writes rows to where there is room. */
  #write(end: number, at: number): Buffer {
    const { out, column, write } = this.wasm;
    out.value = at;
    while (write(end) === 1) {
      out.value += this.#bytes.write(this.#unusual(), out.value >>> 0, 'latin1');
      column.value++;
    }
    return this.#bytes.subarray(at, out.value >>> 0);
  }

  /** Up to which row rows fit, one at least, and what they may come to at most. */
  #fitting(from: number, end: number): { readonly end: number; readonly bytes: number } {
    const bytes = this.#mostBytes(from, end);
    if (bytes <= SLICE_BYTES || end - from === 1) return { end, bytes };
    return this.#fitting(from, from + ((end - from) >> 1));
  }

  #mostBytes(from: number, end: number): number {
    let textBytes = 0;
    for (const column of this.#texts) textBytes += this.wasm.textBytes(this.#valuesAt(column), from, end);
    const { rowBytes, expansion } = this.#room;
    return (end - from) * (this.#layouts.length * PLAIN_BYTES + rowBytes) + expansion * textBytes;
  }

  /** Copies the long texts of the rows up to `end` in from `at` on, and gives where they end. */
  #fetchTexts(vectors: Vectors, column: number, end: number, start: number): number {
    const { span, move, lowest, length } = this.wasm;
    const values = this.#valuesAt(column);
    let at = start;
    let spans = 0;
    for (let row = this.wasm.row.value; row < end; ) {
      if (spans++ === MANY_SPANS) return this.#fetchSorted(vectors, column, [row, end], at);
      const next = span(values, row, end);
      const bytes = length.value >>> 0;
      if (bytes > 0) {
        this.#fetch(vectors, column, { row: lowest.value, bytes, at });
        move(values, row, next, at);
        at = aligned(at + bytes);
      }
      row = next;
    }
    return at;
  }

  #fetchSorted(vectors: Vectors, column: number, [from, end]: readonly [number, number], start: number): number {
    let at = start;
    const first = this.#valuesAt(column) / 4;
    for (const { rows, lowest, length } of spansByAddress(this.#words, first, from, end)) {
      const low = addressAt(this.#words, first + lowest * 4);
      this.#fetch(vectors, column, { row: lowest, bytes: length, at });
      for (const row of rows) {
        const word = first + row * 4;
        this.#words[word + 2] = addressAt(this.#words, word) - low + at;
      }
      at = aligned(at + length);
    }
    return at;
  }

  /** Copies so many bytes in from the beginning of a row's text on. */
  #fetch(vectors: Vectors, column: number, { row, bytes, at }: { row: number; bytes: number; at: number }): void {
    this.#reserve(at + bytes);
    this.#bytes.set(vectors.beyond(vectors.values(column), row * LAYOUT_BYTES.text + 8, bytes), at);
  }

  #valuesAt(column: number): number {
    return this.#words[(COLUMNS_AT + column * COLUMN_BYTES) / 4 + 2] as number;
  }

  /** The text of the date or moment at which the module stopped. */
  #unusual(): string {
    const { row, column } = this.wasm;
    const layout = this.#layouts[column.value] as Layout;
    const at = this.#valuesAt(column.value) + row.value * LAYOUT_BYTES[layout.is];
    if (layout.is === 'date') return unusualDate(this.#bytes.readInt32LE(at));
    return unusualMoment(this.#bytes.readBigInt64LE(at), layout.is === 'instant');
  }

  /** Makes sure that there are so many bytes, and room behind them. */
  #reserve(bytes: number): void {
    const { memory } = this.wasm;
    const missing = bytes + SLACK_BYTES - memory.buffer.byteLength;
    if (missing <= 0) return;
    if (bytes > MAX_BYTES)
      throw new Fault('value.refused', 'The texts of a row are too long: with what is escaped they may take 2 GiB.');
    memory.grow(Math.ceil(missing / 65536));
    this.#bytes = Buffer.from(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
  }
}

/** The next place for a region, with room for reads past the one before. */
function aligned(bytes: number): number {
  return Math.ceil((bytes + SLACK_BYTES) / 16) * 16;
}
