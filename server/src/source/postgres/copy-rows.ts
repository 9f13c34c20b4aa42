import { type Global, WasmModule } from '../../base/wasm.ts';
import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';
import type { Taker } from './taker.ts';

/** As copy-rows.wat has its regions; what was left of the last read stands right before the next. */
const READ_AT = 8192;
const ROWS_AT = 81920;

/** What a server sends at once seldom has more. */
const READ_BYTES = 64 * 1024;

const IS_OTHER = 3;

/** The exports of copy-rows.wat, which says what they mean. */
interface Exports extends Readonly<Record<'at' | 'end' | 'out' | 'rest' | 'hasOthers', Global<number>>> {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly count: Global<bigint>;
  readonly take: () => number;
}

const rowsModule = new WasmModule<Exports>(COPY_ROWS_WASM_BASE64);

/** Takes rows of PostgreSQL's CSV, without line ends within them. */
export class CopyRows implements Taker {
  /** A socket may read right into it, but not before `keep`. */
  readonly input: Buffer;
  readonly #memory: Buffer;
  readonly #wasm: Exports;
  #taken = ROWS_AT;

  constructor() {
    this.#wasm = rowsModule.instantiate();
    this.#memory = Buffer.from(this.#wasm.memory.buffer);
    this.input = this.#memory.subarray(READ_AT, READ_AT + READ_BYTES);
  }

  /** Rows come. What was before is forgotten. */
  begin(): this {
    const { at, end, out, rest, hasOthers, count } = this.#wasm;
    at.value = end.value = READ_AT;
    out.value = this.#taken = ROWS_AT;
    rest.value = 0;
    hasOthers.value = 0;
    count.value = 0n;
    return this;
  }

  receive(bytes: Buffer): number {
    const length = Math.min(bytes.length, READ_BYTES);
    if (bytes.buffer !== this.#memory.buffer) bytes.copy(this.input, 0, 0, length);
    this.#wasm.end.value = READ_AT + length;
    return length;
  }

  take(): boolean {
    this.#wasm.out.value = this.#taken = ROWS_AT;
    return this.#wasm.take() === IS_OTHER;
  }

  get rows(): Buffer {
    return this.#memory.subarray(this.#taken, this.#wasm.out.value);
  }

  drop(bytes: number): void {
    this.#taken += bytes;
  }

  get left(): Buffer {
    return this.#memory.subarray(this.#wasm.at.value, this.#wasm.end.value);
  }

  skip(bytes: number): void {
    this.#wasm.at.value += bytes;
  }

  /** Only of a message's header can something be left. */
  keep(): void {
    const { at, end } = this.#wasm;
    const length = end.value - at.value;
    this.#memory.copyWithin(READ_AT - length, at.value, end.value);
    at.value = READ_AT - length;
    end.value = READ_AT;
  }

  get count(): number {
    return Number(this.#wasm.count.value);
  }
}
