import { type Cursor, DELIMITER, LINE_FEED, QUOTE, reject } from './avro-cursor.ts';
import { writeSize } from './avro-number.ts';

const ZERO = 48;
const EQUALS = 61;
const HYPHEN = 45;
/** Texts that are shorter have a length of one byte. */
const SHORT_BYTES = 64;
/** 8-4-4-4-12 hex digits. */
const UUID_BYTES = 36;
const NOT_BASE64 = 255;

const BASE64 = new Uint8Array(256).fill(NOT_BASE64);
for (const [value, character] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  BASE64[character.charCodeAt(0)] = value;
}

/** An Avro string of the text as it is, in quotes or not. */
export function encodeText(cursor: Cursor): void {
  if (cursor.input[cursor.at] === QUOTE) encodeQuoted(cursor);
  else encodeBare(cursor);
}

function encodeBare(cursor: Cursor): void {
  const start = cursor.to;
  const to = copyBare(cursor, cursor.target, start + 1);
  if (to === start + 1) reject(cursor, cursor.at, 'NULL stands in a column without NULL');
  putLength(cursor, start, to);
}

function encodeQuoted(cursor: Cursor): void {
  const start = cursor.to;
  const to = copyQuoted(cursor, cursor.target, start + 1);
  if (cursor.at < cursor.end) putLength(cursor, start, to);
}

/** Copies a cell without quotes to `target` from `start` on, and says where the copy ends. */
export function copyBare(cursor: Cursor, target: DataView, start: number): number {
  const { source, end } = cursor;
  let to = start;
  let at = cursor.at;
  while (at < end) {
    const four = source.getInt32(at, true);
    target.setInt32(to, four, true);
    const marks = marksOf(four);
    const plain = marks === 0 ? 4 : plainBytes(marks);
    at += plain;
    to += plain;
    if (marks === 0) continue;
    const byte = source.getUint8(at);
    if (byte === DELIMITER || byte === LINE_FEED) break;
    at++;
    to++;
  }
  cursor.at = at;
  return to;
}

/** Copies what stands in quotes, doubled ones once, to `target` from `start` on, and says where the copy ends. */
export function copyQuoted(cursor: Cursor, target: DataView, start: number): number {
  const { source, end } = cursor;
  let to = start;
  let at = cursor.at + 1;
  while (at < end) {
    const four = source.getInt32(at, true);
    target.setInt32(to, four, true);
    const marks = marksOf(four);
    const plain = marks === 0 ? 4 : plainBytes(marks);
    at += plain;
    to += plain;
    if (marks === 0) continue;
    const byte = source.getUint8(at++);
    // A quote at the end of the input may be the first of two: `at` is `end` then, which tells.
    if (byte === QUOTE && source.getUint8(at++) !== QUOTE) {
      at--;
      break;
    }
    to++;
  }
  cursor.at = at;
  return to;
}

/** The top bits of those of four bytes that are below 0x20, as all marks are; of those behind the first, maybe others. */
function marksOf(four: number): number {
  return (four - 0x20202020) & ~four & 0x80808080;
}

/** How many bytes stand before the first mark. */
function plainBytes(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >> 3;
}

/** Puts the length of what stands from `start` + 1 to `end` at `start`, and moves it on where that takes more bytes. */
function putLength(cursor: Cursor, start: number, end: number): void {
  const length = end - start - 1;
  cursor.to = start;
  if (length < SHORT_BYTES) {
    cursor.output[start] = length << 1;
    cursor.to = end;
    return;
  }
  const { output } = cursor;
  let lengthBytes = 2;
  while (length >= 2 ** (lengthBytes * 7 - 1)) lengthBytes++;
  output.copyWithin(start + lengthBytes, start + 1, end);
  writeSize(cursor, length);
  cursor.to = start + lengthBytes + length;
}

/** An Avro string of a UUID's text. */
export function encodeUuid(cursor: Cursor): void {
  const { source, target, at, to } = cursor;
  cursor.at = at + UUID_BYTES;
  if (cursor.at >= cursor.end) return;
  cursor.output[to] = UUID_BYTES << 1;
  for (let index = 0; index < UUID_BYTES; index += 4) {
    target.setInt32(to + 1 + index, source.getInt32(at + index, true), true);
  }
  cursor.to = to + 1 + UUID_BYTES;
  const { input } = cursor;
  const isUuid = input[at + 8] === HYPHEN && input[at + 13] === HYPHEN && input[at + 23] === HYPHEN;
  if (!isUuid) reject(cursor, at, 'a UUID was expected');
}

/** Avro bytes of base64, in quotes or not. */
export function encodeBytes(cursor: Cursor): void {
  const { input, output } = cursor;
  const isQuoted = input[cursor.at] === QUOTE;
  let at = isQuoted ? cursor.at + 1 : cursor.at;
  const start = cursor.to;
  let to = start + 1;
  let bits = 0;
  let kept = 0;
  for (let value = BASE64[input[at] as number] as number; value !== NOT_BASE64; ) {
    kept = (kept << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      output[to++] = kept >> bits;
    }
    value = BASE64[input[++at] as number] as number;
  }
  while (input[at] === EQUALS) at++;
  if (isQuoted && input[at] === QUOTE) at++;
  else if (isQuoted || at === cursor.at) reject(cursor, at, 'base64 was expected');
  cursor.at = at;
  putLength(cursor, start, to);
}

/** An Avro boolean of 1 or 0. */
export function encodeBool(cursor: Cursor): void {
  const bit = (cursor.input[cursor.at] as number) - ZERO;
  if (bit !== 0 && bit !== 1) reject(cursor, cursor.at, '0 or 1 was expected');
  cursor.output[cursor.to++] = bit;
  cursor.at++;
}
