import { Fault } from '../../base/errors.ts';
import { type Global, SpareMemories, WasmModule } from '../../base/wasm.ts';
import { JSON_LINES_WASM_BASE64 } from './json-lines.wasm.ts';
import { BadLine, type LineRoom } from './line-files.ts';

/** The exports of json-lines.wat, which says what they mean. */
interface LinesExports {
  readonly spellings: Global<number>;
  readonly columns: Global<number>;
  readonly rows: Global<number>;
  readonly longest: Global<number>;
  readonly out: Global<number>;
  readonly outEnd: Global<number>;
  readonly error: Global<number>;
  readonly errorAt: Global<number>;
  readonly spell: (at: number, length: number, column: number) => void;
  readonly read: (at: number, end: number, most: number, isWritten: number) => number;
}

const linesModule = new WasmModule<LinesExports>(JSON_LINES_WASM_BASE64);

/** How the values of a column are written: not at all, as the text they are, or as JSON. */
export type Wanted = 'no' | 'text' | 'json';
const WANTED: Readonly<Record<Wanted, number>> = { no: 0, text: 1, json: 2 };

/** Where json-lines.wat has what, and how many of 16 bytes there is room for. */
const COLUMNS_AT = 0x50000;
const MOST = 16_384;
const NAMES_AT = 0x90000;
const LINES_AT = 0x200000;

/** What steps of 16 bytes may go beyond an end. */
const BEYOND = 64;

const PAGE_BYTES = 65_536;

/** Room for lines to begin with. */
const LINE_BYTES = 1024 * 1024;

/** Of a memory for lines of no more than that, and few columns. */
const PAGES = (LINES_AT + 3 * LINE_BYTES) / PAGE_BYTES + 1;

const REASONS: Readonly<Record<number, string>> = {
  1: 'is not a JSON object',
  2: 'is not valid JSON',
  3: 'has half of a surrogate pair',
  4: 'is nested too deep; allowed are 1000 levels',
  5: 'has more behind its object',
};
const NO_ROOM = 6;

const MOST_ROWS = 0x7fffffff;

/** What a call has read of the lines it was given. */
interface Reading {
  /** Where it left off: at the end, behind as many rows as were asked for, or where there was no room for the next. */
  readonly at: number;
  readonly rows: number;
}

/** What a row of CSV may have, its end included: all but quotes stay as long or get shorter, and cells get quotes and a comma. */
export function mostRowBytes(lineBytes: number, columns: number): number {
  return 2 * lineBytes + 3 * columns + 4;
}

/** How many names the objects of an input may have between them. */
export const MAX_NAMES = MOST;

export function tooManyNames(): Fault {
  return new Fault('source.refused', `The lines have more than ${MAX_NAMES} different names.`);
}

const memories = new SpareMemories(PAGES);

/** Reads lines that stand in its memory: finds columns, or writes the wanted ones as CSV without header. Dispose gives the memory back. */
export class JsonLines implements LineRoom, Disposable {
  readonly #memory = memories.take();
  readonly #module: LinesExports;
  readonly #columns: string[] = [];
  readonly #byName = new Map<string, number>();
  readonly #isOpen: boolean;
  #namesEnd = NAMES_AT;
  #lineBytes = 0;

  /** `isOpen`: names that are not among the columns become columns; else they are passed over. */
  constructor(columns: readonly { readonly name: string; readonly wanted: Wanted }[], isOpen: boolean) {
    this.#module = linesModule.instantiate(this.#memory, { unknown: (start, end) => this.#unknown(start, end) });
    this.#isOpen = isOpen;
    // What another left there: the hash table, spellings and columns.
    new Uint8Array(this.#memory.buffer, 0, NAMES_AT).fill(0);
    for (const { name, wanted } of columns) this.#addColumn(name, wanted);
    for (const [at, { name }] of columns.entries())
      this.#addSpelling(Buffer.from(JSON.stringify(name).slice(1, -1)), at);
    this.makeRoom(LINE_BYTES);
  }

  /** Makes room for so many bytes of lines, which stay where they are, and for the rows that become of any one. */
  makeRoom(lineBytes: number): void {
    const memory = this.#memory;
    this.#lineBytes = lineBytes;
    const outAt = LINES_AT + lineBytes + BEYOND;
    const outEnd = outAt + (this.#isOpen ? 0 : mostRowBytes(lineBytes, this.#columns.length));
    const pages = Math.ceil((outEnd + BEYOND - memory.buffer.byteLength) / PAGE_BYTES);
    if (pages > 0) memory.grow(pages);
    this.#module.out.value = outAt;
    this.#module.outEnd.value = outEnd;
  }

  /** Bytes of the longest line so far. */
  get longest(): number {
    return this.#module.longest.value;
  }

  /** Room for lines. Void when more room is made. */
  get room(): Buffer {
    return Buffer.from(this.#memory.buffer, LINES_AT, this.#lineBytes);
  }

  /** Rows that were written; they are gone with the next call. */
  takeWritten(): Uint8Array {
    const memory = this.#memory;
    const { out } = this.#module;
    const outAt = LINES_AT + this.#lineBytes + BEYOND;
    const written = new Uint8Array(memory.buffer, outAt, out.value - outAt);
    out.value = outAt;
    return written;
  }

  /** Reads `most` of the lines between two places of `room`, the last of which ends with a line feed. Throws `BadLine`. */
  read(start: number, end: number, most: number = MOST_ROWS): Reading {
    return this.#read(start, end, { most, isWritten: false });
  }

  /** The same, as far as there is room for their rows, which it writes. */
  write(start: number, end: number, most: number): Reading {
    return this.#read(start, end, { most, isWritten: true });
  }

  #read(start: number, end: number, { most, isWritten }: { most: number; isWritten: boolean }): Reading {
    const { error, errorAt, rows, read } = this.#module;
    const at = read(LINES_AT + start, LINES_AT + end, Math.min(most, MOST_ROWS), isWritten ? 1 : 0);
    if (error.value !== 0 && error.value !== NO_ROOM)
      throw new BadLine(errorAt.value - LINES_AT, REASONS[error.value] ?? '');
    return { at: at - LINES_AT, rows: rows.value };
  }

  /** The columns so far, in the order they were met; `holds` is what values there were beside null. */
  get columns(): readonly { readonly name: string; readonly holds: 'nothing' | 'strings' | 'others' }[] {
    const bytes = new Uint8Array(this.#memory.buffer, COLUMNS_AT, this.#columns.length * 16);
    return this.#columns.map((name, at) => {
      const flags = bytes[at * 16 + 14] ?? 0;
      return { name, holds: flags === 0 ? 'nothing' : flags === 1 ? 'strings' : 'others' };
    });
  }

  [Symbol.dispose](): void {
    memories.giveBack(this.#memory);
  }

  /** A name is met that is spelled as none before. */
  #unknown(start: number, end: number): number {
    const bytes = Buffer.from(this.#memory.buffer.slice(start, end));
    const name: string = JSON.parse(`"${bytes.toString()}"`);
    const column = this.#byName.get(name) ?? (this.#isOpen ? this.#addColumn(name, 'no') : -1);
    this.#addSpelling(bytes, column);
    return column;
  }

  #addColumn(name: string, wanted: Wanted): number {
    const at = this.#columns.length;
    if (at === MAX_NAMES) throw tooManyNames();
    this.#columns.push(name);
    this.#byName.set(name, at);
    new DataView(this.#memory.buffer).setUint8(COLUMNS_AT + at * 16 + 13, WANTED[wanted]);
    this.#module.columns.value = at + 1;
    return at;
  }

  /** Its bytes are what stands between quotes. Where there is no room, it is asked for each time it is met. */
  #addSpelling(bytes: Buffer, column: number): void {
    const { spellings, spell } = this.#module;
    const end = this.#namesEnd + bytes.length;
    if (spellings.value === MOST || end + BEYOND > LINES_AT) return;
    bytes.copy(new Uint8Array(this.#memory.buffer, this.#namesEnd));
    spell(this.#namesEnd, bytes.length, column);
    this.#namesEnd = end;
  }
}
