import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A row as it stands in the source. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Rows by the file they are written to. */
export type Tables = Readonly<Record<(typeof WRITTEN)[number] | 'targets', readonly Row[]>>;

const WRITTEN = ['push', 'transactional', 'inapp', 'reachability', 'installs'] as const;

/** Two apps of one key, and one of another. */
const APPS = ['LIVEAPP', 'DEVAPP', 'OTHERAPP'] as const;

const DAY_MS = 86_400_000;
const EVENTS = 150;
const INSTALLS = 60;

const CUSTOM_IDS = [
  null,
  '',
  'semi;colon',
  'a "quoted" name',
  'two\nlines',
  '=cmd()',
  "o'neil",
  'ユーザー',
  'مستخدم',
  '👩‍👩‍👧‍👦',
  '007',
];
const PUSH = ['push_sent', 'push_opened', 'push_error'];
const INAPP = ['inapp_shown', 'inapp_clicked', 'inapp_closed'];
const CTAS = ['batch.CustomAction', 'batch.dismiss', 'batch.deeplink'];

/** Rows of every app, dated back from `now` (ISO); each dated kind has one older than its 90 days. */
export function makeTables(now: string): Tables {
  const tables = {
    push: [] as Row[],
    transactional: [] as Row[],
    inapp: [] as Row[],
    reachability: [] as Row[],
    installs: [] as Row[],
    targets: [] as Row[],
  };
  APPS.forEach((app, appNumber) => {
    for (let at = 0; at < EVENTS; at++) {
      const event = eventOf(app, appNumber, at, now);
      const campaign = pick(['spring', 'summer'], at * 7 + appNumber);
      tables.push.push({ ...event, campaign, event_type: pick(PUSH, at) });
      tables.transactional.push({
        ...event,
        group_id: pick(['receipts', 'resets'], at),
        event_type: pick(PUSH, at * 5 + 1),
        transactional_token: `5bc1861d86c96c22685a6b6cb${(at * 4099).toString(16).padStart(4, '0')}`,
      });
      const type = pick(INAPP, at);
      const isClick = type === 'inapp_clicked';
      const tapped = { cta: isClick ? pick(CTAS, at >> 1) : null, cta_position: isClick ? (at >> 1) % 2 : null };
      tables.inapp.push({ ...event, campaign: 'banner', event_type: type, ...tapped });
      const flags = { is_reachable: at % 2 === 0, is_optin: at % 3 === 0, has_custom_id: at % 5 === 0 };
      tables.reachability.push({ ...event, event_type: 'reachability', ...flags });
    }
    for (let at = 0; at < INSTALLS; at++) tables.installs.push(installOf(app, appNumber, at, now));
    tables.targets.push(...targetsOf(app));
  });
  return tables;
}

function targetsOf(app: string): Row[] {
  const targets = [
    ['push', 'spring'],
    ['push', 'summer'],
    ['transactional', 'receipts'],
    ['transactional', 'resets'],
    ['inapp', 'banner'],
    // A campaign of every app's own, without rows.
    ['push', `only-${app}`],
  ] as const;
  return targets.map(([kind, token]) => ({ app, kind, token }));
}

/** Writes each as JSON lines, and targets, which are looked up in less memory, as CSV. Gives their files by name. */
export function writeTables(tables: Tables, folder: string): Readonly<Record<string, string>> {
  for (const name of WRITTEN)
    writeFileSync(join(folder, `${name}.jsonl`), tables[name].map((row) => `${JSON.stringify(row)}\n`).join(''));
  const lines = tables.targets.map(({ app, kind, token }) => `${app},${kind},${token}\n`);
  writeFileSync(join(folder, 'targets.csv'), `app,kind,token\n${lines.join('')}`);
  return { ...Object.fromEntries(WRITTEN.map((name) => [name, `${name}.jsonl`])), targets: 'targets.csv' };
}

/** The first of an app is a day too old; an install comes again with the same words, some at the same second. */
function eventOf(app: string, appNumber: number, at: number, now: string): Row {
  const end = Date.parse(`${now.slice(0, 19)}Z`);
  const age = at === 0 ? 91 * DAY_MS : Math.floor(at / 2) * 50_000_000 * 0.02 + (at % 4) * 20 * DAY_MS + 1000;
  const ms = at % 10 === 3 ? 500 : 0;
  return {
    app,
    event_id: `${app}-${String(at).padStart(4, '0')}`,
    ...idsOf(appNumber, at % 40),
    event_date: new Date(end - age + ms).toISOString(),
  };
}

function idsOf(appNumber: number, install: number): Row {
  const name = pick(CUSTOM_IDS, install + appNumber);
  const isShared = install % 9 === 0;
  return {
    install_id: `install-${appNumber}-${install}`,
    custom_id: name === null || name === '' ? name : `${name} ${isShared ? 'all' : install}`,
    advertising_id: install % 3 === 0 ? null : install % 23 === 0 ? '' : `AD-${install % 12}`,
  };
}

function installOf(app: string, appNumber: number, at: number, now: string): Row {
  const end = Date.parse(now);
  return {
    app,
    ...idsOf(appNumber, at),
    is_optin_push: at % 3 > 0,
    install_date: new Date(end - at * 5 * DAY_MS).toISOString(),
    last_start_date: at % 8 === 0 ? null : new Date(end - at * DAY_MS).toISOString(),
    smart_segment: pick(['New', 'Engaged', 'Dormant', 'One-time', 'Imported', null], at >> 1),
  };
}

function pick<T>(values: readonly T[], at: number): T {
  return values[at % values.length] as T;
}
