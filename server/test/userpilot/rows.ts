import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { EVENTS, LISTED, PAGED } from '../../src/request/userpilot/shapes.ts';

/** App tokens of the ground. */
export const APPS = ['NX-TEST0001', 'NX-TEST0002'] as const;

const TYPES = [
  ...['identify_user', 'identify_company', 'interaction', 'track'],
  ...['track_feature', 'page_view', 'session_start'],
];
const SOURCES = ['web-client', 'backend-http', 'backend-hubspot', 'backend-salesforce', 'backend-segment'];
const NAMES = ['=1+1', 'a, "b"', 'line\nbreak', '日本', 'مرحبا', '🚀', '', null];

/** An event as it lies in the file; `at` is its `inserted_at`. */
export type EventRow = Readonly<Record<string, unknown>> & {
  readonly app_token: string;
  readonly event_type: string;
  readonly user_id: string | null;
  readonly company_id: string | null;
  readonly inserted_at: string;
  readonly internal_event_id: string;
  readonly segment_ids: readonly number[];
};

const SPAN_MS = 46 * 86_400_000;

/** Events of both apps, newest first and evenly over the 46 days that lead up to `end`. */
export function makeEvents(end: Date, perApp: number): EventRow[] {
  const step = Math.floor(SPAN_MS / perApp);
  return APPS.flatMap((app, side) =>
    Array.from({ length: perApp }, (_, at) =>
      makeEvent({ app, id: side * perApp + at, at, ms: end.getTime() - 60_000 - at * step }),
    ),
  );
}

interface Place {
  readonly app: string;
  readonly id: number;
  readonly at: number;
  readonly ms: number;
}

function makeEvent({ app, id, at, ms }: Place): EventRow {
  const type = TYPES[at % TYPES.length] ?? '';
  return {
    app_token: app,
    event_type: type,
    event_name: type === 'interaction' ? `checklist:${at}:SEEN` : (NAMES[at % NAMES.length] ?? null),
    user_id: at % 11 === 0 ? null : `user-${at % 9}`,
    company_id: at % 13 === 0 ? '' : `company-${at % 5}`,
    source: SOURCES[at % SOURCES.length],
    inserted_at: `${new Date(ms).toISOString().slice(0, -1)}${String(at % 1000).padStart(3, '0')}Z`,
    internal_event_id: String(9_223_372_036_854_775_807n * 2n - BigInt(id)),
    hostname: at % 3 === 0 ? null : 'app.example.com',
    pathname: `/p/${at}?q="x",y`,
    screen_width: at % 4 === 0 ? null : 1280 + at,
    screen_height: 720,
    device_type: 'desktop',
    user_agent: `Agent/${at}; (x, y)`,
    operating_system: 'Linux',
    browser: 'Firefox',
    browser_language: 'en-GB',
    session: String(at),
    country_code: 'SE',
    metadata: at % 17 === 0 ? null : `{"n":1.10,"app":"${app}","list":[1,{"a":null}],"text":"a, \\"b\\""}`,
    segment_ids: at % 6 === 0 ? [1, 7] : at % 6 === 1 ? [2] : [],
  };
}

/** How many rows each app has of the lookups that have pages. */
export const PAGED_ROWS = 107;

type LookupRow = Readonly<Record<string, unknown>>;

/** Rows of a lookup, by ascending key; texts name their app. */
export function makeLookup(name: string): LookupRow[] {
  const isPaged = PAGED.some((shape) => shape.name === name);
  return APPS.flatMap((app, side) =>
    Array.from({ length: isPaged ? PAGED_ROWS : 3 }, (_, at) => makeLookupRow(name, app, side * 1000 + at + 1)),
  );
}

function makeLookupRow(name: string, app: string, id: number): LookupRow {
  const shape = [...LISTED, ...PAGED].find((each) => each.name === name);
  const cells = (shape?.columns ?? []).map(({ name: column, type }) => [column, cellOf(app, id, { column, type })]);
  return { tenant: app, ...Object.fromEntries(cells) };
}

function cellOf(app: string, id: number, { column, type }: { column: string; type: string }): unknown {
  if (column === 'id') return id;
  if (type === 'int64') return id * 10;
  if (type === 'bool') return id % 2 === 0;
  if (type === 'instant') return `2026-01-${String(1 + (id % 28)).padStart(2, '0')}T10:20:30.456789Z`;
  if (column === 'event')
    return id % 5 === 0 ? null : JSON.stringify({ id: `e${id}`, display_name: `Event ${app}`, inner: 'hidden' });
  if (column === 'modules')
    return JSON.stringify([{ id, order: 1, type: 'nps', question: 'How, "so"?', inner: 'hidden' }]);
  return `${column} ${String(id).padStart(4, '0')} of ${app}`;
}

/** Writes the ground's Parquet files. */
export async function writeFiles(folder: string, events: readonly EventRow[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  const write = async (name: string, types: Readonly<Record<string, string>>, rows: readonly object[]) => {
    const source = join(folder, `${name}.jsonl`);
    writeFileSync(source, rows.map((row) => JSON.stringify(row)).join('\n'));
    const columns = Object.entries(types).map(([column, type]) => `'${column}': '${ENGINE[type] ?? type}'`);
    await connection.run(
      `copy (select * from read_json('${source}', format = 'newline_delimited', columns = {${columns.join(', ')}})) to '${join(folder, name)}.parquet' (format parquet)`,
    );
  };
  for (const { name, columns } of [EVENTS, ...LISTED, ...PAGED]) {
    const types = Object.fromEntries(columns.map((column) => [column.name, column.type]));
    if (name === EVENTS.name) await write(name, types, events);
    else await write(name, { tenant: 'text', ...types }, makeLookup(name));
  }
  connection.closeSync();
  instance.closeSync();
}

/** JSON columns are written as text, so that what they hold stays as it is. */
const ENGINE: Readonly<Record<string, string>> = {
  text: 'VARCHAR',
  int64: 'BIGINT',
  int32: 'INTEGER',
  bool: 'BOOLEAN',
  json: 'VARCHAR',
  instant: 'TIMESTAMPTZ',
  'list(int64)': 'BIGINT[]',
};
