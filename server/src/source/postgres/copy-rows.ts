import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';
import { rewriteStamp, type Stamp } from './stamps.ts';

/** Where copy-rows.wat has its regions: what was left of the last read stands right before `READ_AT`. */
const READ_AT = 8192;
const ROWS_AT = 81920;

/** What a server sends at once seldom has more. */
const READ_BYTES = 64 * 1024;

/** No moment's text is as long, nor a message's header. */
const MAX_LEFT_BYTES = 64;

interface Global<T> {
  value: T;
}

/** The exports of copy-rows.wat, which says what they mean. */
interface Exports extends Readonly<Record<'at' | 'end' | 'out' | 'rest' | 'cell' | 'momentEnd', Global<number>>> {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly messages: Global<bigint>;
  readonly last: Global<number>;
  readonly delimiter: Global<number>;
  readonly take: () => number;
}

const MOMENT_IS_UNUSUAL = 2;
const IS_OTHER = 3;
const KINDS = { timestamp: 1, instant: 2 } as const;

/** The part of Node's WebAssembly that is used here: its types come with the DOM only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const rowsModule = new WebAssembly.Module(Buffer.from(COPY_ROWS_WASM_BASE64, 'base64'));

/**
 * Takes the rows out of a server's bytes and rewrites the moments of PostgreSQL's CSV in them, which stand unquoted,
 * as docs/values.md has them. Bytes may part anywhere. Call `receive`, then `take` and empty `rows` until nothing
 * is left to take, then `keep`, before more is read into `input`.
 */
export class CopyRows {
  /** A socket may read right into it. */
  readonly input: Buffer;
  readonly #memory: Buffer;
  readonly #wasm: Exports;
  #taken = ROWS_AT;

  constructor() {
    this.#wasm = new WebAssembly.Instance(rowsModule).exports as Exports;
    this.#memory = Buffer.from(this.#wasm.memory.buffer);
    this.input = this.#memory.subarray(READ_AT, READ_AT + READ_BYTES);
  }

  /** Rows come, one stamp a column, or null for rows that go as they come. What was before is forgotten. */
  begin(stamps: readonly Stamp[] | null, delimiter: string): void {
    const { at, end, out, rest, messages, last, delimiter: between } = this.#wasm;
    at.value = end.value = READ_AT;
    out.value = this.#taken = ROWS_AT;
    rest.value = 0;
    messages.value = 0n;
    between.value = delimiter.charCodeAt(0);
    last.value = stamps?.findLastIndex((stamp) => stamp !== null) ?? -1;
    stamps?.forEach((stamp, column) => {
      this.#memory.writeUInt8(stamp === null ? 0 : KINDS[stamp], column);
    });
  }

  /** Takes bytes in, which may stand in `input` already, and tells how many. */
  receive(bytes: Buffer): number {
    const length = Math.min(bytes.length, READ_BYTES);
    if (bytes.buffer !== this.#memory.buffer) bytes.copy(this.input, 0, 0, length);
    this.#wasm.end.value = READ_AT + length;
    return length;
  }

  /** Takes rows out of what came, `rows` being empty. True when a message is next that is none of rows. */
  take(): boolean {
    const { out, take } = this.#wasm;
    out.value = this.#taken = ROWS_AT;
    let what = take();
    for (; what === MOMENT_IS_UNUSUAL; what = take()) this.#rewriteUnusual();
    return what === IS_OTHER;
  }

  /** Rows that were taken and not yet dropped. */
  get rows(): Buffer {
    return this.#memory.subarray(this.#taken, this.#wasm.out.value);
  }

  /** Takes the first bytes of `rows` away. */
  drop(bytes: number): void {
    this.#taken += bytes;
  }

  /** What came and is not taken. */
  get left(): Buffer {
    return this.#memory.subarray(this.#wasm.at.value, this.#wasm.end.value);
  }

  /** Steps over bytes that are none of rows. */
  skip(bytes: number): void {
    this.#wasm.at.value += bytes;
  }

  /** Puts what is left aside, so that `input` is free. */
  keep(): void {
    const { at, end } = this.#wasm;
    const length = end.value - at.value;
    if (length > MAX_LEFT_BYTES) throw new RangeError('A moment is longer than any moment is.');
    this.#memory.copyWithin(READ_AT - length, at.value, end.value);
    at.value = READ_AT - length;
    end.value = READ_AT;
  }

  /** Messages of rows so far. */
  get messages(): number {
    return Number(this.#wasm.messages.value);
  }

  #rewriteUnusual(): void {
    const { at, out, rest, momentEnd } = this.#wasm;
    const text = this.#memory.toString('latin1', at.value, momentEnd.value);
    out.value += this.#memory.write(rewriteStamp(text), out.value, 'latin1');
    rest.value -= momentEnd.value - at.value;
    at.value = momentEnd.value;
  }
}
