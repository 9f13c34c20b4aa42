import type { Column } from '../column/type.ts';
import { Cursor, LINE_FEED, SLACK_BYTES } from './avro-cursor.ts';
import { rowEncoder } from './avro-encode.ts';

/** Rows end a block once they fill this much: compression gains nothing from more, and readers hold a block in memory. */
const BLOCK_BYTES = 2 ** 18;
/** Text that is taken in at once. */
const INPUT_BYTES = 2 ** 18;
/** Free space before a block's rows: two longs. */
const HEAD_BYTES = 20;
/** Free space behind them: a sync marker. */
const TAIL_BYTES = 16;
/** A cell with its delimiter never becomes more than this many times its bytes: `inf` becomes nine. */
const GROWTH = 3;

/** Rows of one block. The memory is of use until the next call. */
export interface AvroBlock {
  readonly rows: number;
  /** The rows stand from `start` to `end`; 20 bytes before and 16 behind them may be written to. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Makes blocks of Avro rows of the segments `avro.ts` has the engine write. Where blocks end depends on the segments
 * alone, not on how they were read. Text that is not of the columns throws Error, and nothing can be done after that.
 */
export class AvroRows {
  readonly #cursor = new Cursor();
  readonly #encodeRow: (cursor: Cursor) => boolean;
  #rows = 0;
  /** A row that did not end in this much text is tried again once there is twice as much, so that long ones cost little. */
  #neededBytes = 0;

  constructor(columns: readonly Column[]) {
    this.#encodeRow = rowEncoder(columns);
    this.#cursor.setInput(Buffer.allocUnsafeSlow(INPUT_BYTES + SLACK_BYTES));
    this.#cursor.setOutput(Buffer.allocUnsafeSlow(outputBytes(INPUT_BYTES)));
    this.#cursor.to = HEAD_BYTES;
  }

  /** Where the next bytes of the segment go; call `take` with their number, then `next`. */
  room(): Buffer {
    const cursor = this.#cursor;
    cursor.input.copyWithin(0, cursor.at, cursor.end);
    cursor.end -= cursor.at;
    cursor.at = 0;
    const capacity = cursor.input.length - SLACK_BYTES;
    if (cursor.end > capacity / 2) this.#grow(capacity * 2);
    return cursor.input.subarray(cursor.end, -SLACK_BYTES);
  }

  take(lengthBytes: number): void {
    this.#cursor.end += lengthBytes;
    this.#cursor.input[this.#cursor.end] = LINE_FEED;
  }

  /** The next full block, or null when there is none without more text. With `isLast` the segment's last one, too. */
  next(isLast: boolean): AvroBlock | null {
    const cursor = this.#cursor;
    if (isLast || cursor.end - cursor.at >= this.#neededBytes) this.#encodeRows();
    const isFull = cursor.to >= HEAD_BYTES + BLOCK_BYTES;
    if (!isFull && !isLast) return null;
    if (!isFull && cursor.at < cursor.end) throw new Error('Avro: the segment ends within a row.');
    if (this.#rows === 0) return null;
    const block = { rows: this.#rows, buffer: cursor.output, start: HEAD_BYTES, end: cursor.to };
    this.#rows = 0;
    cursor.to = HEAD_BYTES;
    return block;
  }

  #encodeRows(): void {
    const cursor = this.#cursor;
    const encodeRow = this.#encodeRow;
    const longest = cursor.output.length - TAIL_BYTES;
    this.#neededBytes = 0;
    while (cursor.at < cursor.end && cursor.to < HEAD_BYTES + BLOCK_BYTES) {
      const { at, to } = cursor;
      if (!encodeRow(cursor)) {
        cursor.at = at;
        cursor.to = to;
        this.#neededBytes = (cursor.end - at) * 2;
        return;
      }
      if (cursor.to > longest) throw new Error('Avro: a row became longer than its text allows.');
      this.#rows += 1;
    }
  }

  #grow(capacity: number): void {
    const cursor = this.#cursor;
    const input = Buffer.allocUnsafeSlow(capacity + SLACK_BYTES);
    cursor.input.copy(input, 0, 0, cursor.end);
    cursor.setInput(input);
    const output = Buffer.allocUnsafeSlow(outputBytes(capacity));
    cursor.output.copy(output, 0, 0, cursor.to);
    cursor.setOutput(output);
  }
}

function outputBytes(inputBytes: number): number {
  return HEAD_BYTES + BLOCK_BYTES + GROWTH * inputBytes + TAIL_BYTES;
}
