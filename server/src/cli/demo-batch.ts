import { literal } from '../column/sql.ts';
import { element, instant, pick, random, uuid } from './demo-draw.ts';
import { type DemoSlice, type DemoSpan, daysBefore } from './demo-slice.ts';

const APPS = ['BATCHDEMO', 'DEVBATCHDEMO', 'BATCHDEMO2'];
const DAYS = 90;
/** A day before all that may be exported. */
const OLD_DAYS = 91;
/** Each of an app. */
const EVENTS = 1200;
const REACHABILITY_EVENTS = 600;
const INSTALLS = 400;

/** What the rows of `now` and the 90 days before it are, with one older row per dated kind and app. */
export function batchSlices(now: string): readonly DemoSlice[] {
  const { start, end } = daysBefore(now, OLD_DAYS);
  const dated = { start, end };
  const slice = (kind: string, span: DemoSpan | null, sql: string) => ({ file: `batch.${kind}.parquet`, span, sql });
  return [
    slice('push', dated, pushSql(now)),
    slice('transactional', dated, transactionalSql(now)),
    slice('inapp', dated, inappSql(now)),
    slice('reachability', dated, reachabilitySql(now)),
    slice('installs', null, installsSql(now)),
    slice('targets', null, targetsSql()),
  ];
}

const TARGETS = {
  push: ['demo-campaign', 'demo-campaign-2'],
  transactional: ['demo-group', 'demo-group-2'],
  inapp: ['demo-inapp', 'demo-inapp-2'],
} as const;

function targetsSql(): string {
  const rows = APPS.flatMap((app) =>
    Object.entries(TARGETS).flatMap(([kind, tokens]) =>
      tokens.map((token) => `(${[app, kind, token].map(literal).join(', ')})`),
    ),
  );
  return `select * from (values ${rows.join(', ')}) as targets(app, kind, token)`;
}

/** A row of another dialect or kind has other random numbers. */
const FIRST = { push: 3_000_000_000, transactional: 3_100_000_000, inapp: 3_200_000_000, reachability: 3_300_000_000 };
const INSTALL_FIRST = 3_400_000_000;

/**
 * Rows of all apps in turn, each app's evenly over the days. The first of each app is older than them;
 * one of twenty repeats the row before it in all but its own id.
 */
function eventRows(first: number, now: string): string {
  return `(
  select *, app_number * 100000 + ${random(1)} % ${INSTALLS} + ${INSTALL_FIRST} as install, ${seconds(EVENTS, now)} as seconds
  from (
    select *, ${first} + place * ${APPS.length} + app_number as i
    from (
      select ${first} + n as row_number, n % ${APPS.length} as app_number, n // ${APPS.length} - (n // ${APPS.length} % 20 = 5)::bigint as place
      from range(0, ${EVENTS * APPS.length}) as numbers(n)
    )
  )
)`;
}

/** SQL of the second since 1970 of an app's row by its place among `count`; whole, as the vendor writes them. */
function seconds(count: number, now: string): string {
  const end = Math.floor(Date.parse(now) / 1000);
  const start = end - DAYS * 86_400;
  const step = Math.floor((end - start) / count);
  return `case place when 0 then ${end - OLD_DAYS * 86_400} else ${start} + place * ${step} + ${random(0)} % ${step} end`;
}

const APP = element(APPS.map(literal), '1 + app_number');
const EVENT_ID = `to_hex(hash(row_number))`;
/** Most with an id like this one, others with what customers call people. */
const CUSTOM_IDS = [
  ...[
    'semi;colon',
    'a "quoted" name',
    'two\nlines',
    '=cmd()',
    "o'neil@example.com",
    'ユーザー',
    'مستخدم',
    '👩‍👩‍👧‍👦',
    '007',
  ],
];

/** What an install is called, the same in every kind. */
const INSTALL_COLUMNS = `${uuid([2, 3], 'install')}::text as install_id, ${customId()} as custom_id, ${advertisingId()} as advertising_id`;

function customId(): string {
  const awkward = `${pick(CUSTOM_IDS, 4, 'install')} || ' ' || ${ownNumber()}`;
  return `case when ${random(5, 'install')} % 5 = 0 then null when ${random(5, 'install')} % 11 = 0 then '' when ${random(5, 'install')} % 4 = 0 then ${awkward} else ${plainCustomId()} end`;
}

function plainCustomId(): string {
  return `'customer-' || ${ownNumber()}`;
}

function ownNumber(): string {
  return `(install - ${INSTALL_FIRST})`;
}

function advertisingId(): string {
  const drawn = `upper(${uuid([6, 7], 'install')}::text)`;
  return `case when ${random(8, 'install')} % 3 = 0 then null when ${random(8, 'install')} % 11 = 0 then '' else ${drawn} end`;
}

const EVENT_DATE = `${instant('seconds * 1000000')} as event_date`;
const PUSH_TYPES = ['push_sent', 'push_sent', 'push_sent', 'push_sent', 'push_opened', 'push_opened', 'push_error'];

/** SQL: most rows are of the first token, and so are all old ones. */
function token([main, other]: readonly [string, string]): string {
  return `case when place > 0 and ${random(9)} % 4 = 0 then ${literal(other)} else ${literal(main)} end`;
}

function pushSql(now: string): string {
  return `select ${APP} as app, ${EVENT_ID} as event_id, ${token(TARGETS.push)} as campaign, ${INSTALL_COLUMNS}, ${EVENT_DATE},
  ${pick(PUSH_TYPES, 10)} as event_type
from ${eventRows(FIRST.push, now)}`;
}

/** Tokens have 27 to 29 digits, as the vendor's samples. */
function transactionalSql(now: string): string {
  const digits = (stream: number) => `printf('%016x', ${random(stream, 'row_number')})`;
  const drawn = `left(${digits(11)} || ${digits(12)}, 27 + (${random(13)} % 3)::integer)`;
  return `select ${APP} as app, ${EVENT_ID} as event_id, ${token(TARGETS.transactional)} as group_id, ${INSTALL_COLUMNS}, ${EVENT_DATE},
  ${pick(PUSH_TYPES, 10)} as event_type, ${drawn} as transactional_token
from ${eventRows(FIRST.transactional, now)}`;
}

const INAPP_TYPES = ['inapp_shown', 'inapp_shown', 'inapp_shown', 'inapp_clicked', 'inapp_clicked', 'inapp_closed'];
const CTAS = ['batch.CustomAction', 'batch.dismiss', 'batch.deeplink'];

/** What was tapped is known of clicks alone. */
function inappSql(now: string): string {
  return `select app, event_id, campaign, install_id, custom_id, advertising_id, event_date, event_type,
  case event_type when 'inapp_clicked' then drawn_cta end as cta,
  case event_type when 'inapp_clicked' then drawn_position end as cta_position
from (
  select ${APP} as app, ${EVENT_ID} as event_id, ${token(TARGETS.inapp)} as campaign, ${INSTALL_COLUMNS}, ${EVENT_DATE},
    ${pick(INAPP_TYPES, 10)} as event_type, ${pick(CTAS, 11)} as drawn_cta, (${random(12)} % 2)::integer as drawn_position
  from ${eventRows(FIRST.inapp, now)}
)`;
}

/** Installs whose reachability changes, each of an app and each every so often. */
const CHANGING = 100;

/** Each row of an install changes one of its three flags, in turn; before the first all are false. */
function reachabilitySql(now: string): string {
  const flag = (turn: number) => `(change + ${3 - turn}) // 3 % 2 = 1`;
  return `select app, event_id, install_id, case when has_custom_id then coalesce(nullif(custom_id, ''), ${plainCustomId()}) end as custom_id,
  advertising_id, event_date, event_type, is_reachable, is_optin, has_custom_id
from (
  select install, ${APP} as app, ${EVENT_ID} as event_id, ${INSTALL_COLUMNS}, ${EVENT_DATE}, 'reachability' as event_type,
    ${flag(0)} as is_reachable, ${flag(1)} as is_optin, ${flag(2)} as has_custom_id
  from (
    select *, app_number * 100000 + place % ${CHANGING} + ${INSTALL_FIRST} as install, place // ${CHANGING} as change, ${seconds(REACHABILITY_EVENTS, now)} as seconds
    from (
      select i, i as row_number, (i - ${FIRST.reachability}) % ${APPS.length} as app_number, (i - ${FIRST.reachability}) // ${APPS.length} as place
      from range(${FIRST.reachability}, ${FIRST.reachability + REACHABILITY_EVENTS * APPS.length}) as numbers(i)
    )
  )
)`;
}

const SMART_SEGMENTS = ['New', 'Engaged', 'Engaged', 'Dormant', 'One-time', 'Imported', null];

/** Installed within two years before `now`, and last started between that and `now`. */
function installsSql(now: string): string {
  const end = Math.floor(Date.parse(now) / 1000);
  return `select ${APP} as app, ${INSTALL_COLUMNS}, ${random(9, 'install')} % 3 > 0 as is_optin_push,
  ${instant(`(${end} - age) * 1000000`)} as install_date, ${instant(`(${end} - ${random(10, 'install')} % age) * 1000000`)} as last_start_date,
  ${pick(SMART_SEGMENTS, 11, 'install')} as smart_segment
from (
  select *, 3600 + ${random(12, 'install')} % 63072000 as age
  from (
    select n % ${APPS.length} as app_number, n % ${APPS.length} * 100000 + n // ${APPS.length} + ${INSTALL_FIRST} as install
    from range(0, ${INSTALLS * APPS.length}) as numbers(n)
  )
)`;
}
