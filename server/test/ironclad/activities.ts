import { parseType } from '../../src/column/type-name.ts';
import type { Table } from '../arbitrary-table.ts';
import type { Value } from '../model.ts';

/** Name and type of the columns activities have. */
export const COLUMNS = Object.entries({
  id: 'text',
  uuid: 'text',
  event_type: 'text',
  signer_id: 'text',
  contract: 'int64',
  version: 'text',
  version_number: 'int64',
  group: 'int64',
  batch: 'text',
  session: 'text',
  site: 'int64',
  account: 'int64',
  created_time: 'instant(ms)',
  event_time: 'instant(ms)',
  execution_method: 'text',
  contract_title: 'text',
  group_key: 'text',
  custom_data: 'json',
  connection_data: 'json',
  render_data: 'json',
}).map(([name, type]) => ({ name, type }));

/** An activity as the API shows it: times as ISO text, data as structure. */
export type Activity = Readonly<Record<string, unknown>>;

const TITLES = ['Terms and Conditions', 'Privacy, Policy', 'Όροι χρήσης', 'תנאי שימוש', '利用規約', 'Seller\'s "NDA"'];
const SIGNERS = ['ada@example.com', 'Ada@example.com', 'łukasz@example.pl', 'ürün@example.tr', 'signer 7', '7', ''];
const FIRST_NAMES = ['Ada', 'Βασίλης', 'Дарья', 'נועה', '美咲', 'true'];
const PAGES = ['https://shop.example/checkout?step=2&x==y', 'https://shop.example/sign-up', 'https://other.example/'];
const START_MS = Date.parse('2022-10-04T22:00:00.000Z');
const QUARTER_HOUR_MS = 900_000;

export const ACTIVITIES: readonly Activity[] = Array.from({ length: 400 }, (_, at) => activity(at));

function pick<T>(values: readonly T[], at: number): T | null {
  return values[at % values.length] ?? null;
}

function hex(number: number): string {
  return number.toString(16).padStart(24, '0');
}

function activity(at: number): Activity {
  const contract = (at % 3) + 1;
  const versionNumber = at % 17 === 0 ? null : (at % 4) + 1;
  // Quarters of an hour meet midnights; the last millisecond before one is there as well.
  const createdMs = START_MS + at * QUARTER_HOUR_MS - (at % 8 === 7 ? 1 : 0);
  return {
    id: hex(at),
    uuid: hex(at * 7919 + 5),
    event_type: pick(['agreed', 'displayed', 'agreed', 'disagreed', 'visited'], at),
    signer_id: at % 19 === 0 ? null : pick(SIGNERS, at),
    contract,
    version: versionNumber === null ? null : hex(contract * 16 + versionNumber),
    version_number: versionNumber,
    group: at % 5 === 0 ? null : (at % 5) + 9_007_199_254,
    batch: String(1_442_324_122_234 + Math.floor(at / 3)),
    session: at % 6 === 0 ? null : `session ${Math.floor(at / 6)}`,
    site: 1,
    account: 77,
    created_time: new Date(createdMs).toISOString(),
    event_time: at % 7 === 3 ? null : new Date(createdMs - (at % 5) * 1000).toISOString(),
    execution_method: pick(['click_to_accept', null, 'clickthrough', 'esignature'], at),
    contract_title: pick(TITLES, at),
    group_key: pick(['checkout', null, 'null', 'sign and up'], Math.floor(at / 2)),
    custom_data: at % 13 === 0 ? null : customData(at),
    connection_data: connectionData(at),
    render_data: at % 3 === 1 ? null : { price: at / 8, currency: pick(['EUR', 'USD'], at), terms: { days: at % 30 } },
  };
}

/** Every JSON type under one name and another, and names that need care. */
function customData(at: number): object {
  const mixed = [at % 10, String(at % 10), at % 2 === 0, null, [at % 4, 'x', null, true], { inner: at % 4 }, 'NaN'];
  return {
    ...(at % 4 === 0 ? {} : { first_name: pick(FIRST_NAMES, at) }),
    vip: pick([true, false, null, 'true'], at),
    score: pick([0, -1.5, 10, 1e-7, 9007199254740991, '10', 99.9], at),
    mixed: pick(mixed, at),
    tags: pick([['gold'], ['gold', 'new'], [], 'gold', ['Gold', 1, true], [1, 2, null], [['gold']]], at),
    address:
      at % 3 === 0 ? null : { city: pick(['Łódź', 'Paris', "L'Isle"], at), zip: String(at % 100), geo: [at, -at] },
    'company name': pick(['Ünal & Co', "O'Neil", 'a/b~c'], at),
    'a/b~c': { '': 1, $odd: at % 2, ключ: at % 3 },
    signed_time: pick(['2022-10-06', '2022-10-07T00:00:00Z'], at),
  };
}

function connectionData(at: number): object {
  return {
    page_url: pick(PAGES, at),
    browser_locale: pick(['en-US', 'pl-PL', 'he-IL'], Math.floor(at / 4)),
    remote_address: `10.0.${at % 4}.${at % 250}`,
    screen_color_depth: pick([24, 30], at),
    cookies: at % 2 === 0,
    referrer: at % 5 === 0 ? null : '',
  };
}

/** The activities as a table; data is stored as text, as Parquet has no JSON. */
export function activityTable(): Table {
  const columns = COLUMNS.map(({ name, type: typeName }) => {
    const type = parseType(typeName, '');
    const values = ACTIVITIES.map((row) => stored(row[name], type.is));
    return { name, type, isDeclared: type.is === 'json', values };
  });
  return { columns, rows: ACTIVITIES.length };
}

function stored(value: unknown, kind: string): Value {
  if (value === null || value === undefined) return null;
  if (kind === 'instant') return BigInt(Date.parse(String(value))) * 1000n;
  if (kind === 'integer') return BigInt(Number(value));
  return kind === 'json' ? { text: JSON.stringify(value), tree: null } : String(value);
}
