import { type Global, SpareMemories, WasmModule } from '../../base/wasm.ts';
import { CSV_LINES_WASM_BASE64 } from './csv-lines.wasm.ts';
import { BadLine, type LineRoom } from './line-files.ts';

type Numbers = 'delimiter' | 'isMac' | 'hasBlanks' | 'isQuoted' | 'quoteAt' | 'rows' | 'rowsEnd' | 'longest';

/** The exports of csv-lines.wat, which says what they mean. */
interface LinesExports extends Readonly<Record<Numbers | 'out' | 'outEnd' | 'error', Global<number>>> {
  readonly read: (at: number, end: number, most: number) => number;
}

const linesModule = new WasmModule<LinesExports>(CSV_LINES_WASM_BASE64);

/** Where rows are written, up to an end, behind which a step may go on; and where lines stand. */
const ROWS_AT = 1024;
const ROWS_END = ROWS_AT + 512 * 1024;
const LINES_AT = ROWS_END + 1024;

/** What steps of 16 bytes may go beyond an end. */
const BEYOND = 64;

const PAGE_BYTES = 65_536;

/** Room for lines to begin with. */
const LINE_BYTES = 1024 * 1024;
const PAGES = Math.ceil((LINES_AT + LINE_BYTES + BEYOND) / PAGE_BYTES);

const LINE_FEED = 10;

const MOST_ROWS = 0x7fffffff;

const REASONS: Readonly<Record<number, string>> = {
  1: 'has a carriage return outside quotes that ends no line',
  2: 'has text behind a closing quote',
  3: 'has more than 200 blanks before a quote',
};

/** What a call has read of the lines it was given. */
interface Reading {
  /** Where it left off: at the end, behind as many rows as were asked for, or where there was no room for more. */
  readonly at: number;
  /** How many rows ended. */
  readonly rows: number;
}

/** What a row may have when it has landed: each character twice, and what stands before and behind it. */
export function landedRowBytes(rowBytes: number): number {
  return 2 * rowBytes + 4;
}

const memories = new SpareMemories(PAGES);

/** Reads lines of CSV that stand in its memory, the lines of a row in one call or in several. Dispose gives the memory back. */
export class CsvLines implements LineRoom, Disposable {
  readonly #memory = memories.take();
  readonly #module: LinesExports;
  #lineBytes = 0;

  constructor(delimiter: string, columns: number) {
    this.#module = linesModule.instantiate(this.#memory);
    this.#module.delimiter.value = delimiter.charCodeAt(0);
    // Of a single column a blank line is a NULL.
    this.#module.hasBlanks.value = Number(columns === 1);
    this.#module.outEnd.value = ROWS_END;
    new Uint8Array(this.#memory.buffer)[LINES_AT - 1] = LINE_FEED;
    this.makeRoom(LINE_BYTES);
  }

  makeRoom(lineBytes: number): void {
    this.#lineBytes = lineBytes;
    const pages = Math.ceil((LINES_AT + lineBytes + BEYOND - this.#memory.buffer.byteLength) / PAGE_BYTES);
    if (pages > 0) this.#memory.grow(pages);
  }

  get room(): Buffer {
    return Buffer.from(this.#memory.buffer, LINES_AT, this.#lineBytes);
  }

  /** Whether rows may end with a carriage return alone, as old Macs wrote them. */
  get isMac(): boolean {
    return this.#module.isMac.value !== 0;
  }

  set isMac(is: boolean) {
    this.#module.isMac.value = Number(is);
  }

  /** Bytes of the longest row so far. */
  get longest(): number {
    return this.#module.longest.value;
  }

  /** Where the last row ended that ended in a call. */
  get rowsEnd(): number {
    return this.#module.rowsEnd.value - LINES_AT;
  }

  get isQuoted(): boolean {
    return this.#module.isQuoted.value !== 0;
  }

  /** Where a quote opened among the lines in the room, the last of them; null when none did since they were said to be new. */
  get quoteAt(): number | null {
    const { value } = this.#module.quoteAt;
    return value === 0 ? null : value - LINES_AT;
  }

  /** Other lines are in the room. */
  beginLines(): void {
    this.#module.quoteAt.value = 0;
  }

  /** Rows that were written; they are gone with the next call. */
  takeWritten(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, ROWS_AT, this.#module.out.value - ROWS_AT);
  }

  /** Reads `most` rows of the lines between two places of `room`, the last of which ends with a line feed. Throws `BadLine`. */
  read(start: number, end: number, most: number = MOST_ROWS): Reading {
    let rows = 0;
    let at = start;
    do {
      const some = this.#read(at, end, most - rows);
      at = some.at;
      rows += some.rows;
    } while (at < end && rows < most);
    return { at, rows };
  }

  /** The same, as far as there is room for their rows, which it writes. */
  write(start: number, end: number, most: number): Reading {
    return this.#read(start, end, most);
  }

  #read(start: number, end: number, most: number): Reading {
    const { error, out, rows, read } = this.#module;
    out.value = ROWS_AT;
    const at = read(LINES_AT + start, LINES_AT + end, Math.min(most, MOST_ROWS)) - LINES_AT;
    if (error.value !== 0) throw new BadLine(at, REASONS[error.value] ?? '');
    return { at, rows: rows.value };
  }

  [Symbol.dispose](): void {
    memories.giveBack(this.#memory);
  }
}
