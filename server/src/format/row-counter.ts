import { type Memory, makeMemory, WasmModule } from '../base/wasm.ts';
import { ROW_COUNTER_WASM_BASE64 } from './row-counter.wasm.ts';

/** What is counted at once at most: so many rows fit into what row-counter.wat gives. */
const MOST_BYTES = 2 ** 20;

/** Room for the most, and a page behind it. */
const PAGES = MOST_BYTES / 65536 + 1;

/** The exports of row-counter.wat, which says what they mean. */
interface CounterExports {
  readonly count: (at: number, lengthBytes: number, quoteAware: number, inside: number) => number;
}

const counterModule = new WasmModule<CounterExports>(ROW_COUNTER_WASM_BASE64);

/**
 * Counts row ends (0x0A) in text that streams by. With quotes in mind, a row end between double quotes (0x22) is
 * part of a value; a doubled quote inside one opens and closes at once, and so needs no care (RFC 4180).
 */
export class RowCounter {
  readonly #memory: Memory;
  readonly #count: CounterExports['count'];
  readonly #quoteAware: number;
  #rows = 0;
  #inside = 0;

  /**
   * `quoteAware` for CSV; formats that escape row ends in values, such as JSON Lines, need it not. `memory` is that in
   * which the text stands; where its length is no multiple of 64 bytes, so many behind it can be read.
   */
  constructor(quoteAware: boolean, memory: Memory = makeMemory(PAGES)) {
    this.#memory = memory;
    this.#count = counterModule.instantiate(memory).count;
    this.#quoteAware = quoteAware ? 1 : 0;
  }

  /** The beginning of the memory, 1 MiB where none was given: for text that is to be counted. */
  get buffer(): Buffer {
    return Buffer.from(this.#memory.buffer, 0, MOST_BYTES);
  }

  /**
   * Counts the row ends in these bytes, as what follows the text counted so far, and leaves them as they are. Throws
   * RangeError when they stand elsewhere than in the memory, or are more than 1 MiB.
   */
  count({ buffer, byteOffset, length }: Uint8Array): void {
    if (buffer !== this.#memory.buffer || length > MOST_BYTES)
      throw new RangeError(`The row counter counts ${MOST_BYTES} bytes of its memory at most`);
    const counted = this.#count(byteOffset, length, this.#quoteAware, this.#inside);
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
