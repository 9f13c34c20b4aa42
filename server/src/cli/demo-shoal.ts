import { literal } from '../column/sql.ts';
import { element, instant, pick, pickJson, random, TEXTS } from './demo-draw.ts';
import { type DemoSlice, type DemoSpan, daysBefore } from './demo-slice.ts';

/** Its end is the moment of the last row, which is no longer within. */
const FIXED: DemoSpan = { start: '2026-04-01T00:00:00.000Z', end: '2026-04-10T00:00:00.000Z' };
const FIXED_ROWS = 900;
const RECENT_ROWS = 2700;
const DAYS = 90;

/** Events of a span that never moves and of the days before `now`; each for its organizations once more. */
export function shoalSlices(now: string): readonly DemoSlice[] {
  const fixed = eventsSql(FIXED, [0, FIXED_ROWS]);
  const recentSpan = daysBefore(now, DAYS);
  const recent = eventsSql(recentSpan, [FIXED_ROWS, FIXED_ROWS + RECENT_ROWS]);
  const columns = COLUMNS.join(', ');
  const events = (sql: string) => `select ${columns} from (${sql})`;
  const timeline = (sql: string) =>
    `select ${columns}, unnest(list_concat(owner_ids, participant_ids)) as "organizationId" from (${sql})`;
  return [
    { file: 'shoal.events-fixed.parquet', span: FIXED, sql: events(fixed) },
    { file: 'shoal.events-recent.parquet', span: recentSpan, sql: events(recent) },
    { file: 'shoal.timeline-fixed.parquet', span: FIXED, sql: timeline(fixed) },
    { file: 'shoal.timeline-recent.parquet', span: recentSpan, sql: timeline(recent) },
    { file: 'shoal.organizations.parquet', span: null, sql: organizationsSql() },
  ];
}

const COLUMNS = [
  ...['id', 'surface', 'title', '"eventCategory"', '"eventSubcategory"', 'summary', 'bullets', 'owners'],
  ...['participants', '"latestEvidenceTimestamp"', 'significance', 'evidence'],
];

const CATEGORIES = [
  ...['partnership', 'regulation_legal', 'product_development', 'market_update', 'security_incident'],
  ...['funding', 'technology'],
];
const SUBCATEGORIES = ['acquisition', 'grants', 'acquisition', 'grants', null, null, ''];
const HEADLINES = ['Bridge paused', 'Mainnet upgrade scheduled', 'Series B closed', 'Audit published', 'Token listed'];
const SUMMARIES = [null, null, '', ...HEADLINES, ...TEXTS];

interface Organization {
  readonly label: string;
  readonly type: string;
  readonly aliases: readonly string[];
}

/** By their id from 1. */
const ORGANIZATIONS: readonly Organization[] = [
  { label: 'Harbour Labs', type: 'project', aliases: ['Harbour', 'HBR'] },
  { label: 'Acme, Inc.', type: 'company', aliases: ['Acme', 'ACME "the" Inc.'] },
  { label: 'The "Quoted" DAO', type: 'project', aliases: [] },
  { label: '=HYPERLINK("https://example.com")', type: 'project', aliases: ['=1+1'] },
  { label: '日本デジタル取引所', type: 'exchange', aliases: ['日本DX', 'にほん'] },
  { label: 'بنك الخليج الرقمي', type: 'company', aliases: ['Gulf Digital'] },
  { label: 'Line\nBreak Capital', type: 'fund', aliases: ['LBC'] },
  { label: 'Moon 🚀 Protocol', type: 'project', aliases: ['🚀'] },
  { label: "O'Shoal & Sons; Ltd", type: 'company', aliases: [''] },
  { label: 'Zürich Custody AG', type: 'company', aliases: ['Zu\u0308rich Custody'] },
  ...['Anchor', 'Beacon', 'Capstan', 'Driftnet', 'Estuary', 'Fathom', 'Gangway', 'Hawser', 'Inlet', 'Jetty'].map(
    (label) => ({ label: `${label} Network`, type: 'project', aliases: [label, label.slice(0, 3).toUpperCase()] }),
  ),
];

function organizationsSql(): string {
  const rows = ORGANIZATIONS.map(({ label, type, aliases }, at) => {
    const texts = [label, type, JSON.stringify(aliases)].map(literal);
    return `(${at + 1}::bigint, ${texts.join(', ')}::json)`;
  });
  return `select * from (values ${rows.join(', ')}) as organizations(id, label, type, aliases)`;
}

/** A row of another dialect or slice has other random numbers. */
const FIRST = 2_000_000_000;

type RowRange = readonly [first: number, end: number];

/** Ids are mixed among the moments, and unique as long as there are fewer rows than this prime. */
const IDS = 10_007;

/**
 * One of ten shares its moment with the row before. The second row is owned by 1 and 2, and in the third,
 * which 3 owns, 1 takes part.
 */
function eventsSql(span: DemoSpan, [first, last]: RowRange): string {
  return `select *,
  case when ${random(1)} % 5 < 2 then 'signal' else 'radar' end as surface,
  ${pick([...HEADLINES, ...TEXTS], 2)} as title,
  ${pick(CATEGORIES, 3)} as "eventCategory",
  ${pick(SUBCATEGORIES, 4)} as "eventSubcategory",
  ${pick(SUMMARIES, 5)} as summary,
  ${bullets()} as bullets,
  ${references('owner_ids')} as owners,
  ${references('participant_ids')} as participants,
  ${instant('ms * 1000')} as "latestEvidenceTimestamp",
  (101 + ${random(7)} % 1400)::double / 100 as significance,
  ${evidence()} as evidence
from (
  select *,
    case n when 1 then [1, 2]::bigint[] when 2 then [3]::bigint[] else [1 + (${random(8)} % 20 + k * stride) % 20 for k in range(0, owner_count)] end as owner_ids,
    case n when 1 then []::bigint[] when 2 then [1]::bigint[] else [1 + (${random(8)} % 20 + k * stride) % 20 for k in range(owner_count, owner_count + ${random(9)} % 4)] end as participant_ids
  from (
    select *, ${moment(span, [first, last])} as ms, 1 + (i - ${FIRST} + 1) * 7919 % ${IDS} as id,
      1 + (${random(10)} % 4 = 0)::bigint as owner_count,
      ${element(['1', '3', '7', '9', '11', '13'], `1 + ${random(11)} % 6`)}::bigint as stride
    from (
      select n, n + ${FIRST + first} as i, n - (n % 10 = 3)::bigint as place from range(0, ${last - first}) as numbers(n)
    )
  )
)`;
}

/** SQL of milliseconds since 1970, evenly over the span. In the fixed one the first row stands on the start and the last on the end. */
function moment(span: DemoSpan, [first, last]: RowRange): string {
  const [start, end] = [Date.parse(span.start), Date.parse(span.end)];
  const step = Math.floor((end - start) / (last - first));
  const drawn = `${start} + place * ${step} + ${random(0, `(${FIRST + first} + place)`)} % ${step}`;
  return span === FIXED
    ? `case place when 0 then ${start} when ${last - first - 1} then ${end} else ${drawn} end`
    : drawn;
}

function bullets(): string {
  const items = [12, 13, 14].map((stream) => pickJson(TEXTS, stream));
  return `('[' || array_to_string([${items.join(', ')}][1:${random(6)} % 4], ',') || ']')::json`;
}

function references(ids: string): string {
  const known = ORGANIZATIONS.map((organization, at) => literal(JSON.stringify({ id: at + 1, ...organization })));
  return `('[' || array_to_string([${element(known, 'k')} for k in ${ids}], ',') || ']')::json`;
}

/** Newest first; the newest gives the event its moment. */
function evidence(): string {
  const time = "strftime(make_timestamp((ms - k * 137001) * 1000), '%Y-%m-%dT%H:%M:%S.%g+00:00')";
  const content = pickJson(TEXTS, 15, '(i + k)');
  const item = `'{"id":' || (id * 10 + k) || ',"content":' || ${content} || ',"url":"https://social.example/posts/' || (id * 10 + k) || '","timestamp":"' || ${time} || '"}'`;
  return `('[' || array_to_string([${item} for k in range(0, 1 + ${random(0)} % 3)], ',') || ']')::json`;
}
