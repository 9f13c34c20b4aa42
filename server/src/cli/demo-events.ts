import { literal } from '../column/sql.ts';

/** One file of the demo's events: rows of its own, spread evenly over 90 days. */
export interface DemoSlice {
  /** File name. */
  readonly file: string;
  readonly rows: number;
  /** ISO 8601 instants, half-open. */
  readonly start: string;
  readonly end: string;
  /** SELECT that gives the rows, in the order of time. */
  readonly sql: string;
}

const DAYS = 90;
const DAY_MS = 86_400_000;
const FIXED_START = '2026-01-01T00:00:00.000Z';

/** Half the rows in a span that never moves, the same bytes on every machine; the rest right before `now`. */
export function demoSlices(rows: number, now: string): readonly DemoSlice[] {
  const fixed = Math.ceil(rows / 2);
  return [
    slice('events-fixed.parquet', FIXED_START, [0, fixed]),
    slice('events-recent.parquet', new Date(Date.parse(now) - DAYS * DAY_MS).toISOString(), [fixed, rows]),
  ];
}

type RowRange = readonly [first: number, end: number];

function slice(file: string, start: string, [first, last]: RowRange): DemoSlice {
  const startMs = Date.parse(start);
  const end = new Date(startMs + DAYS * DAY_MS).toISOString();
  const stepMicros = Math.floor((DAYS * DAY_MS * 1000) / Math.max(1, last - first));
  // In digits: a number could not hold it exactly after the year 2255.
  const micros = `${startMs}000 + (i - ${first}) * ${stepMicros} + ${random(0)} % ${stepMicros}`;
  return { file, rows: last - first, start, end, sql: eventsSql(micros, [first, last]) };
}

/** Awkward for CSV, for spreadsheets, for fixed widths and for those who take bytes for characters. */
const TEXTS = [
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

const EVENT_TYPES = [
  ...['page_view', 'page_view', 'page_view', 'page_view', 'page_view', 'search', 'search', 'login', 'login', 'logout'],
  ...['signup', 'invite', 'purchase', 'purchase', 'purchase', 'refund'],
];
const PATHS = ['/', '/pricing', '/docs?page=1&sort=asc', '/blog/größe', '/checkout', '/search?q=%22a%2Cb%22'];
/** Numbers that change when they are parsed and printed again. */
const PRICES = ['1.10', '1.10', '19.90', '0.00', '100', '-2.50', '1.0E+2', '12345678901234.5678', '9007199254740993'];
const PLAIN_NOTES = ['ok', 'called back', 'no answer', 'paid by invoice'];
const MISSING = [null, null, null, null, null, null, '', '', ''];
const NOTES = [...MISSING, ...MISSING, ...PLAIN_NOTES, ...PLAIN_NOTES, ...TEXTS];

/** The first integer a 64-bit float cannot hold. */
const BEYOND_FLOAT = '9007199254740993';
const MAX_INT64 = '9223372036854775807';

/** Tenants by their number from 1: 60, 30 and 10 of a hundred rows. */
const TENANTS = ['acme', 'globex', 'tiny'];
const TENANT_NUMBERS = '[1, 1, 1, 1, 1, 1, 2, 2, 2, 3]';

/**
 * Everything follows from the row's number `i` by the engine's hash of an integer: no random(), no
 * floating point. Users and companies belong to one tenant each.
 */
function eventsSql(micros: string, [first, last]: RowRange): string {
  return `select
  ${uuid()} as event_id,
  ${element(TENANTS.map(literal), 'tenant_number')} as tenant,
  case when user_number % 5000 = 1 then ${MAX_INT64} - 2 * tenant_number when user_number % 50 = 0 then ${BEYOND_FLOAT} + 2 * user_number else user_number end as user_id,
  case when company_number % 20 = 7 then ${BEYOND_FLOAT} + 2 * company_number else company_number end as company_id,
  event_type,
  make_timestamp(micros)::timestamptz as occurred_at,
  ${properties()}::json as properties,
  case event_type when 'purchase' then ${amount()} when 'refund' then -${amount()} end as amount,
  ${random(1)} % 2 = 0 as flag,
  ${pick(NOTES, 2)} as note
from (
  select *, tenant_number * 1000 + user_number % 300 as company_number
  from (
    select *, tenant_number * 1000000 + ${random(3)} % 5000 as user_number
    from (
      select i, ${micros} as micros, ${TENANT_NUMBERS}[1 + ${random(4)} % 10]::bigint as tenant_number, ${pick(EVENT_TYPES, 5)} as event_type
      from range(${first}, ${last}) as numbers(i)
    )
  )
)`;
}

/** How many independent random numbers a row has. */
const STREAMS = 16;

/** SQL: a number from 0 to 2^63-1, another for each row and stream. hash(i, stream) would not do: its streams differ by a constant. */
function random(stream: number): string {
  return `(hash(i * ${STREAMS} + ${stream}) >> 1)::bigint`;
}

function pick(values: readonly (string | null)[], stream: number): string {
  const items = values.map((value) => (value === null ? 'null' : literal(value)));
  return element(items, `1 + ${random(stream)} % ${items.length}`);
}

function element(items: readonly string[], position: string): string {
  return `[${items.join(', ')}][${position}]`;
}

/** A version 4 UUID; its first bit is set so that no digit is missing. */
function uuid(): string {
  const high = `to_hex((hash(i * ${STREAMS} + 6) & ${0xffffffffffff0fffn}) | ${0x8000000000004000n})`;
  const low = `to_hex((hash(i * ${STREAMS} + 7) & ${0x3fffffffffffffffn}) | ${0x8000000000000000n})`;
  return `(${high} || ${low})::uuid`;
}

/** JSON as text, put together by hand: its numbers and spaces stay as written here. */
function properties(): string {
  const title = pick(
    TEXTS.map((text) => JSON.stringify(text)),
    8,
  );
  const head = `'{"path": "', ${pick(PATHS, 9)}, '", "title": ', ${title}, ', "price": ', ${pick(PRICES, 10)}`;
  const tail = `', "tags": ["a,b", ""], "device": {"os": null, "width": ', 320 + ${random(11)} % 1600, '}}'`;
  return `case when ${random(12)} % 32 = 0 then '{}' else concat(${head}, ${tail}) end`;
}

/** Whole cents but for a few; from 0.0000 to 999.9900. */
function amount(): string {
  const cents = `cast(${random(13)} % 100000 as decimal(14,0)) * cast(0.01 as decimal(4,4))`;
  const special = ['12345678901234.5678', '1.10', '1.10', '0.0001', '0'].map(
    (text, at) => `when ${at} then ${text}::decimal(18,4)`,
  );
  return `(case ${random(14)} % 50 ${special.join(' ')} else ${cents} end)`;
}
