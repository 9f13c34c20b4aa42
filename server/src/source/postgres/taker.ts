/**
 * Takes the rows out of a server's bytes, which may part anywhere, and writes them in another way. Call `receive`, then
 * `take` and empty `rows` until nothing is left to take, then `keep`.
 */
export interface Taker {
  /** Takes bytes in, and tells how many. */
  receive(bytes: Buffer): number;
  /** Takes rows out of what came, `rows` being empty. True when a message is next that is none of rows. Throws `value.refused`. */
  take(): boolean;
  /** Rows that were taken and not yet dropped. */
  readonly rows: Buffer;
  /** Takes the first bytes of `rows` away. */
  drop(bytes: number): void;
  /** What came and is not taken. */
  readonly left: Buffer;
  /** Steps over bytes that are none of rows. */
  skip(bytes: number): void;
  /** Puts what is left aside, so that more can come. */
  keep(): void;
  /** Rows that began so far. */
  readonly count: number;
}
