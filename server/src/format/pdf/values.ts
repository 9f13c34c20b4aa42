import type { PdfField } from './options.ts';
import type { EvidenceRecord } from './record.ts';

type Values = EvidenceRecord['values'];

/** Stands for NULL and for what is not there. */
const NOTHING = '–';

interface Place {
  readonly column: string;
  readonly path?: readonly string[] | undefined;
}

export function fieldText(values: Values, field: PdfField): string {
  const text = textOf(valueAt(values, field));
  if (text === null) return NOTHING;
  if (field.as === 'text') return text;
  const zone = field.zone && textOf(valueAt(values, field.zone));
  return instantText(text, zone ?? null);
}

/** Null for NULL and for what is not there; lists and objects as compact JSON. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Every key with its value; none unless the column holds an object. */
export function entriesOf(values: Values, column: string): readonly (readonly [string, string])[] {
  const value = values[column];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([key, inner]) => [key, textOf(inner) ?? NOTHING]);
}

function valueAt(values: Values, { column, path = [] }: Place): unknown {
  let value: unknown = values[column];
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Values)[key];
  }
  return value;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:?00)$/;

/** `2026-01-02 03:04:05.5 UTC`, in a zone `2026-01-02 04:04:05.5 +01:00 Europe/Berlin` with `(… UTC)` below; other text stays as it is. */
function instantText(text: string, zone: string | null): string {
  const [, date, time, digits = ''] = INSTANT.exec(text) ?? [];
  if (date === undefined || time === undefined) return text;
  const fraction = digits.replace(/0+$/, '');
  const utc = `${date} ${time}${fraction && `.${fraction}`} UTC`;
  const local = zone === null ? null : localTime(`${date}T${time}Z`, zone);
  return local === null ? utc : `${local.time}${fraction && `.${fraction}`} ${local.offset} ${zone}\n(${utc})`;
}

const formats = new Map<string, Intl.DateTimeFormat | null>();
/** Zones are few, but a column may hold anything. */
const MAX_FORMATS = 1000;

/** Null for a zone nobody knows. */
function localTime(instant: string, zone: string): { time: string; offset: string } | null {
  const format = formatOf(zone);
  const time = Date.parse(instant);
  if (format === null || Number.isNaN(time)) return null;
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map((type) =>
    parts.get(type as Intl.DateTimeFormatPartTypes),
  );
  const offset = parts.get('timeZoneName')?.replace('GMT', '') || '+00:00';
  return { time: `${year}-${month}-${day} ${hour}:${minute}:${second}`, offset };
}

function formatOf(zone: string): Intl.DateTimeFormat | null {
  let format = formats.get(zone);
  if (format === undefined) {
    format = makeFormat(zone);
    if (formats.size < MAX_FORMATS) formats.set(zone, format);
  }
  return format;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | null {
  const two = '2-digit';
  try {
    return new Intl.DateTimeFormat('en-u-hc-h23', {
      ...{ timeZone, timeZoneName: 'longOffset', hourCycle: 'h23' },
      ...{ year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
    });
  } catch {
    return null;
  }
}
