import { literal } from '../column/sql.ts';
import { element, instant, pick, pickJson, random, TEXTS } from './demo-draw.ts';
import { type DemoSlice, type DemoSpan, daysBefore } from './demo-slice.ts';
import { APPS, FEATURES, lookupSlices, TRACKED } from './demo-userpilot-lookups.ts';

const DAYS = 90;
const EVENTS = 12_000;
/** A row of another dialect has other random numbers. */
const FIRST = 4_000_000_000;

/** Events of the 90 days before `now`, and what the lookups tell. */
export function userpilotSlices(now: string): readonly DemoSlice[] {
  const span = daysBefore(now, DAYS);
  return [{ file: 'userpilot.events.parquet', span, sql: eventsSql(span) }, ...lookupSlices(now)];
}

const EVENT_TYPES = [
  ...['page_view', 'page_view', 'page_view', 'page_view', 'track', 'track', 'track_feature', 'track_feature'],
  ...['interaction', 'interaction', 'session_start', 'identify_user', 'identify_company'],
];
const SOURCES = [
  ...['web-client', 'web-client', 'web-client', 'web-client'],
  ...['backend-http', 'backend-hubspot', 'backend-salesforce', 'backend-segment'],
];
const INTERACTIONS = [
  ...['checklist:2:SEEN', 'checklist:2:COMPLETED', 'experience:448:SEEN', 'experience:448:DISMISSED'],
  ...['survey:7:SUBMITTED', 'banner:3:CLICKED', 'spotlight:5:SEEN'],
];
/** By the user's number from 2; the others are `user-1` and so on. */
const ODD_USERS = [
  'user,2',
  'user "3"',
  '=user4',
  "o'neil@example.com",
  'ユーザー',
  'مستخدم',
  '👩‍👩‍👧‍👦',
  '00123',
  'two\nlines',
];
const PATHS = ['/', '/pricing', '/docs?page=1&sort=asc', '/blog/größe', '/search?q=%22a%2Cb%22'];
const LANGUAGES = ['en-US', 'de-DE', 'ja-JP', 'ar', '', null];
const COUNTRIES = ['US', 'DE', 'JP', 'EG', 'IL', 'BR', null];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) "quoted", and more',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)',
];

/** The first user and company have a twentieth of the rows, so that a filter on them finds some of each kind. */
const USERS = 300;
const COMPANIES = 40;

function eventsSql(span: DemoSpan): string {
  const start = Date.parse(span.start);
  const stepMicros = Math.floor(((Date.parse(span.end) - start) * 1000) / EVENTS);
  return `select app_token, event_type, event_name, user_id, company_id, source, inserted_at, ${eventId()} as internal_event_id,
  ${webColumns()},
  ${metadata()}::json as metadata,
  ${segments()} as segment_ids
from (
  select *, ${eventName()} as event_name,
    ${userId()} as user_id,
    case when event_type = 'session_start' or user_number % 10 = 9 then null when user_number % 10 = 8 then '' else 'company-' || company_number end as company_id
  from (
    select *, 1 + (user_number - 1) % ${COMPANIES} as company_number
    from (
      select i, ${element(APPS.map(literal), `1 + (i % ${APPS.length})`)} as app_token, ${pick(EVENT_TYPES, 1)} as event_type, ${pick(SOURCES, 2)} as source,
        ${instant(`${start}000 + (i - ${FIRST}) * ${stepMicros} + ${random(0)} % ${stepMicros}`)} as inserted_at,
        case when ${random(3)} % 20 = 0 then 1 else 1 + ${random(4)} % ${USERS} end as user_number
      from range(${FIRST}, ${FIRST + EVENTS}) as numbers(i)
    )
  )
)`;
}

function eventName(): string {
  const tags = FEATURES.map(({ key }) => key);
  const names = TRACKED.map(({ key }) => key);
  return `case event_type when 'interaction' then ${pick(INTERACTIONS, 5)} when 'track' then ${pick(names, 5)} when 'track_feature' then ${pick(tags, 5)} else '' end`;
}

/** A company that is told of by a backend has no user. */
function userId(): string {
  const odd = element(ODD_USERS.map(literal), 'user_number - 1');
  return `case when event_type = 'identify_company' and source <> 'web-client' then null when user_number between 2 and ${ODD_USERS.length + 1} then ${odd} else 'user-' || user_number end`;
}

/** The engine's own hash of the fields the vendor hashes, not the vendor's xxHash64, whose separator nobody tells. */
function eventId(): string {
  const fields = ['app_token', 'event_type', 'event_name', "coalesce(user_id, '')", "coalesce(company_id, '')"];
  return `hash(concat_ws('|', ${fields.join(', ')}, epoch_us(inserted_at)))::varchar`;
}

/** What a browser tells, and no backend. */
function webColumns(): string {
  const columns: Readonly<Record<string, string>> = {
    hostname: pick(['app.example.com', 'www.example.com'], 6),
    pathname: pick(PATHS, 7),
    screen_width: `(320 + ${random(8)} % 2240)::integer`,
    screen_height: `(480 + ${random(8)} % 960)::integer`,
    device_type: pick(['desktop', 'desktop', 'mobile', 'tablet'], 9),
    user_agent: pick(AGENTS, 10),
    operating_system: pick(['Linux', 'macOS', 'Windows', 'iOS', null], 11),
    browser: pick(['Firefox', 'Chrome', 'Safari', ''], 12),
    browser_language: pick(LANGUAGES, 13),
    session: `(1 + ${random(14)} % 50)::varchar`,
    country_code: pick(COUNTRIES, 15),
  };
  return Object.entries(columns)
    .map(([name, value]) => `case source when 'web-client' then ${value} end as ${name}`)
    .join(',\n  ');
}

/** By event type: what was told of a user or company, of the thing used, or of the page. */
function metadata(): string {
  const text = pickJson(TEXTS, 6);
  const number = pick(['1.10', '19.90', '0', '-2.5', '12345678901234.5678', '9007199254740993'], 7);
  const date = `strftime(inserted_at::timestamp, '%Y-%m-%dT%H:%M:%SZ')`;
  const [tag, status] = [`split_part(event_name, ':', 2)`, `split_part(event_name, ':', 3)`];
  const kind = `split_part(event_name, ':', 1)`;
  return `case event_type
    when 'identify_user' then concat('{"name":', ${text}, ',"plan":"', ${pick(['free', 'growth'], 8)}, '","score":', ${number}, ',"created_at":"', ${date}, '","email":null}')
    when 'identify_company' then concat('{"name":', ${text}, ',"industry":"', ${pick(
      ['retail', 'R&D, "labs"'].map((each) => JSON.stringify(each).slice(1, -1)),
      8,
    )}, '","revenue":', ${number}, ',"created_at":"', ${date}, '"}')
    when 'interaction' then concat('{"entity_type":"', ${kind}, '","entity_id":', ${tag}, ',"status":"', ${status}, '","step":', 1 + ${random(8)} % 4, '}')
    when 'track' then concat('{"price":', ${number}, ',"comment":', ${text}, ',"tags":["a,b",""]}')
    when 'track_feature' then concat('{"feature_id":"', event_name, '","title":', ${text}, '}')
    when 'page_view' then concat('{"title":', ${text}, ',"referrer":null}')
    else case when ${random(8)} % 2 = 0 then '{}' end
  end`;
}

/** Every third user is in segment 1, the first among them; some are in none, and of some it is not known. */
function segments(): string {
  const other = '2 + user_number % 7';
  return `case when user_id is null then null when user_number % 10 = 5 then []::bigint[] when user_number % 3 = 1 then [1, ${other}]::bigint[] else [${other}]::bigint[] end`;
}
