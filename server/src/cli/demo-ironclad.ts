import { literal } from '../column/sql.ts';
import { element, instant, pick, pickJson, random, TEXTS } from './demo-draw.ts';
import { contractSlices, TITLES, versionId } from './demo-ironclad-contracts.ts';
import { type DemoSlice, type DemoSpan, daysBefore } from './demo-slice.ts';

const DAY_MS = 86_400_000;
const FIXED: DemoSpan = { start: '2022-09-01T00:00:00.000Z', end: '2022-12-01T00:00:00.000Z' };
/** The day of the vendor's sample. */
const SAMPLE_DAY = Date.parse('2022-10-06T00:00:00.000Z');
const DAYS = 90;
/** Of a site, in each span. Each gives a row for each contract that was accepted together. */
const ACCEPTANCES = 250;
const SITES = 2;
const CONTRACTS = 3;
/** Acceptances of a visit. */
const PER_SESSION = 4;
/** A row of another dialect or span has other random numbers. */
const FIRST = { sample: 5_000_000_000, fixed: 5_100_000_000, recent: 5_200_000_000 };

/** Activities of the autumn of 2022 and of the days before `now`, the contracts they are about, and the sites. */
export function ironcladSlices(now: string): readonly DemoSlice[] {
  const recent = daysBefore(now, DAYS);
  const fixed = `select * from (${activitiesSql(samplePlaces())}) union all select * from (${activitiesSql(places(FIXED, FIRST.fixed))})`;
  return [
    {
      file: 'ironclad.activities-fixed.parquet',
      span: FIXED,
      sql: `select * from (${fixed}) order by created_time, id`,
    },
    { file: 'ironclad.activities-recent.parquet', span: recent, sql: activitiesSql(places(recent, FIRST.recent)) },
    ...contractSlices(SITES),
  ];
}

/** Contract, version and moment of the sample's day, as they are on both sites; the last moment is of the next day. */
function samplePlaces(): string {
  const ofDay = [1, 2, 3, 4].flatMap((version) => [0, 43_200_000 + version, DAY_MS - 1].map((ms) => [1, version, ms]));
  const others = [
    [1, 2, DAY_MS],
    [1, 3, -1],
    [2, 2, 0],
    [2, 3, 43_200_000],
    [3, 1, DAY_MS - 1],
  ];
  const rows = [...ofDay, ...others].flatMap(([contract = 1, version = 1, ms = 0], at) =>
    Array.from({ length: SITES }, (_, site) => {
      const i = FIRST.sample + at * SITES + site;
      return `(${[i, site + 1, contract, version, `${SAMPLE_DAY + ms}`, `${SAMPLE_DAY + ms}`, at].join('::bigint, ')}::bigint)`;
    }),
  );
  return `select * from (values ${rows.join(', ')}) as sample(i, site, contract, version_number, ms, batch_ms, visit)`;
}

/** Acceptances evenly over a span, each with a row for each contract, a few milliseconds apart. */
function places(span: DemoSpan, first: number): string {
  const start = Date.parse(span.start);
  const step = Math.floor((Date.parse(span.end) - start) / ACCEPTANCES);
  const acceptance = `(n // ${SITES * CONTRACTS})`;
  const drawn = `(${first} + ${acceptance})`;
  return `select i, site, contract, version_number, batch_ms + contract as ms, batch_ms, ${first} + ${acceptance} // ${PER_SESSION} as visit
from (
  select n, ${first} + n as i, 1 + n % ${SITES} as site, 1 + n // ${SITES} % ${CONTRACTS} as contract,
    1 + ${random(1, drawn)} % 4 as version_number, ${start} + ${acceptance} * ${step} + ${random(0, drawn)} % (${step} - 10) as batch_ms
  from range(0, ${ACCEPTANCES * SITES * CONTRACTS}) as numbers(n)
)`;
}

const EVENT_TYPES = ['agreed', 'agreed', 'agreed', 'displayed', 'disagreed', 'visited', 'updated', 'sent', 'reminded'];
const METHODS = ['click_to_accept', 'clickthrough', 'manual_acceptance', 'esignature', null];
const SIGNERS = [
  ...['ada@example.com', 'grace@example.com', "o'neil@example.com", 'Zoë "Z" Müller', 'a,b', '=cmd()', '+49 30 12345'],
  ...['Ελένη Παππά', 'Наталья Иванова', 'מרים כהן', 'سارة الخطيب', '山田太郎', '김민준', '👩‍👩‍👧‍👦', ''],
];

function hex24(streams: readonly [number, number]): string {
  const [high, low] = streams.map((stream) => `printf('%016x', ${random(stream)})`);
  return `left(${high} || ${low}, 24)`;
}

function activitiesSql(from: string): string {
  return `select ${hex24([2, 3])} as id, ${hex24([4, 5])} as uuid, ${pick(EVENT_TYPES, 6)} as event_type, ${pick(SIGNERS, 7, 'visit')} as signer_id,
  contract, ${element(TITLES.map(literal), 'contract')} as contract_title, ${versionId()} as version, version_number,
  case when contract < 3 then 10 + contract end as "group", case when contract < 3 then 'signup-' || contract end as group_key,
  batch_ms::text as batch, left(md5('session ' || site || ' ' || visit), 24) as session, site, 900 + site as account,
  ${instant('ms * 1000')} as created_time, ${instant(`(ms - ${random(8)} % 5000) * 1000`)} as event_time,
  ${pick(METHODS, 9)} as execution_method,
  ${connection()} as connection_data, ${custom()} as custom_data, ${rendered()} as render_data
from (${from})`;
}

/** SQL of a JSON object of the members that are not NULL. */
function json(members: readonly string[]): string {
  return `('{' || array_to_string(list_filter([${members.join(', ')}], lambda member: member is not null), ',') || '}')::json`;
}

/** SQL of a member whose value is one of the JSON texts; null leaves it out. */
function member(name: string, values: readonly (string | null)[], stream: number): string {
  const drawn = pick(values, stream);
  return `${literal(`${JSON.stringify(name)}:`)} || ${drawn}`;
}

const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) "quoted", and more',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)',
];
const quoted = (values: readonly string[]) => values.map((value) => JSON.stringify(value));

function connection(): string {
  const whole = json([
    member('page_title', quoted(['Checkout', 'Kasse, Schritt 2', '購入手続き', 'الدفع']), 10),
    member('page_url', quoted(['https://shop.example/checkout?plan=gold', 'https://shop.example/größe?x="1"']), 11),
    member('page_domain', quoted(['shop.example']), 11),
    member('page_path', quoted(['/checkout', '/größe']), 11),
    member('page_query', quoted(['plan=gold', 'x="1"']), 11),
    member('hostname', quoted(['shop.example']), 11),
    member('referrer', ['"https://search.example/"', '""', null], 12),
    member('browser_timezone', quoted(['Europe/Berlin', 'Asia/Tokyo', 'America/New_York', 'Asia/Kolkata']), 13),
    member('browser_locale', quoted(['de-DE', 'ja-JP', 'en-US', 'hi-IN']), 13),
    member('user_agent', quoted(AGENTS), 14),
    `'"device_fingerprint":"' || ${hex24([14, 13])} || '"'`,
    member('operating_system', quoted(['Linux', 'iOS']), 14),
    member('environment', quoted(['desktop', 'mobile', 'tablet']), 15),
    member('screen_color_depth', ['24', '30'], 15),
    member('screen_resolution', quoted(['1920x1080', '390x844']), 14),
    member('cookies', ['true', 'false'], 12),
    `'"remote_address":"203.0.113.' || ${random(15)} % 256 || '"'`,
  ]);
  return `case when ${random(10)} % 29 > 0 then ${whole} end`;
}

/** Values of every JSON type. */
function custom(): string {
  const whole = json([
    member('first_name', quoted(['Ada', 'Ελένη', 'Наталья', 'מרים', 'سارة', '太郎', '민준']), 1),
    member('vip', ['true', 'false', null], 2),
    member('score', ['1.10', '-0.5', '12345678901234.5678', '7', null], 3),
    member('address', ['{"city":"Zürich","zip":8001}', '{"city":"大阪"}', null], 4),
    member('tags', ['["a","b, c"]', '[]', null], 5),
    member('referred_by', ['null', null], 6),
    `'"company_name":' || ${pickJson(TEXTS, 8)}`,
    member('employee "no.", id', ['"007"', null, null], 9),
  ]);
  return `case when ${random(11)} % 13 > 0 then ${whole} end`;
}

/** What the text of contract 2 was filled with. */
function rendered(): string {
  const whole = json([
    member('plan', quoted(['gold', 'silver', 'برونزي']), 12),
    `'"price":"' || ${random(13)} % 100 || '.50"'`,
  ]);
  return `case when contract = 2 then ${whole} end`;
}
