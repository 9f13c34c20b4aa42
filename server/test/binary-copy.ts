import type { CellKind } from '../src/source/postgres/cells.ts';
import { messages } from './copy-messages.ts';
import { fc } from './draws.ts';

/** A value as a server sends it, and its text; null for NULL. */
export type Cell = readonly [sent: Buffer, text: string] | null;

export const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
export const TRAILER = Buffer.from([0xff, 0xff]);
const DAY_MICROS = 86_400_000_000n;

export function bytes(size: 1 | 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeIntBE(value, 0, size);
  return buffer;
}

function long(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}

/** As numeric_send has it: groups of four digits around the point, none of zeros at either end. */
export function numeric(text: string): Buffer {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.?(\d*)$/.exec(text) ?? [];
  const padded = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const digits = padded + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups = digits.match(/.{4}/g)?.map(Number) ?? [];
  const first = groups.findIndex((group) => group !== 0);
  const last = groups.findLastIndex((group) => group !== 0);
  const kept = first === -1 ? [] : groups.slice(first, last + 1);
  const weight = first === -1 ? 0 : padded.length / 4 - 1 - first;
  const parts = [kept.length, weight, sign === '' ? 0 : 0x4000, fraction.length, ...kept];
  return Buffer.concat(parts.map((part) => bytes(2, part)));
}

const drawn = fc
  .array(fc.constantFrom(...',;"\n\rNUL\\aé😀\t ', 'fifteen letters', 'sixteen letters.', '""""'), { maxLength: 30 })
  .map((parts) => parts.join(''));

const texts = fc.oneof({ weight: 9, arbitrary: drawn }, fc.constantFrom('\\.', '', 'true', '0'));

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.nat(38), fc.nat(38))
  .map(([value, scale, cut]) => {
    const digits = String(value / 10n ** BigInt(cut))
      .replace('-', '')
      .padStart(scale + 1, '0');
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return value < 0n && /[1-9]/.test(text) ? `-${text}` : text;
  });

/** Of the years 1 to 9999, which JavaScript knows in the same calendar. */
const micros = fc.bigInt({ min: -63_082_281_600_000_000n, max: 252_455_615_999_999_999n });

function isoOf(since2000: bigint): string {
  const millis = since2000 / 1000n - (since2000 % 1000n < 0n ? 1n : 0n);
  const rest = since2000 - millis * 1000n;
  return new Date(Number(millis) + Date.UTC(2000, 0)).toISOString().replace('Z', String(rest).padStart(3, '0'));
}

const moment = (zone: '' | 'Z') =>
  fc.oneof(
    micros.map((value): Cell => [long(value), isoOf(value) + zone]),
    fc.constantFrom<Cell>(
      [long(2n ** 63n - 1n), 'infinity'],
      [long(-(2n ** 63n)), '-infinity'],
      [long(252_455_616_000_000_000n), `+010000-01-01T00:00:00.000000${zone}`],
      // The engine's infinity, which is a moment here.
      [long(2n ** 63n - 1n - 946_684_800_000_000n), `+294247-01-10T04:00:54.775807${zone}`],
      [long(-63_082_281_600_000_001n), `0000-12-31T23:59:59.999999${zone}`],
      [long(-64_473_408_000_000_000n), `-000044-12-02T00:00:00.000000${zone}`],
    ),
  );

export const CELLS: Readonly<Record<CellKind, fc.Arbitrary<Cell>>> = {
  text: texts.map((text) => [Buffer.from(text), text]),
  jsonb: texts.map((text) => [Buffer.from(`\u0001${text}`), text]),
  bool: fc.boolean().map((value) => [bytes(1, Number(value)), String(value)]),
  int2: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }).map((value) => [bytes(2, value), String(value)]),
  int4: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value) => [bytes(4, value), String(value)]),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => [long(value), String(value)]),
  oid: fc.nat(2 ** 32 - 1).map((value) => [bytes(4, value | 0), String(value)]),
  uuid: fc.uuid().map((value) => [Buffer.from(value.replaceAll('-', ''), 'hex'), value]),
  date: fc.oneof(
    micros.map((value): Cell => {
      const days = value / DAY_MICROS;
      return [bytes(4, Number(days)), isoOf(days * DAY_MICROS).slice(0, 10)];
    }),
    fc.constantFrom<Cell>(
      [bytes(4, 2 ** 31 - 1), 'infinity'],
      [bytes(4, -(2 ** 31)), '-infinity'],
      [bytes(4, 2_921_940), '+010000-01-01'],
      [bytes(4, 2_145_031_948), '+5874897-12-31'],
      [bytes(4, -730_120), '0000-12-31'],
    ),
  ),
  timestamp: moment(''),
  timestamptz: moment('Z'),
  decimal: decimals.map((text) => [numeric(text), text]),
};

export const KINDS = Object.keys(CELLS) as CellKind[];

export function rowOf(cells: readonly Cell[]): Buffer {
  const parts = cells.map((cell) => (cell ? Buffer.concat([bytes(4, cell[0].length), cell[0]]) : bytes(4, -1)));
  return Buffer.concat([bytes(2, cells.length), ...parts]);
}

/** The messages of a binary COPY: the header comes with the first row, or with the end. */
export function copyOf(rows: readonly Uint8Array[]): Buffer {
  const [first = TRAILER, ...others] = [...rows, TRAILER];
  return messages([Buffer.concat([HEADER, first]), ...others]);
}
