import { literal } from '../column/sql.ts';
import { element, instant, pick, pickJson, random, TEXTS, uuid } from './demo-draw.ts';
import { type DemoSlice, type DemoSpan, daysBefore, daysFrom } from './demo-slice.ts';

const DAYS = 90;
const FIXED_START = '2026-01-01T00:00:00.000Z';

/** Half the rows in a span that never moves, the same bytes on every machine; the rest right before `now`. */
export function eventSlices(rows: number, now: string): readonly DemoSlice[] {
  const fixed = Math.ceil(rows / 2);
  return [
    slice('events-fixed.parquet', daysFrom(FIXED_START, DAYS), [0, fixed]),
    slice('events-recent.parquet', daysBefore(now, DAYS), [fixed, rows]),
  ];
}

type RowRange = readonly [first: number, end: number];

/** Rows of their own, spread evenly over the span. */
function slice(file: string, span: DemoSpan, [first, last]: RowRange): DemoSlice {
  const startMs = Date.parse(span.start);
  const stepMicros = Math.floor(((Date.parse(span.end) - startMs) * 1000) / Math.max(1, last - first));
  // In digits: a number could not hold it exactly after the year 2255.
  const micros = `${startMs}000 + (i - ${first}) * ${stepMicros} + ${random(0)} % ${stepMicros}`;
  return { file, span, sql: eventsSql(micros, [first, last]) };
}

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

/** Users and companies belong to one tenant each. */
function eventsSql(micros: string, [first, last]: RowRange): string {
  return `select
  ${uuid([6, 7])} as event_id,
  ${element(TENANTS.map(literal), 'tenant_number')} as tenant,
  case when user_number % 5000 = 1 then ${MAX_INT64} - 2 * tenant_number when user_number % 50 = 0 then ${BEYOND_FLOAT} + 2 * user_number else user_number end as user_id,
  case when company_number % 20 = 7 then ${BEYOND_FLOAT} + 2 * company_number else company_number end as company_id,
  event_type,
  ${instant('micros')} as occurred_at,
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

/** JSON as text, put together by hand: its numbers and spaces stay as written here. */
function properties(): string {
  const title = pickJson(TEXTS, 8);
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
