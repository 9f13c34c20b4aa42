import { literal } from '../column/sql.ts';

/**
 * SQL of values drawn by the engine's hash of an integer: no random(), no floating point. All follow
 * from the row's number `i`, or from another number that is named.
 */

/** Awkward for CSV, for spreadsheets, for fixed widths and for those who take bytes for characters. */
export const TEXTS = [
  'a comma, and another, here',
  'she said "hello", twice: ""',
  'first line\nsecond line',
  'carriage return\r\nand line feed',
  '=SUM(A1:A9)',
  '+49 30 1234567',
  '-1+1',
  '@SUM(1,1)',
  "it's 'quoted'",
  '  spaces around  ',
  'tab\there; semicolon | pipe',
  'C:\\temp\\new',
  'NULL',
  '\\N',
  '007',
  '1.10',
  'launch 🚀 family 👩‍👩‍👧‍👦 flag 🇩🇪',
  'مرحبا بالعالم، كيف الحال؟',
  'שלום "עולם", 1.10',
  '日本語のテキスト、中文，한국어',
  'Ünïcode e\u0301 and é, ﬁ, ß, \u2028 and \u00a0',
];

/** How many independent random numbers a row has. */
const STREAMS = 16;

/** SQL: a number from 0 to 2^63-1, another for each row and stream. hash(i, stream) would not do: its streams differ by a constant. */
export function random(stream: number, of = 'i'): string {
  return `(hash(${of} * ${STREAMS} + ${stream}) >> 1)::bigint`;
}

export function pick(values: readonly (string | null)[], stream: number, of = 'i'): string {
  const items = values.map((value) => (value === null ? 'null' : literal(value)));
  return element(items, `1 + ${random(stream, of)} % ${items.length}`);
}

/** SQL: the item at a position that starts at 1. */
export function element(items: readonly string[], position: string): string {
  return `[${items.join(', ')}][${position}]`;
}

/** SQL: a version 4 UUID of two streams; its first bit is set so that no digit is missing. */
export function uuid([first, second]: readonly [number, number], of = 'i'): string {
  const high = `to_hex((hash(${of} * ${STREAMS} + ${first}) & ${0xffffffffffff0fffn}) | ${0x8000000000004000n})`;
  const low = `to_hex((hash(${of} * ${STREAMS} + ${second}) & ${0x3fffffffffffffffn}) | ${0x8000000000000000n})`;
  return `(${high} || ${low})::uuid`;
}

/** SQL: JSON text of one of the texts. */
export function pickJson(values: readonly string[], stream: number, of = 'i'): string {
  return pick(
    values.map((value) => JSON.stringify(value)),
    stream,
    of,
  );
}

/** SQL of a moment by its microseconds since 1970. */
export function instant(micros: string): string {
  return `make_timestamp(${micros})::timestamptz`;
}
