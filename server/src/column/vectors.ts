/** How the values of a column stand in the engine's memory. */
export type Layout =
  /** 16 bytes: the length as uint32; up to 12 bytes of UTF-8 right behind it, longer text at an address in the last 8. */
  | { readonly is: 'text' }
  | { readonly is: 'bool' }
  /** Integers of 2, 4 or 8 bytes, to be divided by 10 to the power of `scale`, at most 18. */
  | { readonly is: 'int16' | 'int32' | 'int64'; readonly scale: number }
  /** 16 bytes, lowest first, the highest bit turned over. */
  | { readonly is: 'uuid' }
  /** Days since 1970 as int32; the extremes are infinities. */
  | { readonly is: 'date' }
  /** Microseconds of a day as int64. */
  | { readonly is: 'time' }
  /** Microseconds since 1970 as int64; the extremes are infinities. */
  | { readonly is: 'timestamp' | 'instant' };

/** Bytes of a value. */
export const LAYOUT_BYTES: Readonly<Record<Layout['is'], number>> = {
  ...{ text: 16, bool: 1, int16: 2, int32: 4, int64: 8 },
  ...{ uuid: 16, date: 4, time: 8, timestamp: 8, instant: 8 },
};

/** Some rows in the engine's memory, column by column. What it gives is valid until the next rows are asked for. */
export interface Vectors {
  readonly rows: number;
  /** The column's values side by side; what stands where a row has none is arbitrary. */
  values(column: number): Uint8Array;
  /** A bit for each row, the first one lowest, set where the row has a value; null where all rows have one. */
  validity(column: number): Uint8Array | null;
  /** `length` bytes from the address that `values` holds at `offset`. */
  beyond(values: Uint8Array, offset: number, length: number): Uint8Array;
}
