import type { Column, ColumnType } from '../column/type.ts';
import { Cursor, DELIMITER, type Encode, LINE_FEED, QUOTE } from './avro-cursor.ts';
import {
  decimalEncoder,
  encodeDouble,
  encodeFloat,
  encodeInt,
  encodeLong,
  readCount,
  writeSize,
} from './avro-number.ts';
import { copyBare, copyQuoted, encodeBool, encodeBytes, encodeText, encodeUuid } from './avro-text.ts';

const LIST_OPENER = 91;
const STRUCT_OPENER = 123;
/** A place in a row for a value. */
interface Slot {
  readonly encode: Encode;
  readonly nullable: boolean;
}

/** Gives the function that encodes one row; it says false where the input ends before the row does. */
export function rowEncoder(columns: readonly Column[]): (cursor: Cursor) => boolean {
  const slots = columns.map(({ type, nullable }): Slot => ({ encode: cellEncoder(type), nullable }));
  const last = slots.length - 1;
  return (cursor) => {
    for (let index = 0; index < last; index++) {
      encodeSlot(cursor, slots[index] as Slot);
      if (!passes(cursor, DELIMITER)) return false;
    }
    encodeSlot(cursor, slots[last] as Slot);
    return passes(cursor, LINE_FEED);
  };
}

/** Goes past the mark that must follow a cell; false where the input ends before it. */
function passes(cursor: Cursor, mark: number): boolean {
  const { at } = cursor;
  if (at >= cursor.end) return false;
  if (cursor.input[at] !== mark) throw new Error('Avro: a row of the segment has cells of another number or type.');
  cursor.at = at + 1;
  return true;
}

function encodeSlot(cursor: Cursor, slot: Slot): void {
  if (slot.nullable) {
    const first = cursor.input[cursor.at];
    if (first === DELIMITER || first === LINE_FEED) {
      cursor.output[cursor.to++] = 0;
      return;
    }
    // The second branch of the union.
    cursor.output[cursor.to++] = 2;
  }
  slot.encode(cursor);
}

function cellEncoder(type: ColumnType): Encode {
  switch (type.is) {
    case 'list':
    case 'struct':
    case 'map':
      return outermost(valueEncoder(type));
    default:
      return valueEncoder(type);
  }
}

function valueEncoder(type: ColumnType): Encode {
  switch (type.is) {
    case 'bool':
      return encodeBool;
    case 'integer':
      return type.bits === 32 ? encodeInt : encodeLong;
    case 'float':
      return type.bits === 32 ? encodeFloat : encodeDouble;
    case 'decimal':
      return decimalEncoder(type.scale);
    case 'bytes':
      return encodeBytes;
    case 'uuid':
      return encodeUuid;
    case 'date':
      return encodeInt;
    case 'time':
    case 'timestamp':
    case 'instant':
      return encodeLong;
    case 'list':
      return blockEncoder([slotOf(type.of)]);
    case 'map':
      return blockEncoder([{ encode: encodeText, nullable: false }, slotOf(type.value)]);
    case 'struct':
      return structEncoder(type.fields.map((field) => slotOf(field.type)));
    default:
      return encodeText;
  }
}

function slotOf(type: ColumnType): Slot {
  return { encode: valueEncoder(type), nullable: true };
}

/** Reads a nested value from its cell's text without the cell's own quotes; the value's parts know nothing of those. */
function outermost(encode: Encode): Encode {
  const inner = new Cursor();
  return (cursor) => {
    const start = cursor.at;
    if (inner.input.length < cursor.input.length) inner.setInput(Buffer.allocUnsafeSlow(cursor.input.length));
    const copy = cursor.input[start] === QUOTE ? copyQuoted : copyBare;
    inner.end = copy(cursor, inner.source, 0);
    if (cursor.at >= cursor.end) return;
    if (cursor.at === start) throw new Error('Avro: NULL stands in a column without NULL.');
    inner.input[inner.end] = LINE_FEED;
    inner.at = 0;
    inner.to = cursor.to;
    if (inner.output !== cursor.output) inner.setOutput(cursor.output);
    encode(inner);
    if (inner.at !== inner.end) throw new Error('Avro: a nested value has another number of parts than its type.');
    cursor.to = inner.to;
  };
}

/** An array or a map as one block of its entries, each of `slots`, and an empty block behind. */
function blockEncoder(slots: readonly Slot[]): Encode {
  return (cursor) => {
    const entries = readCount(cursor, LIST_OPENER);
    if (entries > 0) writeSize(cursor, entries);
    for (let entry = 0; entry < entries; entry++) encodeParts(cursor, slots);
    cursor.output[cursor.to++] = 0;
  };
}

function structEncoder(slots: readonly Slot[]): Encode {
  return (cursor) => {
    if (cursor.input[cursor.at] !== STRUCT_OPENER) throw new Error('Avro: a struct was expected.');
    cursor.at++;
    encodeParts(cursor, slots);
  };
}

/** Parts of a nested value, all in memory: where one ends without its delimiter, the text is wrong. */
function encodeParts(cursor: Cursor, slots: readonly Slot[]): void {
  for (const slot of slots) {
    encodeSlot(cursor, slot);
    if (cursor.input[cursor.at] !== DELIMITER)
      throw new Error('Avro: a part of a nested value is not what its type says.');
    cursor.at++;
  }
}
