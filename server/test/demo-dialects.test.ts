import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import config from '../../examples/demo/drayage.config.ts';
import { type DemoData, demoData } from '../src/cli/demo-data.ts';
import { DEMO_KEYS } from '../src/cli/demo-keys.ts';
import { runCommand } from './command-line.ts';
import { readParquet } from './readers/parquet.ts';

const NOW = '2026-11-21T00:00:00.000Z';
const CONFIG = fileURLToPath(new URL('../../examples/demo/drayage.config.ts', import.meta.url));
const APPS = ['NX-DEMO0001', 'NX-DEMO0002'];
const BATCH_APPS = ['BATCHDEMO', 'DEVBATCHDEMO', 'BATCHDEMO2'];
/** In the files' unit. */
const DAY_MICROS = 86_400_000_000n;
const NOW_MICROS = BigInt(Date.parse(NOW)) * 1000n;
const APRIL_1 = BigInt(Date.parse('2026-04-01')) * 1000n;
const APRIL_10 = BigInt(Date.parse('2026-04-10')) * 1000n;

type Row = Readonly<Record<string, unknown>>;

let folder: string;
let made: DemoData;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drayage dialects '));
  made = await make('made', NOW);
});
after(() => rm(folder, { recursive: true }));

describe("the dialects' demo data", () => {
  it('are few beside the native events', () => {
    const rows = made.files.filter(({ file }) => !file.startsWith('events-')).reduce((sum, file) => sum + file.rows, 0);
    assert.ok(rows > 30_000 && rows <= 60_000, `${rows} rows`);
  });

  it('are the same bytes again, and the fixed ones whatever the day', async () => {
    const again = await make('again', NOW);
    assert.deepEqual(again.files, made.files);
    const later = await make('later', '2027-01-01T00:00:00.000Z');
    const same = later.files.filter(({ sha256 }) => made.files.some((file) => file.sha256 === sha256));
    const names = same.map(({ file }) => file);
    for (const name of ['events-fixed', 'shoal.events-fixed', 'shoal.timeline-fixed', 'ironclad.activities-fixed'])
      assert.ok(names.includes(`${name}.parquet`), name);
    assert.deepEqual(
      names.filter((name) => /recent|userpilot\.events|batch\.(?!targets)/.test(name)),
      [],
    );
  });

  it('are as many rows in each file as is told', async () => {
    for (const { file, rows } of made.files) assert.equal((await readRows(file)).length, rows, file);
  });

  it('fill every dataset of the configuration', async () => {
    const { code, stdout } = await runCommand(['config', 'check', '--config', CONFIG], {
      cwd: folder,
      env: { DRAYAGE_DATA: join(folder, 'made') },
    });
    assert.equal(code, 0, stdout);
    for (const name of Object.keys(config.datasets)) assert.match(stdout, new RegExp(`^ok +${name}\\b`, 'm'));
  });

  it('have keys of tiers there are, each id once', () => {
    const ids = DEMO_KEYS.flatMap(({ id }) => (id === undefined ? [] : [id]));
    assert.deepEqual(ids, [17, 18, 19, 20]);
    const tiers: readonly string[] = Object.keys(config.tiers ?? {});
    assert.deepEqual(
      DEMO_KEYS.filter(({ tier }) => !tiers.includes(tier)),
      [],
    );
  });

  it('hold JSON without a space outside strings', async () => {
    for (const [file, names] of [
      ['shoal.events-recent', ['bullets', 'owners', 'participants', 'evidence']],
      ['shoal.organizations', ['aliases']],
      ['userpilot.events', ['metadata']],
      ['userpilot.surveys', ['modules']],
      ['userpilot.events_properties', ['event']],
      ['ironclad.activities-fixed', ['connection_data', 'custom_data', 'render_data']],
      ['ironclad.activities-recent', ['connection_data', 'custom_data', 'render_data']],
    ] as const) {
      const rows = await readRows(`${file}.parquet`);
      for (const name of names) for (const row of rows) if (!isNull(row[name])) assertCompact(String(row[name]));
    }
  });
});

describe("Shoal's demo data", () => {
  let fixed: readonly Row[];
  let recent: readonly Row[];
  const CATEGORIES = [
    ...['funding', 'market_update', 'partnership', 'product_development', 'regulation_legal', 'security_incident'],
    'technology',
  ];

  before(async () => {
    fixed = await readRows('shoal.events-fixed.parquet');
    recent = await readRows('shoal.events-recent.parquet');
  });

  it('have events of both surfaces and every category in the nine days of April and in the last 90', () => {
    const april = between(fixed, 'latestEvidenceTimestamp', APRIL_1, APRIL_10);
    const last = between(recent, 'latestEvidenceTimestamp', NOW_MICROS - 90n * DAY_MICROS, NOW_MICROS);
    assert.equal(last.length, recent.length);
    for (const rows of [april, last])
      for (const surface of ['radar', 'signal']) {
        const own = rows.filter((row) => row.surface === surface);
        assert.deepEqual(valuesOf(own, 'eventCategory'), CATEGORIES, surface);
      }
    assert.equal(
      new Set(last.map((row) => Number(row.latestEvidenceTimestamp) / Number(DAY_MICROS)).map(Math.floor)).size,
      90,
    );
  });

  it('have one event exactly at each bound of April, and the last is the only one out', () => {
    const times = fixed.map((row) => row.latestEvidenceTimestamp);
    assert.equal(times.filter((time) => time === APRIL_1).length, 1);
    assert.equal(times.filter((time) => time === APRIL_10).length, 1);
    assert.equal(between(fixed, 'latestEvidenceTimestamp', APRIL_1, APRIL_10).length, fixed.length - 1);
  });

  it('have milliseconds and no less, some of them twice', () => {
    const times = [...fixed, ...recent].map((row) => row.latestEvidenceTimestamp as bigint);
    assert.ok(times.every((time) => time % 1000n === 0n));
    assert.ok(times.some((time) => time % 1_000_000n !== 0n));
    assert.ok(new Set(times).size < times.length);
  });

  it('have ids of their own, in no order of time', () => {
    const ids = [...fixed, ...recent].map((row) => row.id as bigint);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.some((id, at) => at > 0 && id < (ids[at - 1] ?? 0n)));
  });

  it('have organizations 1 to 20, and refer to them as they are', async () => {
    const organizations = (await readRows('shoal.organizations.parquet')).map((row) => ({
      ...row,
      id: Number(row.id),
      aliases: JSON.parse(String(row.aliases)),
    }));
    assert.deepEqual(
      organizations.map(({ id }) => id),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    for (const row of [...fixed, ...recent])
      for (const reference of [...references(row, 'owners'), ...references(row, 'participants')])
        assert.deepEqual(reference, organizations[reference.id - 1]);
  });

  it('have an event owned by 1 and 2, and one in which 1 only takes part', () => {
    const april = between(fixed, 'latestEvidenceTimestamp', APRIL_1, APRIL_10);
    const ids = (row: Row, name: string) => references(row, name).map(({ id }) => id);
    assert.ok(april.some((row) => ids(row, 'owners').join() === '1,2'));
    assert.ok(april.some((row) => !ids(row, 'owners').includes(1) && ids(row, 'participants').join() === '1'));
  });

  it('have a row of the timeline for each event and organization', async () => {
    for (const [events, name] of [
      [fixed, 'shoal.timeline-fixed.parquet'],
      [recent, 'shoal.timeline-recent.parquet'],
    ] as const) {
      const expected = events.flatMap((row): Row[] =>
        [...references(row, 'owners'), ...references(row, 'participants')].map(({ id }) => ({
          ...row,
          organizationId: BigInt(id),
        })),
      );
      assert.deepEqual(await readRows(name), expected);
      assert.equal(new Set(expected.map((row) => `${row.organizationId} ${row.id}`)).size, expected.length);
    }
  });

  it('have evidence whose newest gives the event its moment', () => {
    for (const row of [...fixed, ...recent]) {
      const evidence: { timestamp: string }[] = JSON.parse(String(row.evidence));
      assert.deepEqual(Object.keys(evidence[0] ?? {}), ['id', 'content', 'url', 'timestamp']);
      const newest = Math.max(...evidence.map(({ timestamp }) => Date.parse(timestamp)));
      assert.equal(BigInt(newest) * 1000n, row.latestEvidenceTimestamp);
      assert.match(evidence[0]?.timestamp ?? '', /\.\d{3}\+00:00$/);
    }
  });

  it('hold what is awkward', () => {
    assert.deepEqual(missing(fixed, 'summary'), []);
    assert.ok(fixed.some((row) => row.eventSubcategory === '') && fixed.some((row) => isNull(row.eventSubcategory)));
  });
});

describe("Userpilot's demo data", () => {
  const TYPES = [
    ...['identify_company', 'identify_user', 'interaction', 'page_view', 'session_start', 'track', 'track_feature'],
  ];
  const SOURCES = ['backend-http', 'backend-hubspot', 'backend-salesforce', 'backend-segment', 'web-client'];
  let events: readonly Row[];

  before(async () => {
    events = await readRows('userpilot.events.parquet');
  });

  for (const app of APPS)
    for (const days of [30n, 90n])
      it(`have every event type of every source in the last ${days} days of ${app}`, () => {
        const rows = between(ofApp(events, app), 'inserted_at', NOW_MICROS - days * DAY_MICROS, NOW_MICROS);
        const found = new Set(rows.map((row) => `${row.event_type} ${row.source}`));
        const wanted = TYPES.flatMap((type) => SOURCES.map((source) => `${type} ${source}`));
        assert.deepEqual([...found].sort(), wanted);
      });

  it('have ids of decimal digits, each once', () => {
    const ids = events.map((row) => String(row.internal_event_id));
    assert.equal(new Set(ids).size, events.length);
    assert.ok(ids.every((id) => /^\d{1,20}$/.test(id)));
  });

  it('have names by event type', () => {
    const names: Readonly<Record<string, RegExp>> = {
      interaction: /^[a-z]+:\d+:[A-Z]+$/,
      track: /./,
      track_feature: /^\d+$/,
    };
    for (const row of events) assert.match(String(row.event_name), names[String(row.event_type)] ?? /^$/);
    assert.ok(events.some((row) => row.event_name === 'checklist:2:SEEN'));
  });

  it('have metadata by event type', () => {
    const keys: Readonly<Record<string, string>> = {
      identify_user: 'name,plan,score,created_at,email',
      identify_company: 'name,industry,revenue,created_at',
      interaction: 'entity_type,entity_id,status,step',
      track: 'price,comment,tags',
      track_feature: 'feature_id,title',
      page_view: 'title,referrer',
      session_start: '',
    };
    for (const row of events.filter(({ metadata }) => !isNull(metadata)))
      assert.equal(Object.keys(JSON.parse(String(row.metadata))).join(), keys[String(row.event_type)]);
    assert.ok(events.some(({ metadata }) => isNull(metadata)));
    assert.ok(events.some(({ metadata }) => /:1\.10,/.test(String(metadata))));
  });

  it('have user-1 and company-1 in both apps, with other rows', () => {
    for (const [name, value] of [
      ['user_id', 'user-1'],
      ['company_id', 'company-1'],
    ] as const) {
      const [first = [], second = []] = APPS.map((app) => ofApp(events, app).filter((row) => row[name] === value));
      assert.ok(first.length > 100 && second.length > 100, `${first.length} and ${second.length} of ${value}`);
      const times = new Set(first.map((row) => row.inserted_at));
      assert.ok(second.every((row) => !times.has(row.inserted_at)));
    }
  });

  it('have pages that user-1 saw in the last 30 days, and segment 1 with members', () => {
    for (const app of APPS) {
      const rows = ofApp(events, app);
      const last = between(rows, 'inserted_at', NOW_MICROS - 30n * DAY_MICROS, NOW_MICROS);
      assert.ok(last.filter((row) => row.user_id === 'user-1' && row.event_type === 'page_view').length >= 10);
      const members = rows.filter((row) => segmentsOf(row)?.includes(1n));
      assert.ok(members.length > 500 && members.length < rows.length / 2, `${members.length} of ${rows.length}`);
    }
  });

  it('have lists of segments there are, empty lists and none', async () => {
    const segments = await readRows('userpilot.segments.parquet');
    for (const app of APPS) {
      const known = new Set(ofApp(segments, app).map((row) => row.id));
      for (const row of ofApp(events, app)) assert.ok(segmentsOf(row)?.every((id) => known.has(id)) ?? true);
    }
    assert.deepEqual([...new Set(events.map((row) => segmentsOf(row)?.length))].sort(), [0, 1, 2, undefined]);
  });

  it('know screens and pages of browsers alone', () => {
    for (const row of events) assert.equal(isNull(row.hostname), row.source !== 'web-client');
  });

  it('hold what is awkward', () => {
    const users = new Set(events.map((row) => row.user_id));
    for (const user of ['user,2', 'user "3"', '=user4', 'two\nlines', 'ユーザー', '00123'])
      assert.ok(users.has(user), user);
    assert.ok(events.some((row) => row.company_id === '') && events.some((row) => isNull(row.company_id)));
  });

  const LOOKUPS = [
    ...['user_properties', 'company_properties', 'features_events', 'resource_center_modules', 'checklists', 'flows'],
    ...['banners', 'spotlights', 'embeds', 'surveys', 'segments', 'events_properties'],
  ];
  for (const name of LOOKUPS)
    it(`have ${name} of both apps, called otherwise`, async () => {
      const rows = await readRows(`userpilot.${name}.parquet`);
      const key = rows.some((row) => 'id' in row) ? 'id' : 'key';
      const named = (row: Row) => row.title ?? row.display_name;
      const [first = [], second = []] = APPS.map((app) => ofApp(rows, app));
      const least = ['segments', 'events_properties'].includes(name) ? 120 : 1;
      for (const own of [first, second]) {
        assert.ok(own.length >= least, `${own.length} rows`);
        assert.equal(new Set(own.map((row) => row[key])).size, own.length);
      }
      assert.notDeepEqual(first.map(named), second.map(named));
    });

  it('have awkward segments and properties', async () => {
    assert.deepEqual(missing(await readRows('userpilot.events_properties.parquet'), 'description'), []);
    const segments = await readRows('userpilot.segments.parquet');
    assert.ok(segments.some((row) => row.category === '') && segments.some((row) => isNull(row.category)));
  });
});

describe("Batch's demo data", () => {
  const PUSH = ['push_error', 'push_opened', 'push_sent'];
  const DATED = ['push', 'transactional', 'inapp', 'reachability'];
  const FIRST_DAY = NOW_MICROS - 90n * DAY_MICROS;
  const kinds: Record<string, readonly Row[]> = {};

  before(async () => {
    for (const kind of [...DATED, 'installs', 'targets']) kinds[kind] = await readRows(`batch.${kind}.parquet`);
  });

  const of = (kind: string, app: string) => (kinds[kind] ?? []).filter((row) => row.app === app);

  for (const app of BATCH_APPS) {
    it(`have sent, opened and error of demo-campaign and demo-group of ${app}`, () => {
      for (const [kind, column, token] of [
        ['push', 'campaign', 'demo-campaign'],
        ['transactional', 'group_id', 'demo-group'],
      ] as const) {
        const rows = between(of(kind, app), 'event_date', FIRST_DAY, NOW_MICROS);
        assert.deepEqual(
          valuesOf(
            rows.filter((row) => row[column] === token),
            'event_type',
          ),
          PUSH,
        );
        assert.deepEqual(
          valuesOf(
            rows.filter((row) => row[column] === `${token}-2`),
            'event_type',
          ),
          PUSH,
        );
      }
    });

    it(`have demo-inapp shown, closed and clicked in every form of ${app}`, () => {
      const rows = between(of('inapp', app), 'event_date', FIRST_DAY, NOW_MICROS).filter(
        (row) => row.campaign === 'demo-inapp',
      );
      const forms = new Set(rows.map((row) => `${row.event_type} ${row.cta ?? ''} ${row.cta_position ?? ''}`));
      const clicked = ['batch.CustomAction', 'batch.deeplink', 'batch.dismiss'].flatMap((cta) => [
        `inapp_clicked ${cta} 0`,
        `inapp_clicked ${cta} 1`,
      ]);
      assert.deepEqual([...forms].sort(), [...clicked, 'inapp_closed  ', 'inapp_shown  ']);
    });

    it(`have one row 91 days old of each dated kind of ${app}, and no other before the 90`, () => {
      for (const kind of DATED) {
        const rows = of(kind, app);
        const old = rows.filter((row) => row.event_date === NOW_MICROS - 91n * DAY_MICROS);
        assert.equal(old.length, 1, kind);
        assert.equal(between(rows, 'event_date', FIRST_DAY, NOW_MICROS).length, rows.length - 1, kind);
        const token = old[0]?.campaign ?? old[0]?.group_id ?? 'demo-';
        assert.ok(['demo-campaign', 'demo-group', 'demo-inapp', 'demo-'].includes(String(token)));
      }
    });

    it(`change one flag of an install at a time, each both ways, of ${app}`, () => {
      const flags = ['is_reachable', 'is_optin', 'has_custom_id'];
      const before = new Map<unknown, Row>();
      const changes = new Set<string>();
      for (const row of of('reachability', app)) {
        const last = before.get(row.install_id) ?? Object.fromEntries(flags.map((flag) => [flag, false]));
        const changed = flags.filter((flag) => row[flag] !== last[flag]);
        assert.equal(changed.length, 1);
        changes.add(`${changed[0]} ${row[changed[0] ?? '']}`);
        before.set(row.install_id, row);
        assert.equal(row.event_type, 'reachability');
        assert.equal(Boolean(row.custom_id), row.has_custom_id);
      }
      assert.equal(changes.size, 6);
    });

    it(`have missing and empty ids in every kind of ${app}`, () => {
      for (const kind of [...DATED, 'installs']) {
        const rows = of(kind, app);
        assert.deepEqual(kindsOf(rows, 'advertising_id'), ['', 'NULL', 'text'], kind);
        assert.deepEqual(kindsOf(rows, 'custom_id'), kind === 'reachability' ? ['NULL', 'text'] : ['', 'NULL', 'text']);
      }
    });

    it(`have the same event of an install twice in a second, of ${app}`, () => {
      for (const kind of ['push', 'transactional', 'inapp']) {
        const moments = of(kind, app).map((row) => `${row.install_id} ${row.event_date} ${row.event_type}`);
        assert.ok(new Set(moments).size < moments.length, kind);
      }
    });

    it(`have a userbase of ${app}, to which all events belong`, () => {
      const installs = of('installs', app);
      const known = new Map(installs.map((row) => [row.install_id, row]));
      assert.equal(known.size, installs.length);
      for (const kind of ['push', 'transactional', 'inapp'])
        for (const row of of(kind, app)) {
          const install = known.get(row.install_id);
          assert.deepEqual([row.custom_id, row.advertising_id], [install?.custom_id, install?.advertising_id]);
        }
      for (const row of installs) assert.ok((row.install_date as bigint) <= (row.last_start_date as bigint));
      assert.deepEqual(valuesOf(installs, 'is_optin_push'), [false, true]);
      const segments = valuesOf(
        installs.filter((row) => !isNull(row.smart_segment)),
        'smart_segment',
      );
      assert.deepEqual(segments, ['Dormant', 'Engaged', 'Imported', 'New', 'One-time']);
    });

    it(`list the tokens of ${app}`, () => {
      assert.deepEqual(
        of('targets', app).map((row) => `${row.kind} ${row.token}`),
        [
          ...['push demo-campaign', 'push demo-campaign-2', 'transactional demo-group', 'transactional demo-group-2'],
          ...['inapp demo-inapp', 'inapp demo-inapp-2'],
        ],
      );
    });
  }

  it('are other rows in every app, each with an id of its own', () => {
    for (const kind of DATED) {
      const ids = kinds[kind]?.map((row) => row.event_id) ?? [];
      assert.equal(new Set(ids).size, ids.length, kind);
    }
    const installs = kinds.installs?.map((row) => row.install_id) ?? [];
    assert.equal(new Set(installs).size, installs.length);
  });

  it('have whole seconds, and tokens of 27 to 29 hexadecimal digits', () => {
    for (const kind of DATED)
      for (const row of kinds[kind] ?? []) assert.equal((row.event_date as bigint) % 1_000_000n, 0n);
    const tokens = kinds.transactional?.map((row) => String(row.transactional_token)) ?? [];
    assert.ok(tokens.every((token) => /^[0-9a-f]{27,29}$/.test(token)));
    assert.deepEqual([...new Set(tokens.map(({ length }) => length))].sort(), [27, 28, 29]);
  });

  it('hold what is awkward', () => {
    const ids = kinds.installs?.map((row) => String(row.custom_id)) ?? [];
    for (const part of [/;/, /"/, /\n/, /^=/, /\p{Script=Katakana}/u, /\p{Script=Arabic}/u, /\p{Emoji_Presentation}/u])
      assert.ok(
        ids.some((id) => part.test(id)),
        String(part),
      );
  });
});

function make(name: string, now: string): Promise<DemoData> {
  const signal = new AbortController().signal;
  return demoData({ dataFolder: join(folder, name), rows: 10, now, signal, making: () => {} });
}

async function readRows(file: string): Promise<Row[]> {
  const { columns, rows } = await readParquet(join(made.folder, file));
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
}

function ofApp(rows: readonly Row[], app: string): readonly Row[] {
  return rows.filter((row) => row.app_token === app);
}

function between(rows: readonly Row[], column: string, start: bigint, end: bigint): readonly Row[] {
  return rows.filter(({ [column]: at }) => typeof at === 'bigint' && at >= start && at < end);
}

/** Each once, sorted. */
function valuesOf(rows: readonly Row[], column: string): unknown[] {
  return [...new Set(rows.map((row) => row[column]))].sort();
}

/** Which of empty text, NULL and other text there are. */
function kindsOf(rows: readonly Row[], column: string): string[] {
  const kinds = rows.map(({ [column]: value }) => (isNull(value) ? 'NULL' : value === '' ? '' : 'text'));
  return [...new Set(kinds)].sort();
}

function references(row: Row, column: string): { id: number }[] {
  return JSON.parse(String(row[column]));
}

function segmentsOf({ segment_ids: ids }: Row): bigint[] | undefined {
  return isNull(ids) ? undefined : (ids as bigint[]);
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}

function assertCompact(text: string): void {
  JSON.parse(text);
  assert.doesNotMatch(text.replace(/"(?:[^"\\]|\\.)*"/g, ''), /\s/);
}

/** What must be among the texts of a column and is not. */
function missing(rows: readonly Row[], column: string): string[] {
  const texts = rows.map((row) => row[column]).filter((text): text is string => typeof text === 'string');
  const wanted: Readonly<Record<string, RegExp>> = {
    'a comma': /,/,
    'a quote': /"/,
    'a newline': /[^\r]\n/,
    'a leading =': /^=/,
    'an emoji': /\p{Emoji_Presentation}/u,
    Arabic: /\p{Script=Arabic}/u,
    Hebrew: /\p{Script=Hebrew}/u,
    Japanese: /\p{Script=Hiragana}/u,
    'an empty one': /^$/,
  };
  const lacking = Object.entries(wanted).filter(([, pattern]) => !texts.some((text) => pattern.test(text)));
  return [...lacking.map(([what]) => what), ...(rows.some((row) => isNull(row[column])) ? [] : ['NULL'])];
}
