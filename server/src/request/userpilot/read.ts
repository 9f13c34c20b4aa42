import { Fault, refuse } from '../../base/errors.ts';
import { parseInstant } from '../../column/parse-instant.ts';
import { type Ask, downloadOf } from '../../job/ask.ts';
import type { CreateAsk } from '../desk.ts';
import type { UserpilotOptions } from './options.ts';
import type { CreateBody } from './schemas.ts';
import { EVENT_COLUMNS, EVENT_TYPES, EVENTS } from './shapes.ts';

interface CreateGround {
  readonly options: UserpilotOptions;
  /** ISO instant. */
  readonly now: string;
  /** The job's id as clients know it. */
  readonly reference: string;
}

/** Two creates of an app token may not both be unfinished. */
const ONE_JOB = 'export';

/** Their words → ours. Throws `request.invalid` naming the field. */
export function readCreate(body: CreateBody, { options, now, reference }: CreateGround): CreateAsk {
  const { dropped, columns } = readExclusions(body.exclusions ?? '', options);
  const tests = testsOf(body, dropped, options);
  const ask: Ask = {
    dataset: EVENTS.name,
    window: readWindow(body, options, now),
    ...(tests.length > 0 ? { filter: { and: tests } } : {}),
    columns,
    ...downloadOf(OUTPUT_FORMATS[body.format ?? options.defaultFormat], { split: splitOf(options) }),
    fileLifeMs: options.urlLife,
    exclusive: ONE_JOB,
    ...(body.emails?.length ? { notify: [...new Set(body.emails)] } : {}),
  };
  return { dialect: 'userpilot', tenant: undefined, ask, request: body, idempotency: null, reference };
}

/** The segment that is asked for; null for one that cannot be, undefined where none is asked for. */
export function readSegment({ segment_id: asked }: CreateBody): string | null | undefined {
  if (asked === undefined || asked === null) return undefined;
  const text = String(asked);
  const isId = /^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n;
  return isId ? text : null;
}

const DAY_MS = 86_400_000;

/** The closed `[from, to]` as half-open: instants have microseconds, so the next one ends it. A date alone means the whole day. */
function readWindow(body: CreateBody, { defaultDays }: UserpilotOptions, now: string): Ask['window'] {
  const to = readMoment(body.to ?? now, '/to');
  const from = body.from == null ? startBefore(to, defaultDays) : readMoment(body.from, '/from');
  if (from > to && !(isDate(body.to) && from < daysAfter(to, 1)))
    throw refuse('/from', `It lies after the end, ${to}; allowed is a moment that does not.`);
  const end = isDate(body.to) ? daysAfter(to, 1) : nextMicrosecond(to);
  // Beyond the last instant there is nothing, so that side is open.
  return { start: from, ...(/^\d{4}-/.test(end) ? { end } : {}), clamp: true };
}

/** Before the first year there is nothing, so that side begins with it. */
function startBefore(to: string, days: number): string {
  const start = daysAfter(to, -days);
  return /^\d{4}-/.test(start) && start >= FIRST ? start : FIRST;
}

const FIRST = '0001-01-01T00:00:00.000000Z';

function isDate(text: string | null | undefined): boolean {
  return text != null && /^\d{4}-\d\d-\d\d$/.test(text);
}

const ZONELESS = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;

/** A time without a zone is UTC. */
function readMoment(text: string, pointer: string): string {
  try {
    return parseInstant(ZONELESS.test(text) ? `${text}Z` : text, pointer);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const shown = text.length > 60 ? 'a longer text' : JSON.stringify(text);
    throw refuse(
      pointer,
      `Allowed is a date or an ISO 8601 date and time, UTC unless it has a zone; this is ${shown}.`,
    );
  }
}

function daysAfter(moment: string, days: number): string {
  return `${new Date(Date.parse(moment) + days * DAY_MS).toISOString().slice(0, -1)}${moment.slice(23)}`;
}

function nextMicrosecond(moment: string): string {
  const micros = Number(moment.slice(20, 26)) + 1;
  if (micros < 1_000_000) return `${moment.slice(0, 20)}${String(micros).padStart(6, '0')}Z`;
  return `${new Date(Date.parse(`${moment.slice(0, 19)}Z`) + 1000).toISOString().slice(0, -5)}.000000Z`;
}

/** Each test must hold; inside a list one value is enough. */
function testsOf(body: CreateBody, dropped: readonly string[], { version }: UserpilotOptions): object[] {
  const { event_type: types, user_id: users, company_id: companies } = body;
  checkTypes(types ?? [], version);
  checkSize({ users, companies });
  const left = version === 'old' ? [...dropped, 'session_start'] : dropped;
  const segment = readSegment(body);
  return [
    ...(types?.length ? [{ event_type: { in: types } }] : []),
    ...(left.length > 0 ? [{ event_type: { nin: left } }] : []),
    ...(users?.length ? [{ user_id: { in: users } }] : []),
    ...(companies?.length ? [{ company_id: { in: companies } }] : []),
    ...(segment ? [{ segment_ids: { has: segment } }] : []),
  ];
}

function checkTypes(types: readonly string[], version: UserpilotOptions['version']): void {
  const known = typesOf(version);
  const at = types.findIndex((type) => !known.includes(type));
  if (at >= 0) throw refuse(`/event_type/${at}`, `Allowed are ${known.join(', ')}.`);
}

function typesOf(version: UserpilotOptions['version']): readonly string[] {
  return EVENT_TYPES.filter((type) => version === 'new' || type !== 'session_start');
}

/** A filter may have so many bytes, whatever stands around these. */
const MAX_LIST_BYTES = 900_000;

function checkSize(lists: { users: CreateBody['user_id']; companies: CreateBody['company_id'] }): void {
  const bytes = Buffer.byteLength(JSON.stringify(lists));
  if (bytes > MAX_LIST_BYTES)
    throw refuse('/user_id', `It and company_id have ${bytes} bytes; allowed are ${MAX_LIST_BYTES}.`);
}

/** A word that is an event type drops its rows, one that is a column the column. */
function readExclusions(text: string, { unknownExclusions, version }: UserpilotOptions) {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const known = EVENT_COLUMNS.filter((column) => version === 'new' || column !== 'internal_event_id');
  const types = typesOf(version);
  const strange = words.find((word) => !known.includes(word) && !types.includes(word));
  if (strange !== undefined && unknownExclusions === 'refuse')
    throw refuse(
      '/exclusions',
      `${strange.length > 100 ? 'A word in it' : JSON.stringify(strange)} is neither an event type nor a column; allowed are ${[...types, ...known].join(', ')}, with commas between.`,
    );
  const columns = known.filter((column) => !words.includes(column));
  if (columns.length === 0) throw refuse('/exclusions', 'It leaves no column; allowed is a list that leaves one.');
  return { dropped: types.filter((type) => words.includes(type)), columns };
}

type Format = UserpilotOptions['defaultFormat'];

const OUTPUT_FORMATS = {
  avro: { type: 'avro', nested: 'text' },
  // An empty cell is no value; set, since a file of one column could not tell it from a blank line.
  csv: { type: 'csv', nullText: '' },
  ndjson: { type: 'jsonl' },
  parquet: { type: 'parquet', nested: 'text' },
} as const satisfies Record<Format, object>;

function splitOf({ rowsPerFile }: UserpilotOptions): { rows: number } | undefined {
  return rowsPerFile === null ? undefined : { rows: rowsPerFile };
}

/** A page of a lookup: its rows lie after one id, or before one. */
export interface PageAsk {
  readonly side: 'after' | 'before';
  /** Null for the very first page. */
  readonly id: string | null;
}

/** Throws `request.invalid` for a cursor that is none of this lookup's. */
export function readPage(lookup: string, query: { after_cursor?: string; before_cursor?: string }): PageAsk {
  const { after_cursor: after, before_cursor: before } = query;
  if (after !== undefined && before !== undefined)
    throw refuse('/before_cursor', 'Allowed is one of after_cursor and before_cursor, not both.');
  if (before !== undefined) return { side: 'before', id: readCursor(lookup, before, '/before_cursor') };
  return { side: 'after', id: after === undefined ? null : readCursor(lookup, after, '/after_cursor') };
}

/** An id and whose it is, in a form that says: opaque. */
export function writeCursor(lookup: string, id: string): string {
  return Buffer.from(`${lookup} ${id}`).toString('base64url');
}

function readCursor(lookup: string, cursor: string, pointer: string): string {
  const [name, id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const isId = /^-?\d{1,19}$/.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id);
  if (name === lookup && isId && writeCursor(lookup, id) === cursor) return id;
  throw refuse(pointer, `This is not a cursor of ${lookup}; allowed is one of metadata.cursor of another page.`);
}
