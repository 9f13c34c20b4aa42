/** A decoding table (RFC 8878, section 4.1.1): a state's symbol, and the bits and baseline of the state after it. */
export interface FseTable {
  readonly accuracyLog: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
  readonly baselines: Uint16Array;
}

/** Bits a single read may ask for: with up to 7 before them in their first byte they are within 32. */
const MAX_READ_BITS = 24;
const MIN_ACCURACY_LOG = 5;

/** The number at an index. Throws Error where there is none. */
export function numberAt(numbers: ArrayLike<number>, index: number): number {
  const number = numbers[index];
  if (number === undefined) throw new Error(`Zstandard: nothing at ${index} of ${numbers.length}`);
  return number;
}

/** Reads bits from the lowest of the first byte on. */
class ForwardBits {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, byteAt: number) {
    this.#bytes = bytes;
    this.#at = byteAt * 8;
  }

  peek(count: number): number {
    return bitsAt(this.#bytes, this.#at, count);
  }

  skip(count: number): void {
    this.#at += count;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.#at += count;
    return value;
  }

  /** The first byte that nothing was read of. */
  get nextByte(): number {
    return Math.ceil(this.#at / 8);
  }
}

/** Reads bits from the end mark in the last byte down to the first byte (section 4.1). */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #startBit: number;
  #at: number;

  /** Throws Error when bytes[start, end) hold no end mark. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? numberAt(bytes, end - 1) : 0;
    if (last === 0) throw new Error('Zstandard: a bit stream without an end mark');
    this.#bytes = bytes;
    this.#startBit = start * 8;
    this.#at = end * 8 - 1 - (Math.clz32(last) - 24);
  }

  /** Throws Error when the stream holds fewer bits. */
  read(count: number): number {
    this.#at -= count;
    if (this.#at < this.#startBit) throw new Error('Zstandard: a bit stream that ends early');
    return bitsAt(this.#bytes, this.#at, count);
  }
}

function bitsAt(bytes: Uint8Array, bit: number, count: number): number {
  if (count > MAX_READ_BITS) throw new Error(`Zstandard: ${count} bits at a time`);
  const at = bit >>> 3;
  // Bytes behind the end only hold bits that were not asked for, or were promised by nobody.
  const word =
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  return (word >>> (bit & 7)) & (2 ** count - 1);
}

/** A table that stays with one symbol and reads no bits (RLE_Mode). */
export function singleSymbolTable(symbol: number): FseTable {
  return {
    accuracyLog: 0,
    symbols: Uint8Array.of(symbol),
    bitCounts: Uint8Array.of(0),
    baselines: Uint16Array.of(0),
  };
}

/**
 * The table described from byte `at` on (section 4.1.1), and where its description ends. Throws Error when that has
 * a larger accuracy or more symbols than allowed, or its probabilities do not add up.
 */
export function readFseTable(
  bytes: Uint8Array,
  at: number,
  allowed: { readonly accuracyLog: number; readonly symbols: number },
): { readonly value: FseTable; readonly end: number } {
  const bits = new ForwardBits(bytes, at);
  const accuracyLog = bits.read(4) + MIN_ACCURACY_LOG;
  if (accuracyLog > allowed.accuracyLog) throw new Error(`Zstandard: a table of 2^${accuracyLog} states`);
  const probabilities: number[] = [];
  let left = 2 ** accuracyLog;
  while (left > 0) {
    const probability = readProbability(bits, left);
    probabilities.push(probability);
    left -= Math.abs(probability);
    if (probability === 0) pushZeros(bits, probabilities);
    if (probabilities.length > allowed.symbols) throw new Error('Zstandard: a table of too many symbols');
  }
  return { value: fseTable(accuracyLog, probabilities), end: bits.nextByte };
}

/** -1 is less than one state of all that are left, which gets one nevertheless. */
function readProbability(bits: ForwardBits, left: number): number {
  const count = 32 - Math.clz32(left + 1);
  const half = 2 ** (count - 1);
  // Values below this take a bit less.
  const shorter = 2 ** count - 1 - (left + 1);
  const low = bits.peek(count - 1);
  if (low < shorter) {
    bits.skip(count - 1);
    return low - 1;
  }
  const value = bits.read(count);
  return (value < half ? value : value - shorter) - 1;
}

/** After a probability of 0 two bits say how many more follow, and 3 that two bits more do. */
function pushZeros(bits: ForwardBits, probabilities: number[]): void {
  for (let count = 3; count === 3 && probabilities.length < 256; ) {
    count = bits.read(2);
    for (let index = 0; index < count; index += 1) probabilities.push(0);
  }
}

/** Throws Error when the probabilities do not fill the table. */
export function fseTable(accuracyLog: number, probabilities: readonly number[]): FseTable {
  const size = 2 ** accuracyLog;
  const symbols = spreadSymbols(size, probabilities);
  const bitCounts = new Uint8Array(size);
  const baselines = new Uint16Array(size);
  const next = Uint16Array.from(probabilities, Math.abs);
  // The states of a symbol take turns in ascending order.
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state] ?? 0;
    const turn = next[symbol] ?? 0;
    next[symbol] = turn + 1;
    const bitCount = accuracyLog - (31 - Math.clz32(turn));
    bitCounts[state] = bitCount;
    baselines[state] = (turn << bitCount) - size;
  }
  return { accuracyLog, symbols, bitCounts, baselines };
}

function spreadSymbols(size: number, probabilities: readonly number[]): Uint8Array {
  const symbols = new Uint8Array(size);
  let used = 0;
  let high = size;
  for (let symbol = 0; symbol < probabilities.length; symbol += 1) {
    const probability = probabilities[symbol] ?? 0;
    used += Math.abs(probability);
    if (probability !== -1) continue;
    high -= 1;
    symbols[high] = symbol;
  }
  if (used !== size) throw new Error(`Zstandard: probabilities of ${used} in a table of ${size}`);
  const step = (size >> 1) + (size >> 3) + 3;
  let state = 0;
  for (let symbol = 0; symbol < probabilities.length; symbol += 1) {
    for (let left = probabilities[symbol] ?? 0; left > 0; left -= 1) {
      symbols[state] = symbol;
      do state = (state + step) & (size - 1);
      while (state >= high);
    }
  }
  return symbols;
}
