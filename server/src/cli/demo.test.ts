import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Ended, runCommand } from '../../test/command-line.ts';
import { readParquet } from '../../test/readers/parquet.ts';
import { Fault } from '../base/errors.ts';
import { demo } from './demo.ts';
import { type DemoAsk, type DemoData, demoData } from './demo-data.ts';

const COLUMNS = 'event_id,user_id,company_id,event_type,occurred_at,properties,amount,flag,note'.split(',');
/** Of the fixed slice of 3000 rows. It changes with the generator and with the engine, and with nothing else. */
const FIXED_SHA256 = 'ad127a38318da21d564f3b352d1d4b1ced9460d0139b7a2b0715cc127c3befb9';
/** In microseconds. */
const DAY = 86_400_000_000n;
const BEYOND_FLOAT = 2n ** 53n;
const WHOLE = { now: '2027-01-01T05:05:05.005Z' };

type Row = Readonly<Record<string, unknown>>;

let folder: string;
/** Made once, and copied for who looks at what is there already. */
let whole: DemoData;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drayage demo '));
  whole = await make('whole', WHOLE);
});
after(() => rm(folder, { recursive: true }));

describe('drayage demo --once', () => {
  const env = { DRAYAGE_DATA: "it's data", DEMO_ROWS: '3000' };
  let cwd: string;
  let first: Ended;
  let second: Ended;
  let modified: readonly number[];

  before(async () => {
    cwd = folder;
    first = await runCommand(['demo', '--once'], { cwd, env });
    modified = await modifiedTimes(join(cwd, env.DRAYAGE_DATA, 'demo'));
    second = await runCommand(['demo', '--once'], { cwd, env });
  });

  it('succeeds, and again in the same folder', () => {
    assert.equal(first.code, 0, first.stderr);
    assert.equal(second.code, 0, second.stderr);
    assert.match(first.stdout, /Made in /);
    assert.match(first.stdout, new RegExp(` 1500 rows .* sha-256 ${FIXED_SHA256} .*2026-01-01 to 2026-03-31`));
  });

  it('makes the data once', async () => {
    assert.match(second.stdout, /Made before and intact/);
    assert.deepEqual(await modifiedTimes(join(cwd, env.DRAYAGE_DATA, 'demo')), modified);
    assert.deepEqual(hashes(second).slice(0, 2), hashes(first).slice(0, 2));
  });

  it('makes the same fixed slice in another folder, whatever the day', () => {
    const [fixed, recent] = whole.files;
    assert.equal(fixed?.sha256, FIXED_SHA256);
    assert.deepEqual(recent?.span, { start: '2026-10-03T05:05:05.005Z', end: WHOLE.now });
    assert.notEqual(recent?.sha256, hashes(first)[1]);
  });

  it('exports the rows of acme, cell by cell, without their tenant', async () => {
    const file = join(exportFolder(second), 'events.csv.gz');
    const [header, ...lines] = parseCsv(gunzipSync(await readFile(file)).toString());
    const rows = await readEvents(join(cwd, env.DRAYAGE_DATA, 'demo'));
    const own = rows.filter((row) => row.tenant === 'acme');
    assert.deepEqual(header, COLUMNS);
    assert.equal(lines.length, own.length);
    assert.deepEqual(lines, own.map(cells));
    assert.match(second.stdout, new RegExp(` ${own.length} rows .*events\\.csv\\.gz\\n`));
  });

  it('holds what is awkward for acme already in 3000 rows', async () => {
    const rows = await readEvents(join(cwd, env.DRAYAGE_DATA, 'demo'));
    assert.deepEqual(missing(rows.filter((row) => row.tenant === 'acme')), []);
  });

  it('prints how to verify the export, and that succeeds', async () => {
    const [, line = ''] = /^Verify: npx drayage (verify .*)$/m.exec(second.stdout) ?? [];
    const words = [...line.matchAll(/'((?:[^']|'\\'')*)'|\S+/g)].map(
      ([word, quoted]) => quoted?.replaceAll("'\\''", "'") ?? word,
    );
    assert.equal(words.length, 2);
    const { code, stdout } = await runCommand(words, { cwd, env });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Signed by this installation's key/);
  });

  const refused: readonly [title: string, env: Readonly<Record<string, string>>, told: RegExp][] = [
    ['DEMO_ROWS that is no number', { DEMO_ROWS: 'many' }, /DEMO_ROWS is "many"; allowed is a whole number from 1/],
    ['DEMO_ROWS of nothing', { DEMO_ROWS: '0' }, /DEMO_ROWS is "0"; allowed is a whole number from 1/],
    ['DEMO_NOW that is no instant', { DEMO_NOW: 'today' }, /DEMO_NOW is "today"\. Allowed is an ISO 8601 instant/],
    ['DEMO_NOW on a day there is not', { DEMO_NOW: '2026-02-30' }, /DEMO_NOW is "2026-02-30"\. There is no such date/],
  ];
  for (const [title, wrong, told] of refused) {
    it(`refuses ${title}`, async () => {
      const words = { ...env, DRAYAGE_DATA: join(folder, 'refused'), ...wrong };
      Object.assign(process.env, words);
      try {
        await assert.rejects(demo.run(['--once']), (error) => error instanceof Fault && told.test(error.message));
      } finally {
        for (const name of Object.keys(words)) delete process.env[name];
      }
    });
  }

  it('says so when the folder cannot be', async () => {
    const nowhere = { ...env, DRAYAGE_DATA: '/dev/null/data' };
    const { code, stderr } = await runCommand(['demo', '--once'], { cwd, env: nowhere });
    assert.equal(code, 1);
    assert.match(stderr, /cannot be written into \/dev\/null\/data\/demo/);
  });
});

describe('the demo data', () => {
  async function copyOf(name: string): Promise<void> {
    await cp(join(folder, 'whole'), join(folder, name), { recursive: true });
  }

  it('hold every row that must exist, and of each tenant its share, at a third of their usual size', async () => {
    const { folder: made } = await make('third', { rows: 66_000, now: '2026-11-21T00:00:00.000Z' });
    const rows = await readEvents(made);
    assert.equal(rows.length, 66_000);
    assert.equal(new Set(rows.map((row) => row.event_id)).size, 66_000);
    for (const [tenant, share] of [
      ['acme', 0.6],
      ['globex', 0.3],
      ['tiny', 0.1],
    ] as const) {
      const own = rows.filter((row) => row.tenant === tenant);
      assert.ok(Math.abs(own.length / rows.length - share) < 0.005, `${own.length} rows of ${tenant}`);
      assert.deepEqual(missing(own), []);
      for (const [start, end] of [
        ['2026-01-01', '2026-04-01'],
        ['2026-08-23', '2026-11-21'],
      ] as const) {
        const days = new Set(between(own, start, end).map((row) => BigInt(String(row.occurred_at)) / DAY));
        assert.equal(days.size, 90, `days of ${tenant} from ${start}`);
      }
    }
    assert.ok(
      between(
        rows.filter((row) => row.tenant === 'tiny'),
        '2026-03-02',
        '2026-03-10',
      ).length > 170,
    );
    assert.equal(between(rows, '2026-01-01', '2026-04-01').length, 33_000);
    assert.equal(between(rows, '2026-08-23', '2026-11-21').length, 33_000);
  });

  it('keep the instant they were first dated from, and may be one row or three', async () => {
    await copyOf('kept');
    assert.equal((await make('kept', {})).isNew, false);
    const few = await make('kept', { rows: 3 });
    assert.equal(few.isNew, true);
    assert.deepEqual(few.files[1]?.span, whole.files[1]?.span);
    assert.equal((await readEvents(few.folder)).length, 3);
    const fewest = await make('kept', { rows: 1, now: '2026-05-06T00:00:00.000Z' });
    assert.equal(fewest.isNew, true);
    assert.equal((await readEvents(fewest.folder)).length, 1);
    assert.notDeepEqual(fewest.files[1]?.span, whole.files[1]?.span);
  });

  it('are made anew when a file was damaged', async () => {
    await copyOf('damaged');
    const [made, { files }] = [join(folder, 'damaged', 'demo'), whole];
    await truncate(join(made, 'events-fixed.parquet'), 500);
    assert.deepEqual(await make('damaged', {}), { folder: made, isNew: true, files });
  });

  it('are never what a start left that died, be all files there but the stamp, and take no room for it', async () => {
    const half = join(folder, 'half');
    const { files } = whole;
    await copyOf('half');
    await rm(join(half, 'demo', 'stamp.json'));
    await mkdir(join(half, '.demo-999999999-left'));
    assert.deepEqual(await make('half', WHOLE), { folder: join(half, 'demo'), isNew: true, files });
    assert.deepEqual(await readdir(half), ['demo']);
  });

  it('are made by two starts at once as by one', async () => {
    const both = await Promise.all([make('twice', {}), make('twice', {})]);
    assert.deepEqual(both[0], both[1]);
    assert.deepEqual(await readdir(join(folder, 'twice')), ['demo']);
  });

  it('leave nothing behind when they are cancelled', async () => {
    const cancelling = new AbortController();
    const making = make('cancelled', {
      rows: 5_000_000,
      signal: cancelling.signal,
      making: () => setTimeout(() => cancelling.abort(), 300),
    });
    await assert.rejects(making, { code: 'run.cancelled' });
    assert.deepEqual(await readdir(join(folder, 'cancelled')), []);
  });
});

function make(name: string, ask: Partial<DemoAsk>): Promise<DemoData> {
  const signal = new AbortController().signal;
  return demoData({ dataFolder: join(folder, name), rows: 3000, now: null, signal, making: () => {}, ...ask });
}

/** What must be among the rows of a tenant and is not. */
function missing(rows: readonly Row[]): string[] {
  const texts = rows.map((row) => row.note).filter((note): note is string => typeof note === 'string');
  const holds = (pattern: RegExp) => texts.some((text) => pattern.test(text));
  const among = (column: string, test: (value: unknown) => boolean) => rows.some((row) => test(row[column]));
  const isOddAndBig = (value: unknown) => typeof value === 'bigint' && value > BEYOND_FLOAT && value % 2n === 1n;
  const found: Readonly<Record<string, boolean>> = {
    'an odd user beyond 2^53': among('user_id', isOddAndBig),
    'an odd company beyond 2^53': among('company_id', isOddAndBig),
    'an amount of 1.10': among('amount', (value) => value === 11000n),
    'an amount of 12345678901234.5678': among('amount', (value) => value === 123456789012345678n),
    'no amount': among('amount', (value) => value === null || value === undefined),
    'JSON with 1.10': among('properties', (value) => /: 1\.10,/.test(String(value))),
    'plain event types only': rows.every((row) => /^[a-z_]+$/.test(String(row.event_type))),
    'both flags': among('flag', (value) => value === true) && among('flag', (value) => value === false),
    'a NULL note': among('note', (value) => value === null || value === undefined),
    'an empty note': texts.includes(''),
    'a comma': holds(/,/),
    'a quote': holds(/"/),
    'a newline': holds(/[^\r]\n/),
    'a carriage return': holds(/\r\n/),
    'a leading =': holds(/^=/),
    'an emoji': holds(/\p{Emoji_Presentation}/u),
    Arabic: holds(/\p{Script=Arabic}/u),
    Hebrew: holds(/\p{Script=Hebrew}/u),
    Japanese: holds(/\p{Script=Hiragana}/u),
    Chinese: holds(/\p{Script=Han}/u),
    Korean: holds(/\p{Script=Hangul}/u),
  };
  return Object.entries(found).flatMap(([what, isThere]) => (isThere ? [] : [what]));
}

/** Rows of both files, in their order: instants in microseconds, decimals unscaled, JSON as text. */
async function readEvents(made: string): Promise<Row[]> {
  const files = ['events-fixed.parquet', 'events-recent.parquet'];
  const contents = await Promise.all(files.map((file) => readParquet(join(made, file))));
  return contents.flatMap(({ columns, rows }) =>
    rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]]))),
  );
}

function between(rows: readonly Row[], start: string, end: string): readonly Row[] {
  const [from, to] = [start, end].map((day) => BigInt(Date.parse(day)) * 1000n);
  return rows.filter(
    ({ occurred_at: at }) => typeof at === 'bigint' && from !== undefined && to !== undefined && at >= from && at < to,
  );
}

function isoText(micros: unknown): string {
  assert.ok(typeof micros === 'bigint');
  return `${new Date(Number(micros / 1000n)).toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}Z`;
}

/** A row as the export must write it; null for a cell that is empty without quotes. */
function cells(row: Row): (string | null)[] {
  const texts: Row = { ...row, occurred_at: isoText(row.occurred_at), amount: decimalText(row.amount) };
  return COLUMNS.map((name) => (texts[name] === null || texts[name] === undefined ? null : String(texts[name])));
}

function decimalText(unscaled: unknown): string | null {
  if (typeof unscaled !== 'bigint') return null;
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(5, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

/** RFC 4180, with null for a cell that is empty without quotes. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/gy)) {
    row.push(quoted?.replaceAll('""', '"') ?? (plain || null));
    if (end === '\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

function hashes({ stdout }: Ended): string[] {
  return [...stdout.matchAll(/sha-256 ([0-9a-f]{64})/g)].map(([, hash = '']) => hash);
}

function exportFolder({ stdout }: Ended): string {
  return /^In (.*exports\/events-.*):$/m.exec(stdout)?.[1] ?? '';
}

async function modifiedTimes(made: string): Promise<readonly number[]> {
  const names = (await readdir(made)).sort();
  return Promise.all(names.map(async (name) => (await stat(join(made, name))).mtimeMs));
}
