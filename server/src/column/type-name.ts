import { refuse } from '../base/errors.ts';
import type { ColumnType, Field } from './type.ts';

const SIMPLE: Readonly<Record<string, ColumnType>> = {
  bool: { is: 'bool' },
  text: { is: 'text' },
  bytes: { is: 'bytes' },
  uuid: { is: 'uuid' },
  date: { is: 'date' },
  time: { is: 'time' },
  json: { is: 'json' },
  int32: { is: 'integer', bits: 32 },
  int64: { is: 'integer', bits: 64 },
  float32: { is: 'float', bits: 32 },
  float64: { is: 'float', bits: 64 },
  timestamp: { is: 'timestamp', unit: 'us' },
  'timestamp(us)': { is: 'timestamp', unit: 'us' },
  'timestamp(ns)': { is: 'timestamp', unit: 'ns' },
  instant: { is: 'instant', unit: 'us' },
  'instant(us)': { is: 'instant', unit: 'us' },
  'instant(ms)': { is: 'instant', unit: 'ms' },
};

const ALLOWED =
  'bool, text, bytes, uuid, date, time, json, int32, int64, float32, float64, decimal(p,s), timestamp, timestamp(ns), instant, instant(ms), list(T), struct(name T, …), map(K, V)';

/** Deeper types than this are refused, so that no name can exhaust the stack. */
const MAX_DEPTH = 16;

/** Reads a type's name as `nameOf` writes it. Throws `request.invalid` at `pointer`. */
export function parseType(name: string, pointer: string): ColumnType {
  return parse(name.trim(), { pointer, depth: 0 });
}

interface Place {
  readonly pointer: string;
  readonly depth: number;
}

function parse(name: string, place: Place): ColumnType {
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple) return simple;
  const [, head, body] = /^(decimal|list|struct|map)\((.*)\)$/s.exec(name) ?? [];
  if (head === undefined || body === undefined || place.depth >= MAX_DEPTH) throw unknown(name, place);
  const inner = { pointer: place.pointer, depth: place.depth + 1 };
  if (head === 'decimal') return decimal(name, body, place);
  const parts = split(body);
  if (head === 'struct') return { is: 'struct', fields: parts.map((part) => field(part, inner)) };
  const types = parts.map((part) => parse(part, inner));
  const [first, second] = types;
  if (head === 'list' && first && types.length === 1) return { is: 'list', of: first };
  if (head === 'map' && first && second && types.length === 2) return { is: 'map', key: first, value: second };
  throw unknown(name, place);
}

function decimal(name: string, body: string, place: Place): ColumnType {
  const [, precisionText, scaleText] = /^\s*(\d{1,2})\s*,\s*(\d{1,2})\s*$/.exec(body) ?? [];
  const [precision, scale] = [Number(precisionText), Number(scaleText)];
  if (!(precision >= 1 && precision <= 38 && scale <= precision)) throw unknown(name, place);
  return { is: 'decimal', precision, scale };
}

function field(text: string, place: Place): Field {
  const [, quotedName, plainName, type] = /^(?:"((?:[^"]|"")+)"|([a-z_]\w*))\s+(.+)$/is.exec(text) ?? [];
  const name = quotedName?.replaceAll('""', '"') ?? plainName;
  if (name === undefined || type === undefined) throw unknown(text, place);
  return { name, type: parse(type.trim(), place) };
}

/** Splits at commas that stand in no bracket and no quoted name. */
function split(body: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < body.length; at++) {
    const char = body[at];
    if (char === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) {
      parts.push(body.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, body.slice(start).trim()];
}

function unknown(name: string, place: Place): Error {
  return refuse(place.pointer, `"${name}" is not a column type; allowed are ${ALLOWED}.`);
}
