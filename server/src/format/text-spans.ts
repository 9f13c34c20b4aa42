/** Texts of some rows that stand close together in the engine's memory. */
export interface Span {
  readonly rows: Uint16Array;
  /** The row whose text comes first. */
  readonly lowest: number;
  /** From there to the end of the last text. */
  readonly length: number;
}

/** Up to so many bytes stand in the value itself. */
const SHORT_BYTES = 12;

/** Texts with a smaller gap are one span: no page of memory fits between them, so what lies in the gap can be read. */
const GAP_BYTES = 4096;

/** Values of text are four words each: `words[first]` begins those of row 0. Gives the longer texts, by where they stand. */
export function spansByAddress(words: Uint32Array, first: number, from: number, end: number): Span[] {
  const order = new Uint16Array(end - from);
  let count = 0;
  for (let row = from; row < end; row++) {
    if ((words[first + row * 4] as number) > SHORT_BYTES) order[count++] = row;
  }
  const rows = order.subarray(0, count);
  rows.sort((one, other) => addressAt(words, first + one * 4) - addressAt(words, first + other * 4));
  return spansOf(words, first, rows);
}

/** Where a longer text stands in the engine's memory; of 64 bits no system uses more than the 53 a number holds. */
export function addressAt(words: Uint32Array, word: number): number {
  return (words[word + 2] as number) + (words[word + 3] as number) * 2 ** 32;
}

function spansOf(words: Uint32Array, first: number, rows: Uint16Array): Span[] {
  const spans: Span[] = [];
  let [begun, low, high, lowest] = [0, 0, 0, 0];
  const end = (at: number) => {
    if (at > begun) spans.push({ rows: rows.subarray(begun, at), lowest, length: high - low });
    begun = at;
  };
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const address = addressAt(words, first + row * 4);
    if (at === begun || address >= high + GAP_BYTES) {
      end(at);
      [low, high, lowest] = [address, address, row];
    }
    high = Math.max(high, address + (words[first + row * 4] as number));
  }
  end(rows.length);
  return spans;
}
