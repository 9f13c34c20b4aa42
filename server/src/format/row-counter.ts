import { WasmModule } from '../base/wasm.ts';
import { ROW_COUNTER_WASM_BASE64 } from './row-counter.wasm.ts';

/** What a fill of the buffer holds at most; the module's memory (row-counter.wat) is made for it. */
const BUFFER_BYTES = 2 ** 20;

/** The exports of row-counter.wat, which says what they mean. */
interface CounterExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly count: (lengthBytes: number, quoteAware: number, inside: number) => number;
}

const counterModule = new WasmModule<CounterExports>(ROW_COUNTER_WASM_BASE64);

/**
 * Counts row ends (0x0A) in text that streams by. With quotes in mind, a row end between double quotes (0x22) is
 * part of a value; a doubled quote inside one opens and closes at once, and so needs no care (RFC 4180).
 * Fill `buffer` from its start, then call `count`.
 */
export class RowCounter {
  /** 1 MiB of the counter's memory, which `count` reads and never changes. */
  readonly buffer: Buffer;
  readonly #count: CounterExports['count'];
  readonly #quoteAware: number;
  #rows = 0;
  #inside = 0;

  /** `quoteAware` for CSV; formats that escape row ends in values, such as JSON Lines, need it not. */
  constructor(quoteAware: boolean) {
    const { memory, count } = counterModule.instantiate();
    this.buffer = Buffer.from(memory.buffer, 0, BUFFER_BYTES);
    this.#count = count;
    this.#quoteAware = quoteAware ? 1 : 0;
  }

  /**
   * Counts the row ends in buffer[0, lengthBytes), as what follows the text counted so far.
   * Throws RangeError when `lengthBytes` is no length within the buffer.
   */
  count(lengthBytes: number): void {
    if (!Number.isInteger(lengthBytes) || lengthBytes < 0 || lengthBytes > BUFFER_BYTES) {
      throw new RangeError(`The row counter's buffer holds ${BUFFER_BYTES} bytes, not ${lengthBytes}`);
    }
    const counted = this.#count(lengthBytes, this.#quoteAware, this.#inside);
    this.#rows += counted >>> 1;
    this.#inside = counted & 1;
  }

  /** Row ends counted so far. */
  get rows(): number {
    return this.#rows;
  }

  /** True when the text so far ended inside an open quote: the output is broken. Never without quotes in mind. */
  get insideQuotes(): boolean {
    return this.#inside === 1;
  }
}
