/** Bytes behind the text: the line feed, and what is read of four bytes at once. */
export const SLACK_BYTES = 8;

/**
 * What ends rows, cells and parts of nested values, and stands around text that holds one of these. The engine writes
 * a cell twice as fast when it need not be quoted, so delimiter and quote are bytes that text and JSON hardly have.
 */
export const LINE_FEED = 0x0a;
export const DELIMITER = 0x1f;
export const QUOTE = 0x01;

/** Text being read and Avro bytes being written. Encoders are functions of it, so that V8 sees one shape. */
export class Cursor {
  /** Holds a line feed at `end`, so that a cell that is cut off ends there. */
  input: Buffer = Buffer.alloc(SLACK_BYTES, LINE_FEED);
  source: DataView = viewOf(this.input);
  at = 0;
  end = 0;
  output: Buffer = Buffer.alloc(0);
  target: DataView = viewOf(this.output);
  to = 0;
  /** The number read last: its sign, the halves of its magnitude as signed 32-bit integers, digits after the point. */
  isNegative = false;
  high = 0;
  low = 0;
  fraction = 0;

  /** Of the memory, all but SLACK_BYTES may be text. */
  setInput(input: Buffer): void {
    this.input = input;
    this.source = viewOf(input);
  }

  setOutput(output: Buffer): void {
    this.output = output;
    this.target = viewOf(output);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/**
 * Reads one cell that is not NULL and writes its value, leaving `at` on what ends the cell. When the input ends first,
 * it leaves `at` at `end` or behind, and what it wrote is worthless. Throws Error for text it does not know.
 */
export type Encode = (cursor: Cursor) => void;

/** Throws, unless the text may only be cut off: then the cursor goes to its end. */
export function reject(cursor: Cursor, at: number, message: string): void {
  if (at < cursor.end) throw new Error(`Avro: ${message}.`);
  cursor.at = cursor.end;
}
