import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../src/cli/command.ts';
import { demo } from '../src/cli/demo.ts';
import { readExportArgs } from '../src/cli/export-args.ts';
import { readExportFlags } from '../src/cli/export-flags.ts';
import { verify } from '../src/cli/verify.ts';
import { verifyExport } from '../src/run/verify.ts';
import { comesTrue, descendants, isRunning, runCommand, startCommand } from './command-line.ts';
import { Yard } from './export-path.ts';

const yard = new Yard();
const small = yard.write('small.csv', 'id,name\n1,a\n2,\n3,""\n4,"x, ""y"""\n');
const big = join(yard.source, 'big.parquet');

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  await connection.run(
    `copy (select i as id, md5(i::varchar) as a, repeat(md5((i + 1)::varchar), 4) as b from range(250000) t(i)) to '${big}' (format parquet)`,
  );
  connection.closeSync();
});

after(() => yard[Symbol.dispose]());

let folders = 0;
function newFolder(): string {
  folders++;
  return yard.folder(`work ${folders}`);
}

const events = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('drayage export', () => {
  test('writes the file and a manifest that verifies, and says so', async () => {
    const cwd = newFolder();
    const { code, stdout, stderr } = await runCommand(['export', small, '--format', 'csv', '--to', 'out'], { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(cwd, 'out/small.csv'), 'utf8'), 'id,name\n1,a\n2,\n3,""\n4,"x, ""y"""\n');
    assert.match(stdout, /4 rows.*sha-256 [0-9a-f]{64} {2}small\.csv\nVerify: npx drayage verify out\n/);
    assert.equal((await runCommand(['verify', 'out'], { cwd })).code, 0);
    assert.deepEqual(readdirSync(cwd).sort(), ['.drayage', 'out']);
    assert.equal(statSync(join(cwd, '.drayage/keys/manifest.pem')).mode & 0o777, 0o600);
  });

  test('filter, columns, order and gzip as the documentation shows them', async () => {
    const cwd = newFolder();
    const types = 'amount=decimal(18,4),occurred_at=instant';
    const source = yard.write(
      'events.csv',
      'event_type,amount,occurred_at\na,10.50,2026-01-01\nb,99,2026-01-03\nc,50,2026-01-04\na,10.4999,2026-01-05\n',
    );
    const where = '{"event_type":{"in":["a","b"]},"amount":{"gte":"10.5"}}';
    const args = [
      'export',
      source,
      '--types',
      types,
      '--format',
      'csv',
      '--compression',
      'gzip',
      '--to',
      'out/',
      '--where',
      where,
    ];
    const { code, stderr } = await runCommand([...args, '--columns', 'occurred_at,amount', '--order', '-occurred_at'], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    const text = gunzipSync(readFileSync(join(cwd, 'out/events.csv.gz'))).toString();
    assert.equal(
      text,
      'occurred_at,amount\n2026-01-03T00:00:00.000000Z,99.0000\n2026-01-01T00:00:00.000000Z,10.5000\n',
    );
  });

  test('--json tells events only', async () => {
    const cwd = newFolder();
    const { stdout } = await runCommand(['export', small, '--format', 'jsonl', '--to', 'out', '--json'], { cwd });
    const told = events(stdout);
    assert.equal(told.at(-1).event, 'done');
    assert.deepEqual(told.at(-1).manifest, JSON.parse(readFileSync(join(cwd, 'out/manifest.json'), 'utf8')));
  });

  test('--explain shows plan, SQL and segments and writes nothing', async () => {
    const cwd = newFolder();
    const { code, stdout } = await runCommand(
      ['export', big, '--format', 'csv', '--compression', 'gzip:6', '--explain', '--where', '{"id":{"lt":5}}'],
      { cwd },
    );
    assert.equal(code, 0);
    assert.match(stdout, /^Plan {6}[0-9a-f]{64}\n/);
    assert.match(stdout, /"id" < '5'::BIGINT/);
    assert.match(stdout, /^Output {4}big\.csv\.gz, \{"type":"gzip","level":6\}, /m);
    assert.match(stdout, /Segments: \d+\n {2}1\. big\.parquet, rows 0 to \d+/);
    assert.deepEqual(readdirSync(cwd), []);
    const json = await runCommand(['export', big, '--format', 'csv', '--explain', '--json'], { cwd });
    assert.match(events(json.stdout).at(-1).hash, /^[0-9a-f]{64}$/);
  });

  const refusals: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['an unknown format', ['export', small, '--format', 'xls', '--to', 'out'], 2, /--format/],
    [
      'an unknown column',
      ['export', small, '--format', 'csv', '--to', 'out', '--columns', 'id,nope'],
      1,
      /"nope" is not a column of small; allowed are id, name.*\/columns\/1/,
    ],
    ['a missing file', ['export', 'nope.csv', '--format', 'csv', '--to', 'out'], 1, /No file matches nope\.csv/],
    [
      'parquet in gzip',
      ['export', small, '--format', 'parquet', '--compression', 'gzip', '--to', 'out'],
      1,
      /allowed is compression none/,
    ],
    [
      'a dataset without configuration',
      ['export', 'events', '--format', 'csv', '--to', 'out'],
      1,
      /There is no drayage\.config\.ts/,
    ],
    ['an unknown command', ['exprot'], 2, /there is no command exprot/],
  ];
  for (const [what, args, expected, message] of refusals) {
    test(`refuses ${what} and changes nothing`, async () => {
      const cwd = newFolder();
      const { code, stderr } = await runCommand(args, { cwd });
      assert.equal(code, expected, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at |select /i);
      assert.deepEqual(readdirSync(cwd), []);
    });
  }

  const misread: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no folder', ['--format', 'csv'], /--to FOLDER is needed/],
    ['an option of another format', ['--format', 'jsonl', '--bom', '--to', 'out'], /bom/],
    ['a filter that is no JSON', ['--format', 'csv', '--to', 'out', '--where', '{'], /--where is not JSON/],
    ['an unknown option', ['--format', 'csv', '--too', 'out'], /--too/],
  ];
  for (const [what, args, message] of misread)
    test(`takes ${what} for wrong usage`, () =>
      assert.throws(
        () => readExportArgs(readExportFlags([small, ...args])),
        (error: Error) => error instanceof UsageError && message.test(error.message),
      ));

  test('a folder with something in it is refused, and added to with --force', async () => {
    const cwd = newFolder();
    mkdirSync(join(cwd, 'out'));
    writeFileSync(join(cwd, 'out/mine.txt'), 'mine');
    const refused = await runCommand(['export', small, '--format', 'csv', '--to', 'out'], { cwd });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /not empty; allowed is a new or empty folder, or --force/);
    assert.deepEqual(readdirSync(join(cwd, 'out')), ['mine.txt']);
    const { code } = await runCommand(['export', small, '--format', 'csv', '--to', 'out', '--force'], { cwd });
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(join(cwd, 'out')).sort(), ['manifest.json', 'mine.txt', 'small.csv']);
    assert.equal(readFileSync(join(cwd, 'out/mine.txt'), 'utf8'), 'mine');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it within a second and leaves nothing behind`, async () => {
      const cwd = newFolder();
      const command = startCommand(['export', big, '--format', 'jsonl', '--to', 'deep/er/out', '--json'], { cwd });
      await command.said('"phase":"encode"');
      const children = descendants(command.process.pid ?? 0);
      const started = performance.now();
      command.process.kill(signal);
      const { code } = await command.ended;
      const tookMs = performance.now() - started;
      assert.equal(code, 130);
      assert.ok(tookMs < 1500, `${tookMs} ms`);
      assert.ok(await comesTrue(() => !children.some(isRunning), 500), 'a child is still there');
      assert.deepEqual(readdirSync(cwd), ['.drayage']);
    });
  }

  test('a dataset of a configuration: tenancy, renamed and hidden columns', async () => {
    const cwd = newFolder();
    writeFileSync(
      join(cwd, 'rows.csv'),
      'id,who,secret,at\n1,acme,s,2026-01-01\n2,globex,s,2026-01-02\n3,acme,s,2026-01-03\n',
    );
    writeFileSync(
      join(cwd, 'drayage.config.ts'),
      `export default { datasets: { things: { source: { type: 'duckdb', files: 'rows.csv' }, key: ['number'], time: 'at', tenancy: { column: 'who' },
        columns: [{ name: 'number', from: 'id', type: 'int64' }, { name: 'who' }, { name: 'secret', hidden: true }, { name: 'at', type: 'instant' }] } } };`,
    );
    const args = ['export', 'things', '--format', 'jsonl', '--to', 'out'];
    const refused = await runCommand(args, { cwd });
    assert.match(refused.stderr, /things belongs to tenants; name one\. \[auth\.forbidden\]/);
    const { code, stderr } = await runCommand(
      [...args, '--tenant', 'acme', '--start', '2026-01-02', '--order', '-at'],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.equal(
      readFileSync(join(cwd, 'out/things.jsonl'), 'utf8'),
      '{"number":3,"at":"2026-01-03T00:00:00.000000Z"}\n',
    );
    const answers = await Promise.all(
      ['secret', 'who', 'never'].map((name) =>
        runCommand([...args, '--force', '--tenant', 'acme', '--columns', name], { cwd }),
      ),
    );
    const [secret, who, never] = answers.map(({ stderr: text }) => text);
    assert.equal(secret?.replace('secret', 'never'), never);
    assert.equal(who?.replace('who', 'never'), never);
  });

  test('bare files and verify never load the configuration', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'drayage.config.ts'), 'throw new Error("loaded");');
    assert.equal((await runCommand(['export', small, '--format', 'csv', '--to', 'out'], { cwd })).code, 0);
    assert.equal((await runCommand(['verify', 'out'], { cwd })).code, 0);
  });
});

describe('a full disk', () => {
  const unshare = ['unshare', '-m', ...(process.getuid?.() === 0 ? [] : ['-Ur'])];
  const canMount =
    spawnSync(unshare[0] ?? '', [...unshare.slice(1), 'sh', '-c', `mount -t tmpfs -o size=1m tmpfs '${yard.other}'`])
      .status === 0;
  const skip = canMount ? false : 'no mount namespaces here (unshare of util-linux): the disk cannot be made small';
  // Every other format on a full disk: source-faults.test.ts.
  for (const format of [['csv'], ['csv', '--order', '-a']]) {
    test(`gives destination.full and leaves nothing: ${format.join(' ')}`, { skip }, async () => {
      const cwd = newFolder();
      const disk = join(cwd, 'disk');
      mkdirSync(disk);
      const script = `mount -t tmpfs -o size=8m tmpfs '${disk}' && "$@"; code=$?; ls -A '${disk}' >listing; exit $code`;
      const within = [...unshare, 'sh', '-c', script, 'sh'];
      const { code, stderr } = await runCommand(
        ['export', big, '--format', ...format, '--to', 'disk/out', '--verbose'],
        { cwd, within },
      );
      assert.equal(code, 1, stderr);
      assert.match(stderr, /There is no room left to write the export\. \[destination\.full\]/);
      assert.equal(readFileSync(join(cwd, 'listing'), 'utf8'), '');
    });
  }
});

describe('drayage verify', () => {
  const made = join(yard.root, 'made');
  before(async () => {
    mkdirSync(made);
    const { code, stderr } = await runCommand(['export', small, '--format', 'csv', '--to', 'out'], { cwd: made });
    assert.equal(code, 0, stderr);
  });

  function changed(change: (folder: string) => void): string {
    const cwd = newFolder();
    cpSync(made, cwd, { recursive: true });
    change(join(cwd, 'out'));
    return cwd;
  }

  async function verifyAfter(change: (folder: string) => void) {
    const { code, stdout } = await runCommand(['verify', 'out', '--json'], { cwd: changed(change) });
    return { code, answer: JSON.parse(stdout) };
  }

  const states = (answer: { files: readonly { path: string; state: string }[] }) =>
    Object.fromEntries(answer.files.map(({ path, state }) => [path, state]));

  test('intact', async () => {
    const { code, answer } = await verifyAfter(() => {});
    assert.equal(code, 0);
    assert.deepEqual(states(answer), { 'manifest.json': 'intact', 'small.csv': 'intact' });
    assert.equal(answer.knownSigner, true);
  });

  const changes: readonly (readonly [string, (folder: string) => void, Record<string, string>])[] = [
    [
      'one byte flipped',
      (folder) => flip(join(folder, 'small.csv')),
      { 'manifest.json': 'intact', 'small.csv': 'changed' },
    ],
    [
      'a byte appended',
      (folder) => appendFileSync(join(folder, 'small.csv'), 'x'),
      { 'manifest.json': 'intact', 'small.csv': 'changed' },
    ],
    [
      'a file deleted',
      (folder) => unlinkSync(join(folder, 'small.csv')),
      { 'manifest.json': 'intact', 'small.csv': 'missing' },
    ],
    [
      'a file added',
      (folder) => writeFileSync(join(folder, 'other.csv'), ''),
      { 'manifest.json': 'intact', 'small.csv': 'intact', 'other.csv': 'extra' },
    ],
    ['a symlink in its place', (folder) => relink(folder), { 'manifest.json': 'intact', 'small.csv': 'changed' }],
    [
      'the manifest changed',
      (folder) => edit(folder, '"rowsRead": 4', '"rowsRead": 5'),
      { 'manifest.json': 'changed', 'small.csv': 'intact' },
    ],
    [
      'a path that leads out',
      (folder) => edit(folder, '"path": "small.csv"', '"path": "../out/small.csv"'),
      { 'manifest.json': 'changed', '../out/small.csv': 'changed', 'small.csv': 'extra' },
    ],
    ['no manifest', (folder) => unlinkSync(join(folder, 'manifest.json')), { 'manifest.json': 'missing' }],
    [
      'a manifest that is none',
      (folder) => writeFileSync(join(folder, 'manifest.json'), '{}'),
      { 'manifest.json': 'changed' },
    ],
  ];
  for (const [what, change, expected] of changes) {
    test(what, async () => {
      const cwd = changed(change);
      const verification = await verifyExport(join(cwd, 'out'), join(cwd, '.drayage'));
      assert.equal(verification.isIntact, false);
      assert.deepEqual(states(verification), expected);
    });
  }

  test('what is not intact is told, and ends with 1', async () => {
    const { code, answer } = await verifyAfter((folder) => flip(join(folder, 'small.csv')));
    assert.equal(code, 1);
    assert.equal(answer.intact, false);
    assert.deepEqual(states(answer), { 'manifest.json': 'intact', 'small.csv': 'changed' });
  });

  test('an unknown signer is told, and all else being well is fine', async () => {
    const { code, answer } = await verifyAfter((folder) => rmSync(join(folder, '../.drayage'), { recursive: true }));
    assert.equal(code, 0);
    assert.equal(answer.knownSigner, false);
  });

  test('takes the manifest itself', async () => {
    assert.equal((await runCommand(['verify', 'out/manifest.json'], { cwd: made })).code, 0);
  });
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function relink(folder: string): void {
  const path = join(folder, 'small.csv');
  cpSync(path, join(folder, '../copy.csv'));
  unlinkSync(path);
  symlinkSync('../copy.csv', path);
}

function edit(folder: string, from: string, to: string): void {
  const path = join(folder, 'manifest.json');
  const text = readFileSync(path, 'utf8');
  assert.ok(text.includes(from));
  writeFileSync(path, text.replace(from, to));
}

test('--help of every command', async () => {
  for (const args of [['--help'], ['export', '--help']]) {
    const { code, stdout } = await runCommand(args, { cwd: yard.root });
    assert.equal(code, 0);
    assert.match(stdout, /Usage: drayage/);
  }
  for (const { help } of [verify, demo]) assert.match(help, /^Usage: drayage/);
});
