import { readCells } from '../readers/cells.ts';
import type { Activity, Data } from './rows.ts';

export const STANDARD = [
  ...['id', 'uuid', 'event_type', 'signer_id', 'contract', 'contract_title', 'version', 'version_number', 'group'],
  ...['group_key', 'batch', 'session', 'site', 'account', 'created_time', 'event_time', 'execution_method'],
] as const;

export const CONNECTION = [
  ...['page_title', 'page_url', 'page_domain', 'page_path', 'page_query', 'hostname', 'referrer', 'browser_timezone'],
  ...['browser_locale', 'user_agent', 'device_fingerprint', 'operating_system', 'environment', 'screen_color_depth'],
  ...['screen_resolution', 'cookies', 'remote_address'],
];

export interface Expected {
  readonly rows: readonly Activity[];
  readonly keeps: (row: Activity) => boolean;
  /** Of created_time; ids ascend among equals. */
  readonly direction?: 'asc' | 'desc';
  readonly columns: readonly string[];
}

/** The cells of a CSV worked out from the rows, header first. */
export function expected({ rows, keeps, direction = 'desc', columns }: Expected): string[][] {
  const kept = rows.filter(keeps).toSorted((a, b) => {
    const byTime = a.created_time < b.created_time ? -1 : Number(a.created_time > b.created_time);
    return (direction === 'asc' ? byTime : -byTime) || (a.id < b.id ? -1 : 1);
  });
  return [[...columns], ...kept.map((row) => columns.map((name) => cellOf(row, name)))];
}

/** The names that custom data of the rows have, by their bytes. */
export function customColumns(rows: readonly Activity[], keeps: (row: Activity) => boolean): string[] {
  const names = rows.filter(keeps).flatMap(({ custom_data }) => Object.keys(custom_data ?? {}));
  return [...new Set(names)].sort().map((name) => `custom_data.${name}`);
}

function cellOf(row: Activity, column: string): string {
  const [, group, name = ''] = /^(\w+_data)\.(.*)$/s.exec(column) ?? [];
  if (group === undefined) return textOf((row as unknown as Record<string, unknown>)[column]);
  const data = (row as unknown as Record<string, Data | null>)[group];
  const json = data && Object.hasOwn(data, name) ? (data[name] ?? 'null') : 'null';
  if (json === 'null') return '';
  return json.startsWith('"') ? textOf(JSON.parse(json)) : json;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return value === '' ? '""' : String(value);
}

/** Cells of a file; empty text in quotes stays `""`. */
export function parseCells(text: string): string[][] {
  return readCells(text, ',');
}
