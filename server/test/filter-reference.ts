/**
 * The meaning of filters, told once more in plain JavaScript and by nothing the engine's side uses:
 * what the fuzzer holds the SQL against.
 */

/** A column as the reference knows it. */
export type Kind =
  | 'bool'
  | 'int32'
  | 'int64'
  | 'decimal'
  | 'float'
  | 'text'
  | 'uuid'
  | 'date'
  | 'timestamp'
  | 'instant'
  | 'json'
  | 'texts'
  | 'integers';

/** Values by column: null, or what `parse` gives for the kind; JSON columns hold their text. */
export type Row = Readonly<Record<string, unknown>>;

/** The filter must be refused. */
export class Refused extends Error {}

export const SCALE = 10;

type Json = { readonly [name: string]: unknown };

/** Whether the row matches. Throws Refused for filters that are none. */
export function matches(filter: Json, row: Row, kinds: Readonly<Record<string, Kind>>): boolean {
  // No short cuts: every part is looked at, since any may have to be refused.
  return Object.entries(filter)
    .map(([key, value]) => member(key, value, row, kinds))
    .every(Boolean);
}

function member(key: string, value: unknown, row: Row, kinds: Readonly<Record<string, Kind>>): boolean {
  if (key === 'not') return !matches(value as Json, row, kinds);
  if (key === 'and') return (value as Json[]).map((each) => matches(each, row, kinds)).every(Boolean);
  if (key === 'or') return (value as Json[]).map((each) => matches(each, row, kinds)).some(Boolean);
  const [column = '', ...path] = key.split('.');
  const kind = kinds[column];
  if (kind === undefined) throw new Refused(key);
  return Object.entries(value as Json)
    .map(([verb, operand]) =>
      path.length > 0 ? jsonTest(row[column], path, verb, operand) : columnTest(kind, row[column], verb, operand),
    )
    .every(Boolean);
}

const TEXTUAL: ReadonlySet<string> = new Set(['contains', 'startsWith', 'matches']);

function columnTest(kind: Kind, value: unknown, verb: string, operand: unknown): boolean {
  if (verb === 'anyOf' || verb === 'noneOf') throw new Refused(verb);
  if (verb === 'ne') return !columnTest(kind, value, 'eq', operand);
  if (verb === 'nin') return !columnTest(kind, value, 'in', operand);
  if (verb === 'exists') return operand === true ? value !== null : value === null;
  if (verb === 'eq' && operand === null) return value === null;
  if (verb === 'in') {
    const items = (operand as unknown[]).map((item) => (item === null ? null : parse(kind, item)));
    return items.some((item) => (item === null ? value === null : value !== null && order(value, item) === 0));
  }
  if (verb === 'has') return has(kind, value, operand);
  if (TEXTUAL.has(verb)) {
    if (kind !== 'text') throw new Refused(verb);
    return textTest(verb, value, operand);
  }
  const wanted = parse(kind, operand);
  return value !== null && compares(verb, order(value, wanted));
}

function has(kind: Kind, value: unknown, operand: unknown): boolean {
  if (kind !== 'texts' && kind !== 'integers') throw new Refused('has');
  const wanted = parse(kind === 'texts' ? 'text' : 'int64', operand);
  return Array.isArray(value) && value.includes(wanted);
}

function textTest(verb: string, value: unknown, operand: unknown): boolean {
  const wanted = parse('text', operand) as string;
  if (typeof value !== 'string') return false;
  // The fuzzer only asks for patterns of quoted texts, each character behind a backslash or plain.
  if (verb === 'matches') return value.includes(unquoted(wanted));
  return verb === 'contains' ? value.includes(wanted) : value.startsWith(wanted);
}

/** A pattern that matches the text itself. */
export function quotedPattern(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&').replaceAll('\0', '\\x{0}');
}

function unquoted(pattern: string): string {
  return pattern.replace(/\\x\{0\}|\\(.)/gs, (all, char: string) => (all === '\\x{0}' ? '\0' : char));
}

function compares(verb: string, sign: number): boolean {
  if (verb === 'eq') return sign === 0;
  if (verb === 'gt') return sign > 0;
  if (verb === 'gte') return sign >= 0;
  return verb === 'lt' ? sign < 0 : sign <= 0;
}

/** Texts by their UTF-8 bytes; NaN above every number. */
function order(left: unknown, right: unknown): number {
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(String(right)));
  if (Number.isNaN(left)) return 1;
  const [a, b] = [left as bigint, right as bigint];
  return a < b ? -1 : Number(a > b);
}

/** What an operand means to a column of the kind. */
function parse(kind: Kind, operand: unknown): unknown {
  const meaning = PARSERS[kind]?.(operand);
  if (meaning === undefined) throw new Refused(`${kind}: ${String(operand)}`);
  return meaning;
}

const PARSERS: Partial<Record<Kind, (operand: unknown) => unknown>> = {
  bool: (operand) => (typeof operand === 'boolean' ? operand : undefined),
  int32: (operand) => integer(operand, 32),
  int64: (operand) => integer(operand, 64),
  decimal,
  float,
  text: (operand) => (typeof operand === 'string' && operand.isWellFormed() ? operand : undefined),
  uuid: (operand) =>
    /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(String(operand))
      ? String(operand).toLowerCase()
      : undefined,
  date: (operand) => (/^\d{4}-\d\d-\d\d$/.test(String(operand)) && isDay(String(operand)) ? operand : undefined),
  timestamp: (operand) => localMicros(operand),
  instant,
};

function integer(operand: unknown, bits: number): bigint | undefined {
  if (typeof operand === 'number' ? !Number.isSafeInteger(operand) : !/^-?\d{1,19}$/.test(String(operand)))
    return undefined;
  if (typeof operand !== 'number' && typeof operand !== 'string') return undefined;
  const value = BigInt(operand);
  return BigInt.asIntN(bits, value) === value ? value : undefined;
}

/** Scaled to an integer, so that no digit is lost. */
function decimal(operand: unknown): bigint | undefined {
  if (typeof operand !== 'string' && typeof operand !== 'number') return undefined;
  if (typeof operand === 'number' && !(Math.abs(operand) <= Number.MAX_SAFE_INTEGER)) return undefined;
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d{1,38})(?:\.(\d{1,38}))?$/.exec(String(operand)) ?? [];
  if (sign === undefined) return undefined;
  if (/[^0]/.test(fraction.slice(SCALE)) || BigInt(whole) >= 10n ** BigInt(38 - SCALE)) return undefined;
  const scaled = BigInt(whole + fraction.slice(0, SCALE).padEnd(SCALE, '0'));
  return sign === '-' ? -scaled : scaled;
}

function float(operand: unknown): number | undefined {
  if (typeof operand === 'string' && !/^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/.test(operand)) return undefined;
  const number = typeof operand === 'string' ? Number(operand) : operand;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text) && !text.startsWith('0000');
}

function localMicros(operand: unknown): bigint | undefined {
  const [, day = '', clock = '', fraction = ''] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(String(operand)) ?? [];
  if (!isDay(day) || !/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(clock)) return undefined;
  return BigInt(Date.parse(`${day}T${clock}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function instant(operand: unknown): bigint | undefined {
  const text = String(operand);
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return isDay(text) ? BigInt(Date.parse(text)) * 1000n : undefined;
  const [, local, zone, sign, hours, minutes] = /^(.{19}(?:\.\d{1,6})?)(Z|([+-])(\d\d):?(\d\d))$/.exec(text) ?? [];
  const micros = localMicros(local);
  if (micros === undefined || zone === undefined) return undefined;
  const offset = BigInt(Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000_000n;
  return micros - (sign === '-' ? -offset : offset);
}

const OPPOSITES: Readonly<Record<string, string>> = { ne: 'eq', nin: 'in', noneOf: 'anyOf' };

function jsonTest(column: unknown, path: readonly string[], verb: string, operand: unknown): boolean {
  const opposite = OPPOSITES[verb];
  if (opposite) return !jsonTest(column, path, opposite, operand);
  const value = inside(column, path);
  if (verb === 'exists') return operand === true ? value !== null : value === null;
  if (verb === 'eq' && operand === null) return value === null;
  if (verb === 'in' || verb === 'anyOf') return isOneOf(value, operand as unknown[], verb === 'anyOf');
  if (TEXTUAL.has(verb)) return textTest(verb, value, operand);
  const wanted = scalar(operand);
  if (verb === 'has') return Array.isArray(value) && value.includes(wanted);
  if (typeof wanted === 'boolean' && verb !== 'eq') throw new Refused(verb);
  return typeof value === typeof wanted && compares(verb, value === wanted ? 0 : order(value, wanted));
}

function isOneOf(value: unknown, operands: readonly unknown[], looksIntoLists: boolean): boolean {
  const items = operands.map((item) => (item === null ? null : scalar(item)));
  const isHeld = (item: unknown) => looksIntoLists && item !== null && Array.isArray(value) && value.includes(item);
  return items.some((item) => value === item || isHeld(item));
}

function scalar(operand: unknown): unknown {
  if (typeof operand === 'string' && operand.isWellFormed()) return operand;
  if (typeof operand === 'number' && Math.abs(operand) <= Number.MAX_SAFE_INTEGER) return operand;
  if (typeof operand === 'boolean') return operand;
  throw new Refused(String(operand));
}

/** Every test looks into the same rows again. */
const parsed = new Map<unknown, unknown>();

function parsedOnce(column: unknown): unknown {
  if (!parsed.has(column)) parsed.set(column, column === null ? null : JSON.parse(String(column)));
  return parsed.get(column);
}

/** The value at the path; null for JSON null and for what is not there. */
function inside(column: unknown, path: readonly string[]): unknown {
  let value = parsedOnce(column);
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return null;
    if (Array.isArray(value) && !/^(0|[1-9]\d{0,8})$/.test(name)) return null;
    value = Object.hasOwn(value, name) ? (value as Json)[name] : null;
  }
  return value ?? null;
}
