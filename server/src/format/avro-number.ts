import { type Cursor, DELIMITER, LINE_FEED, reject } from './avro-cursor.ts';

const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** No byte: numbers without a point. */
const NO_POINT = -1;
/** Digits of which every number fits a signed 32-bit integer. */
const INT_DIGITS = 9;
/** Digits of which every number is exact in a double. */
const DOUBLE_DIGITS = 15;
/** Digits whose numbers are far enough from 2^63 to be signed without a look. */
const SIGNED_DIGITS = 18;
/** Digits of the longest 64-bit integers; two halves of 32 bits hold every number of that many. */
const LONG_DIGITS = 19;
/** Those of a DECIMAL, and a zero before the point. */
const DECIMAL_DIGITS = 39;
const TWO_32 = 2 ** 32;
/** Exact: doubles hold every power of ten up to 22. */
const POWERS = Float64Array.from({ length: DOUBLE_DIGITS + 1 }, (_, digits) => 10 ** digits);
const scratch = new DataView(new ArrayBuffer(16));

/** An Avro int of the digits. */
export function encodeInt(cursor: Cursor): void {
  const digits = readDigits(cursor, NO_POINT);
  if (digits === 0) reject(cursor, cursor.at, 'digits were expected');
  if (digits > INT_DIGITS) {
    const limit = cursor.isNegative ? 2 ** 31 : 2 ** 31 - 1;
    if (digits > DOUBLE_DIGITS || magnitude(cursor) > limit) {
      reject(cursor, cursor.at, 'a number is wider than 32 bits');
    }
  }
  writeLong(cursor);
}

/** An Avro long of the digits. */
export function encodeLong(cursor: Cursor): void {
  const digits = readDigits(cursor, NO_POINT);
  if (digits === 0) reject(cursor, cursor.at, 'digits were expected');
  if (digits > LONG_DIGITS) reject(cursor, cursor.at, 'a number is wider than 64 bits');
  writeLong(cursor);
}

/** How many parts a nested value has; `opener` follows the digits. */
export function readCount(cursor: Cursor, opener: number): number {
  const digits = readDigits(cursor, NO_POINT);
  const isCount = digits > 0 && digits <= INT_DIGITS && !cursor.isNegative && cursor.input[cursor.at] === opener;
  if (!isCount) throw new Error('Avro: the length of a nested value was expected.');
  cursor.at++;
  return cursor.low;
}

/** Bytes of an Avro decimal: two's complement, the first byte the highest, and no more bytes than needed. */
export function decimalEncoder(scale: number): (cursor: Cursor) => void {
  return (cursor) => {
    const start = cursor.at;
    const digits = readDigits(cursor, POINT);
    if (cursor.at >= cursor.end) return;
    if (digits === 0 || digits > DECIMAL_DIGITS || cursor.fraction !== scale) {
      reject(cursor, cursor.at, 'a decimal of the column was expected');
    }
    if (digits > SIGNED_DIGITS) writeWideDecimal(cursor, cursor.input.toString('latin1', start, cursor.at));
    else writeDecimal(cursor);
  };
}

/** An Avro double. */
export function encodeDouble(cursor: Cursor): void {
  const value = readFloat(cursor);
  if (cursor.at >= cursor.end) return;
  cursor.target.setFloat64(cursor.to, value, true);
  cursor.to += 8;
}

/** An Avro float of the text of a double that equals it. */
export function encodeFloat(cursor: Cursor): void {
  const value = readFloat(cursor);
  if (cursor.at >= cursor.end) return;
  cursor.target.setFloat32(cursor.to, value, true);
  cursor.to += 4;
}

/** Writes a length or a count of less than 2^30. */
export function writeSize(cursor: Cursor, size: number): void {
  writeVarint(cursor, 0, size << 1);
}

/** Reads `-?` and digits, with at most one point among them, and says how many digits; beyond 19 the halves are void. */
function readDigits(cursor: Cursor, point: number): number {
  const { input, source } = cursor;
  let at = cursor.at;
  cursor.isNegative = input[at] === MINUS;
  if (cursor.isNegative) at++;
  let digits = 0;
  let awaited = point;
  let fractionAt = 0;
  /** The number modulo 2^32, and rounded. */
  let low = 0;
  let rounded = 0;
  for (;;) {
    for (let four = source.getInt32(at, true); isFourDigits(four); four = source.getInt32(at, true)) {
      const value = valueOfFour(four);
      low = (Math.imul(low, 10_000) + value) | 0;
      rounded = rounded * 10_000 + value;
      digits += 4;
      at += 4;
    }
    let digit = (input[at] as number) - ZERO;
    for (; digit >= 0 && digit <= 9; digit = (input[++at] as number) - ZERO) {
      low = (Math.imul(low, 10) + digit) | 0;
      rounded = rounded * 10 + digit;
      digits++;
    }
    if (digit + ZERO !== awaited) break;
    awaited = NO_POINT;
    fractionAt = ++at;
  }
  cursor.at = at;
  cursor.fraction = fractionAt > 0 ? at - fractionAt : 0;
  cursor.low = low;
  // The roundings are together far below 2^31, so what they did to the upper half is undone by another.
  cursor.high = digits > INT_DIGITS ? Math.round((rounded - (low >>> 0)) / TWO_32) | 0 : 0;
  return digits;
}

/** Whether four bytes are all ASCII digits: 0x30 to 0x39, and 0x3_ still with six added. */
function isFourDigits(four: number): boolean {
  return ((four & 0xf0f0f0f0) | (((four + 0x06060606) & 0xf0f0f0f0) >>> 4)) === 0x33333333;
}

/** The first digit is the lowest byte. Digits are joined to pairs in bytes 0 and 2, and these to the number. */
function valueOfFour(four: number): number {
  const digits = four & 0x0f0f0f0f;
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

/** The number read, where it has at most 15 digits. */
function magnitude({ high, low }: Cursor): number {
  return high * TWO_32 + (low >>> 0);
}

/** Zigzag of a positive number is twice it, of a negative one twice what is one nearer to zero, and one. */
function writeLong(cursor: Cursor): void {
  let { high, low } = cursor;
  const sign = cursor.isNegative && (high | low) !== 0 ? 1 : 0;
  if (sign === 1) {
    if (low === 0) high = (high - 1) | 0;
    low = (low - 1) | 0;
  }
  if (high < 0) reject(cursor, cursor.at, 'a number is wider than 64 bits');
  writeVarint(cursor, (high << 1) | (low >>> 31), (low << 1) | sign);
}

/** Writes 64 bits, seven a byte, the lowest first; four bytes at once while more follow. */
function writeVarint(cursor: Cursor, highBits: number, lowBits: number): void {
  let high = highBits;
  let low = lowBits;
  let { to } = cursor;
  while (high !== 0 || low >>> 28 !== 0) {
    const spread = (low & 0x7f) | ((low & 0x3f80) << 1) | ((low & 0x1fc000) << 2) | ((low & 0xfe00000) << 3);
    cursor.target.setInt32(to, spread | 0x80808080, true);
    to += 4;
    low = (low >>> 28) | (high << 4);
    high >>>= 28;
  }
  for (; low > 0x7f; low >>>= 7) cursor.output[to++] = (low & 0x7f) | 0x80;
  cursor.output[to++] = low;
  cursor.to = to;
}

/** Of at most 18 digits, so that the sign bit is free. */
function writeDecimal(cursor: Cursor): void {
  let { high, low } = cursor;
  if (cursor.isNegative) {
    high = ~high + (low === 0 ? 1 : 0);
    low = -low | 0;
  }
  const size = high === low >> 31 ? intBytes(low) : 4 + intBytes(high);
  const { output } = cursor;
  let { to } = cursor;
  output[to++] = size << 1;
  for (let shift = (size - 5) * 8; shift >= 0; shift -= 8) output[to++] = high >> shift;
  for (let shift = Math.min(size - 1, 3) * 8; shift >= 0; shift -= 8) output[to++] = low >> shift;
  cursor.to = to;
}

/** Bytes of two's complement the integer takes. */
function intBytes(value: number): number {
  if ((value << 24) >> 24 === value) return 1;
  if ((value << 16) >> 16 === value) return 2;
  return (value << 8) >> 8 === value ? 3 : 4;
}

function writeWideDecimal(cursor: Cursor, text: string): void {
  const value = BigInt(text.replace('.', ''));
  scratch.setBigInt64(0, value >> 64n);
  scratch.setBigUint64(8, BigInt.asUintN(64, value));
  let first = 0;
  // A byte that only repeats the sign bit of the next one says nothing.
  while (first < 15 && scratch.getInt8(first) === scratch.getInt8(first + 1) >> 7) first++;
  cursor.output[cursor.to++] = (16 - first) << 1;
  for (; first < 16; first++) cursor.output[cursor.to++] = scratch.getUint8(first);
}

/** Reads the text of a double exactly; NaN too where the text is cut off. */
function readFloat(cursor: Cursor): number {
  const start = cursor.at;
  const digits = readDigits(cursor, POINT);
  const next = cursor.input[cursor.at];
  const isPlain = digits > 0 && digits <= DOUBLE_DIGITS && (next === DELIMITER || next === LINE_FEED);
  if (!isPlain) return readAnyFloat(cursor, start);
  // One rounding of two exact numbers: what Number() would give.
  const value = magnitude(cursor) / (POWERS[cursor.fraction] as number);
  return cursor.isNegative ? -value : value;
}

function readAnyFloat(cursor: Cursor, start: number): number {
  const { input } = cursor;
  let at = start;
  while (input[at] !== DELIMITER && input[at] !== LINE_FEED) at++;
  cursor.at = at;
  const text = input.toString('latin1', start, at);
  const value = NON_FINITE[text] ?? (FLOAT.test(text) ? Number(text) : Number.NaN);
  if (Number.isNaN(value) && text !== 'nan') reject(cursor, at, 'a floating-point number was expected');
  return value;
}

const FLOAT = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;
const NON_FINITE: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};
