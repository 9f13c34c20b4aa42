import { literal } from '../column/sql.ts';
import { instant, pick, random, TEXTS } from './demo-draw.ts';
import type { DemoSlice } from './demo-slice.ts';

export const APPS = ['NX-DEMO0001', 'NX-DEMO0002'];
/** Of an app; more than two pages of 50, and not the same number in each. */
const SEGMENTS = [130, 121];
const PROPERTIES = [140, 123];
/** Rows of segments and properties have other random numbers than events. */
const FIRST = 5_000_000_000;

type Value = string | number | boolean;
type Row = Readonly<Record<string, Value>>;

interface Keyed {
  readonly display_name: string;
  readonly key: string;
  readonly data_type: string;
}

/** What events of type `track` are named by, and those of type `track_feature`. */
export const TRACKED: readonly Keyed[] = [
  ...['Invoice paid', 'Report, exported', 'said "done"', '=SUM(A1:A9)', 'launch 🚀', '日本語の名前', 'اسم الحدث'].map(
    event,
  ),
];
export const FEATURES: readonly Keyed[] = [
  feature('12', 'Save button'),
  feature('13', 'Menu, "File"'),
  feature('27', 'Größe ändern'),
];

function event(key: string): Keyed {
  return { display_name: key, key, data_type: 'track' };
}

function feature(key: string, display_name: string): Keyed {
  return { display_name, key, data_type: 'feature_tag' };
}

/** Rows of the first app, and one that only the second has. */
type Lookup = readonly [rows: readonly Row[], other: Row];

const LOOKUPS: Readonly<Record<string, Lookup>> = {
  user_properties: [
    [
      property([1, 'user_property', 'email', 'E-mail', 'string', true]),
      property([2, 'user_property', 'plan', 'Plan, "billing"', 'string', false]),
      property([3, 'user_property', 'score', 'Score', 'numeric', false]),
      property([4, 'user_property', 'created_at', 'Signed up', 'date', true]),
    ],
    property([9, 'user_property', 'rôle', 'Rôle\nin the team', 'string', false]),
  ],
  company_properties: [
    [
      property([1, 'company_property', 'industry', 'Industry', 'string', false]),
      property([2, 'company_property', 'revenue', 'Revenue, yearly', 'numeric', false]),
      property([3, 'company_property', 'created_at', 'Founded', 'date', true]),
    ],
    property([9, 'company_property', '会社名', '会社名', 'string', true]),
  ],
  features_events: [[...FEATURES, ...TRACKED].map((each) => ({ ...each })), { ...event('only there') }],
  resource_center_modules: [
    [
      { display_name: 'Help, first', key: 'module-1', data_type: 'resource_center_module' },
      { display_name: 'אחרי כן', key: 'module-2', data_type: 'resource_center_module' },
    ],
    { display_name: 'News', key: 'module-9', data_type: 'resource_center_module' },
  ],
  checklists: [
    [
      { display_name: 'Get started', key: '2', data_type: 'checklist' },
      { display_name: 'Invite "everyone"', key: '4', data_type: 'checklist' },
    ],
    { display_name: 'Leave', key: '9', data_type: 'checklist' },
  ],
};

const CONTENTS: Readonly<Record<string, Lookup>> = {
  flows: [[titled(448, 'Welcome, stranger'), titled(449, '=flow')], titled(909, 'Second welcome')],
  banners: [[titled(3, 'Sale "today"'), titled(4, 'バナー')], titled(909, 'Second banner')],
  spotlights: [[titled(5, 'Look\nhere'), titled(6, 'New ✨')], titled(909, 'Second spotlight')],
  embeds: [
    [
      { ...titled(1, 'Top of the page'), type: 'banner' },
      { ...titled(2, 'Tips, daily'), type: 'card' },
    ],
    { ...titled(909, 'Second embed'), type: 'card' },
  ],
  surveys: [
    [survey(7, 'How likely, 0 to 10?', ['nps', 'open_text']), survey(8, 'Why "this" plan?', ['single_choice'])],
    survey(909, 'Second survey', []),
  ],
};

type PropertyFields = readonly [id: number, type: string, key: string, name: string, dataType: string, isAuto: boolean];

function property([id, type, key, display_name, data_type, is_auto_property]: PropertyFields): Row {
  return { id, type, key, display_name, data_type, is_auto_property };
}

function titled(id: number, title: string): Row {
  return { id, title };
}

function survey(id: number, title: string, types: readonly string[]): Row {
  const modules = types.map((type, at) => ({ id: id * 10 + at, order: at, type, question: `${title} (${at + 1})` }));
  return { ...titled(id, title), platform: 'web', modules: JSON.stringify(modules) };
}

/** A file for each lookup. Ids repeat from app to app. */
export function lookupSlices(now: string): readonly DemoSlice[] {
  const small = Object.entries({ ...LOOKUPS, ...CONTENTS }).map(([name, lookup]) =>
    lookupSlice(name, valuesSql(lookup)),
  );
  return [
    ...small,
    lookupSlice('segments', segmentsSql()),
    lookupSlice('events_properties', eventsPropertiesSql(Date.parse(now))),
  ];
}

function lookupSlice(name: string, sql: string): DemoSlice {
  return { file: `userpilot.${name}.parquet`, span: null, sql };
}

/** The second app has all rows of the first, called otherwise, and one of its own. */
function valuesSql([rows, other]: Lookup): string {
  const [first, second] = APPS;
  const theirs = [...rows.map(renamed), other];
  const tuples = [...rows.map((row) => tuple(first, row)), ...theirs.map((row) => tuple(second, row))];
  const names = Object.keys(other);
  const items = names.map(
    (name) => `${name}${name === 'id' ? '::bigint' : name === 'modules' ? '::json' : ''} as ${name}`,
  );
  return `select app_token, ${items.join(', ')} from (values ${tuples.join(', ')}) as lookup(app_token, ${names.join(', ')})`;
}

function renamed(row: Row): Row {
  const name = 'title' in row ? 'title' : 'display_name';
  return { ...row, [name]: `${row[name]} (2)` };
}

function tuple(app: string | undefined, row: Row): string {
  return `(${[app ?? '', ...Object.values(row)].map((value) => (typeof value === 'string' ? literal(value) : String(value))).join(', ')})`;
}

/** SQL of the rows of both apps: its number from 1 as `id`, and `i`. */
function numbered([first, second]: readonly number[], start: number): string {
  const [mine, theirs] = APPS.map(literal);
  return `(
  select ${mine} as app_token, n + 1 as id, ${start} + n as i from range(0, ${first}) as numbers(n)
  union all
  select ${theirs} as app_token, n + 1 as id, ${start} + 1000 + n as i from range(0, ${second}) as numbers(n)
)`;
}

function segmentsSql(): string {
  return `select app_token, id, ${pick(['Engaged', 'Trial', 'At risk', ...TEXTS], 1)} || ' ' || id as title, ${random(2)} % 5000 as usage,
  ${pick(['custom', 'default', '', null], 3)} as category, ${random(4)} % 8 = 0 as is_hidden, ${random(5)} % 8 = 0 as is_protected,
  ${pick(['active', 'active', 'draft', 'archived'], 6)} as status
from ${numbered(SEGMENTS, FIRST)}`;
}

function eventsPropertiesSql(nowMs: number): string {
  const ago = (stream: number, least: number) =>
    instant(`${nowMs}000 - ${least} * 86400000000 - ${random(stream)} % 3456000000000`);
  const events = TRACKED.map(({ display_name }, at) => JSON.stringify({ id: at + 1, display_name }));
  return `select app_token, id, 'property_' || id as key, ${pick(['Price', 'Amount', ...TEXTS], 1)} || ' ' || id as display_name,
  ${random(2)} % 4 = 0 as is_auto_property, ${random(3)} % 16 = 0 as is_mobile_auto_property, ${pick(['string', 'numeric', 'date'], 4)} as data_type,
  ${pick(['custom', 'auto', '', null], 5)} as category, ${pick([null, null, '', ...TEXTS], 6)} as description, ${random(7)} % 16 = 0 as is_archived,
  ${pick(events, 8)}::json as event, ${ago(9, 60)} as inserted_at, ${ago(10, 1)} as last_seen
from ${numbered(PROPERTIES, FIRST + 10_000)}`;
}
