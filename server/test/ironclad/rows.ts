import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const DAY_MS = 86_400_000;

/** Names and the JSON text of their values, as they stand in a column. */
export type Data = Readonly<Record<string, string>>;

/** A row of `ironclad.activities`; the site is its tenant. */
export interface Activity {
  readonly id: string;
  readonly uuid: string;
  readonly event_type: string;
  readonly signer_id: string;
  readonly contract: number;
  readonly contract_title: string;
  readonly version: string;
  readonly version_number: number;
  readonly group: number | null;
  readonly group_key: string | null;
  readonly batch: string;
  readonly session: string;
  readonly site: number;
  readonly account: number;
  readonly created_time: string;
  readonly event_time: string;
  readonly execution_method: string | null;
  readonly connection_data: Data | null;
  readonly custom_data: Data | null;
  readonly render_data: Data | null;
}

/** 24 hex digits that follow from a text. */
function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

const SIGNERS = [
  ...[
    'ada@example.com',
    'Zoë "Z" Müller',
    'a,b',
    '=cmd()',
    'Ελένη',
    'Наталья',
    'מרים',
    'سارة',
    '山田太郎',
    '',
    "o'neil",
  ],
];
const TITLES: Readonly<Record<number, string>> = { 1: 'Terms of Service', 2: 'Privacy, "Policy"', 3: '利用規約' };
const EVENTS = ['agreed', 'agreed', 'displayed', 'disagreed', 'visited', 'updated', 'sent'];
const METHODS = ['click_to_accept', 'clickthrough', 'manual_acceptance', 'esignature', null];
const ZONES = ['Europe/Berlin', 'Asia/Tokyo', 'America/New_York'];

/** Keys of custom data with values of every JSON type, in scripts; each row has some of them. */
const CUSTOM: readonly (readonly [name: string, ...values: string[]])[] = [
  ['first_name', '"Ada"', '"Зоя"', '"ليلى"', '"明"'],
  ['vip', 'true', 'false'],
  ['score', '1.10', '-0.5', '12345678901234.5678', '9007199254740993'],
  ['address', '{"city":"Zürich","zip":8001}', '{"city":"大阪"}'],
  ['tags', '["a","b, c"]', '[]', '[1.10]'],
  ['nothing', 'null'],
  ['VIP', '"yes"', 'false', '3'],
  ['VIP 2', '"second"'],
  ['Vip', '"no"'],
  ['company "name", ltd', '"a, b"', '"=1+1"', '""'],
];

function customOf(seed: number): Data | null {
  if (seed % 11 === 0) return null;
  const chosen = CUSTOM.filter((_, at) => (seed >> at) % 2 === 0 || seed % 3 === 0);
  return Object.fromEntries(chosen.map(([name, ...values]) => [name, values[seed % values.length] ?? 'null']));
}

function connectionOf(seed: number): Data | null {
  if (seed % 17 === 0) return null;
  return {
    page_url: JSON.stringify(`https://shop.example/checkout?step=${seed % 4}&x="${seed}"`),
    page_title: seed % 5 === 0 ? '"Kasse, Schritt 2"' : '"Checkout"',
    browser_timezone: JSON.stringify(ZONES[seed % ZONES.length]),
    screen_color_depth: seed % 2 === 0 ? '24' : '"24"',
    remote_address: JSON.stringify(`203.0.113.${seed % 256}`),
    environment: JSON.stringify(['desktop', 'mobile', 'tablet'][seed % 3]),
  };
}

interface Place {
  readonly site: number;
  readonly contract: number;
  readonly version: number;
  readonly at: number;
}

function activity({ site, contract, version, at }: Place, seed: number): Activity {
  const pick = <T>(values: readonly T[]): T => values[(seed * 7) % values.length] as T;
  const hasGroup = seed % 4 > 0;
  return {
    id: hex(`id ${site} ${seed}`),
    uuid: hex(`uuid ${site} ${seed}`),
    event_type: pick(EVENTS),
    signer_id: pick(SIGNERS),
    contract,
    contract_title: TITLES[contract] ?? '',
    version: hex(`version ${site} ${contract} ${version}`),
    version_number: version,
    group: hasGroup ? 10 + (seed % 3) : null,
    group_key: hasGroup ? `group-${seed % 3}` : null,
    batch: String(at - (at % 120_000)),
    session: hex(`session ${site} ${seed % 40}`),
    site,
    account: 900 + site,
    created_time: new Date(at).toISOString(),
    event_time: new Date(at - 1234).toISOString(),
    execution_method: pick(METHODS),
    connection_data: connectionOf(seed),
    custom_data: customOf(seed),
    render_data: seed % 6 === 0 ? { plan: '"gold"', price: `${seed}.50` } : null,
  };
}

const SAMPLE_DAY = Date.parse('2022-10-06T00:00:00.000Z');
const AUTUMN = Date.parse('2022-09-01T00:00:00.000Z');

/** Rows of the sample's day, of the autumn of 2022, and of the 90 days before `now`, of all sites alike. */
export function makeActivities(
  now: string,
  autumnRows: number,
  sites: readonly number[] = [1, 2],
): readonly Activity[] {
  return sites.flatMap((site) => {
    const places: Omit<Place, 'site'>[] = [];
    for (const version of [1, 2, 3, 4])
      for (const ms of [0, 43_200_000, DAY_MS - 1]) places.push({ contract: 1, version, at: SAMPLE_DAY + ms });
    places.push({ contract: 1, version: 2, at: SAMPLE_DAY + DAY_MS }, { contract: 1, version: 3, at: SAMPLE_DAY - 1 });
    places.push({ contract: 2, version: 2, at: SAMPLE_DAY }, { contract: 3, version: 3, at: SAMPLE_DAY + 5 });
    for (let at = 0; at < autumnRows; at++) {
      const ms = Math.floor((at / autumnRows) * 90 * DAY_MS) + (at % 1000);
      places.push({ contract: 1 + (at % 3), version: 1 + (at % 4), at: AUTUMN + ms });
    }
    for (let at = 0; at < 60; at++)
      places.push({ contract: 1 + (at % 3), version: 1 + (at % 4), at: Date.parse(now) - 1000 - at * 129_600_000 });
    return places.map((place, seed) => activity({ site, ...place }, seed + 1));
  });
}

const SITES = [
  { site: 1, account: 901, name: 'Shop', max_days: null },
  { site: 2, account: 902, name: 'Магазин', max_days: 30 },
];

const ACTIVITY_TYPES =
  "id: 'VARCHAR', uuid: 'VARCHAR', event_type: 'VARCHAR', signer_id: 'VARCHAR', contract: 'BIGINT', contract_title: 'VARCHAR', version: 'VARCHAR', version_number: 'BIGINT', \"group\": 'BIGINT', group_key: 'VARCHAR', batch: 'VARCHAR', session: 'VARCHAR', site: 'BIGINT', account: 'BIGINT', created_time: 'TIMESTAMPTZ', event_time: 'TIMESTAMPTZ', execution_method: 'VARCHAR', connection_data: 'VARCHAR', custom_data: 'VARCHAR', render_data: 'VARCHAR'";

const AS_JSON =
  ' replace (connection_data::json as connection_data, custom_data::json as custom_data, render_data::json as render_data)';

/** Writes the Parquet files the ground's datasets read. */
export async function writeTables(activities: readonly Activity[], folder: string): Promise<void> {
  const versions = new Map(activities.map((row) => [`${row.site} ${row.version}`, row]));
  const texts = [...versions.values()].map(({ site, version, contract, version_number, contract_title: title }) => {
    // Not kept is NULL in one table and empty in another.
    const none = contract === 1 ? '' : null;
    const text =
      version_number === 4 ? none : `${title}, version ${version_number}. Ваше согласие. ${'Lorem. '.repeat(20)}`;
    return JSON.stringify({ site, version, contract, version_number, title, text });
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("set TimeZone = 'UTC'");
  for (const [name, lines, types] of [
    ['activities', activities.map(lineOf), ACTIVITY_TYPES],
    [
      'contract_versions',
      texts,
      "site: 'BIGINT', version: 'VARCHAR', contract: 'BIGINT', version_number: 'BIGINT', title: 'VARCHAR', text: 'VARCHAR'",
    ],
    [
      'sites',
      SITES.map((site) => JSON.stringify(site)),
      "site: 'BIGINT', account: 'BIGINT', name: 'VARCHAR', max_days: 'BIGINT'",
    ],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(`${path}.jsonl`, lines.map((line) => `${line}\n`).join(''));
    const data = name === 'activities' ? AS_JSON : '';
    await connection.run(`copy (select *${data} from read_json('${path}.jsonl', format = 'newline_delimited',
      columns = {${types}})) to '${path}.parquet' (format parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
}

/** Data are text in it: the engine would write the numbers of JSON anew. */
function lineOf(row: Activity): string {
  const members = Object.entries(row).map(([name, value]) => {
    const isData = name.endsWith('_data') && value !== null;
    const text = JSON.stringify(isData ? dataText(value as Data) : value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

function dataText(data: Data): string {
  return `{${Object.entries(data)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`;
}
