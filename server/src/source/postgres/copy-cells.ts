import { Fault } from '../../base/errors.ts';
import type { Global, Memory, WasmModule } from '../../base/wasm.ts';
import { DOUBLING_END, SLACK_BYTES } from '../../column/csv-text.ts';
import { dateText, infinite, momentText } from '../../column/unusual.ts';
import { type CellKind, KIND } from './cells.ts';
import { refusedValue } from './errors.ts';
import type { Taker } from './taker.ts';

/** Where modules with copy-cells.wat have the kinds of columns. */
export const KINDS_AT = DOUBLING_END;

/** No value that is not text is longer. */
const PLAIN_BYTES = 100;

/** Room for what comes and for rows, at first. */
const INPUT_BYTES = 256 * 1024;
const ROWS_BYTES = 512 * 1024;

/** A file takes no more at once. */
const MAX_BYTES = 2 ** 31 - 2 ** 20;

const [CELL_IS_UNUSUAL, IS_OTHER, HAS_NO_ROOM] = [2, 3, 4];

/** PostgreSQL counts days and microseconds from 2000; its extremes are without end. */
const EPOCH_DAYS = 10957;
const EPOCH_MICROS = 946_684_800_000_000n;
const [LAST_DAY, LAST_MICRO] = [2 ** 31 - 1, 2n ** 63n - 1n];

type Numbers = 'columns' | 'at' | 'end' | 'out' | 'outEnd' | 'plain' | 'column' | 'length' | 'room';

/** The exports that all modules with copy-cells.wat have, which says what they mean. */
export interface CellsExports extends Readonly<Record<Numbers | 'isNew' | 'isWithin', Global<number>>> {
  readonly memory: Memory;
  readonly count: Global<bigint>;
  readonly take: () => number;
  readonly tail: (column: number, out: number) => number;
}

/** Takes the rows of a binary COPY and writes their values as docs/values.md has them. */
export abstract class CopyCells<Exports extends CellsExports> implements Taker {
  protected readonly wasm: Exports;
  protected memory: Buffer;
  #kinds: readonly CellKind[] = [];
  /** Where the region of what comes begins, and its size. */
  #inputAt = 0;
  #inputBytes = 0;
  /** Where the region of rows begins, and the first of them that is not dropped. */
  #rowsAt = 0;
  #taken = 0;

  protected constructor(module: WasmModule<Exports>) {
    this.wasm = module.instantiate();
    this.memory = Buffer.from(this.wasm.memory.buffer);
  }

  /** Rows come; the memory up to `used` is taken, and beside its values a row takes so many bytes. What was before is forgotten. */
  protected restart(kinds: readonly CellKind[], used: number, rowBytes: number): void {
    const { columns, plain, at, end, isNew, isWithin, count } = this.wasm;
    this.#kinds = kinds;
    this.#inputAt = aligned(used);
    this.#place(INPUT_BYTES, ROWS_BYTES);
    kinds.forEach((kind, column) => {
      this.memory.writeUInt8(KIND[kind], KINDS_AT + column);
    });
    columns.value = kinds.length;
    plain.value = kinds.length * PLAIN_BYTES + rowBytes + SLACK_BYTES;
    at.value = end.value = this.#inputAt;
    isNew.value = 1;
    isWithin.value = 0;
    count.value = 0n;
  }

  receive(bytes: Buffer): number {
    const end = this.wasm.end.value;
    const inHand = end - this.#inputAt + bytes.length;
    if (inHand > this.#inputBytes) this.#place(2 * inHand, ROWS_BYTES);
    this.memory.set(bytes, end);
    this.wasm.end.value = end + bytes.length;
    return bytes.length;
  }

  take(): boolean {
    const { take, out, room } = this.wasm;
    out.value = this.#taken = this.#rowsAt;
    for (;;) {
      const what = take();
      if (what === CELL_IS_UNUSUAL) this.#writeUnusual();
      else if (what === HAS_NO_ROOM && out.value === this.#rowsAt) this.#place(this.#inputBytes, room.value >>> 0);
      else return what === IS_OTHER;
    }
  }

  get rows(): Buffer {
    return this.memory.subarray(this.#taken, this.wasm.out.value);
  }

  drop(bytes: number): void {
    this.#taken += bytes;
  }

  get left(): Buffer {
    return this.memory.subarray(this.wasm.at.value, this.wasm.end.value);
  }

  skip(bytes: number): void {
    this.wasm.at.value += bytes;
  }

  keep(): void {
    const { at, end } = this.wasm;
    // A long row stays where it is, however often more of it comes.
    if (at.value === this.#inputAt) return;
    this.memory.copyWithin(this.#inputAt, at.value, end.value);
    end.value += this.#inputAt - at.value;
    at.value = this.#inputAt;
  }

  get count(): number {
    return Number(this.wasm.count.value);
  }

  /** Makes so much room for what comes and for rows, of which there are none. */
  #place(inputBytes: number, rowsBytes: number): void {
    const { memory, out, outEnd } = this.wasm;
    const rowsAt = aligned(this.#inputAt + inputBytes);
    const end = rowsAt + rowsBytes;
    if (end > MAX_BYTES) throw new Fault('value.refused', 'A row of the table is longer than 256 MiB.');
    const missing = end + SLACK_BYTES - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    this.memory = Buffer.from(memory.buffer);
    this.#inputBytes = inputBytes;
    out.value = this.#taken = this.#rowsAt = rowsAt;
    outEnd.value = end;
  }

  /** Writes the cell at which the module stopped. */
  #writeUnusual(): void {
    const { at, out, column, length, tail } = this.wasm;
    const text = this.#unusual(this.#kinds[column.value], at.value);
    out.value = tail(column.value, out.value + this.memory.write(text, out.value, 'latin1'));
    at.value += length.value;
    column.value++;
  }

  #unusual(kind: CellKind | undefined, at: number): string {
    if (kind === 'decimal') throw refusedValue();
    if (kind === 'date') {
      const day = this.memory.readInt32BE(at);
      return day === LAST_DAY || day === ~LAST_DAY ? infinite(day < 0) : dateText(day + EPOCH_DAYS);
    }
    const micros = this.memory.readBigInt64BE(at);
    if (micros === LAST_MICRO || micros === ~LAST_MICRO) return infinite(micros < 0n);
    return momentText(micros + EPOCH_MICROS, kind === 'timestamptz');
  }
}

/** The next place for a region, with room for reads past the one before. */
function aligned(bytes: number): number {
  return Math.ceil((bytes + SLACK_BYTES) / 16) * 16;
}
