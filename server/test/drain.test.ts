import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { comesTrue, isRunning } from './command-line.ts';
import { draws } from './draws.ts';
import { ask, type Service, type ServiceProcess, ServiceYard } from './service-process.ts';
import { configOver, writeSources } from './service-requests.ts';

const sources = mkdtempSync(join(tmpdir(), 'drayage-drain-'));

const BIG = { dataset: 'big', format: 'jsonl', order: ['-amount', 'id'] };
const SMALL = { dataset: 'small', format: 'csv' };

/** A cancel is seen within 1.5 s and the child is gone 0.7 s later. */
const CANCEL_MS = 3500;
const SETTLE_MS = 5000;

interface LivesOptions {
  readonly grace?: string;
  readonly atOnce?: number;
  /** Each with a process group of its own. */
  readonly asGroup?: boolean;
}

/** A yard for the tests of a suite, with sources of its own; unless said otherwise a server carries out one run at a time. */
class Lives {
  readonly yard: ServiceYard;
  readonly #asGroup: boolean;
  #latest: Service | null = null;

  private constructor(yard: ServiceYard, asGroup: boolean) {
    this.yard = yard;
    this.#asGroup = asGroup;
  }

  static async begin({ grace = '20s', atOnce = 1, asGroup = false }: LivesOptions): Promise<Lives> {
    const yard = await ServiceYard.open({ config: { datasets: {} }, tenants: { acme: 'lasting' } });
    for (const name of ['big.parquet', 'small.parquet']) copyFileSync(join(sources, name), join(yard.folder, name));
    yard.configure({ ...configOver(yard.folder), runs: { atOnce, grace, diskFloor: '1MB' } });
    return new Lives(yard, asGroup);
  }

  /** The life that serves: the one that a test before left, or the next one. */
  async serving(): Promise<Service> {
    if (!this.#latest?.service.isAlive) this.#latest = await this.yard.serving({ asGroup: this.#asGroup });
    return this.#latest;
  }
}

/** Opens lives before the tests of this suite. */
function livesOf(options: LivesOptions = {}): () => Lives {
  let lives: Lives;
  before(async () => {
    lives = await Lives.begin(options);
  });
  after(() => lives.yard[Symbol.asyncDispose]());
  return () => lives;
}

async function create(url: string, body: object): Promise<string> {
  const { status, json } = await ask(url, 'POST /v1/jobs', { tenant: 'acme', body });
  assert.equal(status, 202, JSON.stringify(json));
  return json.run.id;
}

/** Creates a run and waits until its encoding goes on. */
async function createEncoding({ service, url }: Service): Promise<string> {
  const run = await create(url, BIG);
  await service.said('phase', (line) => line.run === run && line.phase === 'encode');
  return run;
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, signal);
}

function runRow(yard: ServiceYard, run: string) {
  const [row] = yard.rows('select state, attempt, failures, deaths, error_code from runs where id = ?', run);
  return { ...row };
}

function endings(yard: ServiceYard, run: string): unknown[] {
  const rows = yard.rows('select ending, fault_code from attempts where run_id = ? order by attempt', run);
  return rows.map(({ ending, fault_code }) => (fault_code ? `${ending} ${fault_code}` : ending));
}

const succeeded = (run: string) => [`succeeded`, (line: { run?: string }) => line.run === run] as const;

async function drained(service: ServiceProcess): Promise<void> {
  assert.deepEqual(await service.ended, { code: 0, signal: null }, service.text);
}

function stages(yard: ServiceYard): string[] {
  const folder = join(yard.dataFolder, 'stage');
  return existsSync(folder) ? readdirSync(folder) : [];
}

function assertNoFiles(yard: ServiceYard, run: string): void {
  assert.deepEqual(yard.rows('select id from files where run_id = ?', run), []);
  assert.ok(!existsSync(join(yard.dataFolder, 'files', run)));
  assert.deepEqual(stages(yard), []);
}

/** Waits out no backoff: what waits is due now. */
function hurry(yard: ServiceYard): void {
  yard.rows(`update runs set due_at = '2000-01-01T00:00:00.000Z' where state = 'queued' returning id`);
}

/** Whether the process has a handler for the signal. */
function catches(pid: number, signal: number): boolean {
  const [, mask = '0'] = /^SigCgt:\s+([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Each signal and each moment; the soak sends each signal at each moment. */
const GROUP_SIGNALS = [
  ['SIGTERM', 'phase'],
  ['SIGINT', 'claimed'],
  ['SIGTERM', 'claimed'],
  ['SIGINT', 'phase'],
] as const;

before(() => writeSources(sources, 120_000));
after(() => rmSync(sources, { recursive: true, force: true }));

describe('a server', { concurrency: 2 }, () => {
  describe('that is told to stop', { concurrency: 1 }, () => stops(livesOf()));
  describe('that is told to stop and waits a second only', { concurrency: 1 }, () =>
    stopsHastily(livesOf({ grace: '1s' })),
  );
  describe('whose whole process group is told to stop', { concurrency: 1 }, () =>
    groupStops(livesOf({ atOnce: 2, asGroup: true })),
  );
  describe('whose children die, whose runs are cancelled and whose source changes', { concurrency: 1 }, () =>
    goesOn(livesOf()),
  );
});

function stops(lives: () => Lives): void {
  test('SIGTERM: what runs is finished, nothing is claimed, the rest waits for the next start', async () => {
    const { yard } = lives();
    const first = await lives().serving();
    const running = await createEncoding(first);
    const waiting = await create(first.url, SMALL);
    first.service.kill('SIGTERM');
    await drained(first.service);
    assert.deepEqual(
      first.service.lines.filter(({ event }) => event === 'claimed').map(({ run }) => run),
      [running],
    );
    assert.equal(runRow(yard, running).state, 'succeeded');
    assert.deepEqual(
      { ...runRow(yard, waiting) },
      { state: 'queued', attempt: 0, failures: 0, deaths: 0, error_code: null },
    );
    const { service } = await lives().serving();
    await service.said(...succeeded(waiting));
    assert.deepEqual(endings(yard, waiting), ['succeeded']);
    assert.deepEqual(endings(yard, running), ['succeeded']);
  });

  test('a second signal ends it at once, and nothing is lost', async () => {
    const { yard } = lives();
    const first = await lives().serving();
    const run = await createEncoding(first);
    const children = first.service.children();
    signalAll(children, 'SIGSTOP');
    first.service.kill('SIGTERM');
    const { pid } = first.service;
    assert.ok(await comesTrue(() => !catches(pid, 15), SETTLE_MS));
    first.service.kill('SIGTERM');
    assert.deepEqual(await first.service.ended, { code: null, signal: 'SIGTERM' });
    signalAll(children, 'SIGCONT');
    assert.ok(await comesTrue(() => yard.processes().length === 0, SETTLE_MS));
    const { service } = await lives().serving();
    await service.said(...succeeded(run));
    assert.deepEqual(endings(yard, run), ['died', 'succeeded']);
  });

  test('a second server on its data folder is refused, naming it; a killed one is in nobody’s way', async () => {
    const { service } = await lives().serving();
    const second = lives().yard.start();
    const { code } = await second.ended;
    assert.notEqual(code, 0);
    assert.match(second.text, new RegExp(`process ${service.pid}\\b`));
    assert.ok(service.isAlive);
    service.kill('SIGKILL');
    await service.ended;
    assert.notEqual(await lives().serving(), service);
  });
}

function stopsHastily(lives: () => Lives): void {
  test('a run that needs longer than the grace time goes back to the queue and succeeds after the next start', async () => {
    const { yard } = lives();
    const first = await lives().serving();
    const run = await createEncoding(first);
    signalAll(first.service.children(), 'SIGSTOP');
    first.service.kill('SIGTERM');
    await drained(first.service);
    assert.deepEqual(runRow(yard, run), { state: 'queued', attempt: 1, failures: 0, deaths: 0, error_code: null });
    assert.deepEqual(endings(yard, run), ['released']);
    // What it wrote until then serves the next attempt.
    assert.deepEqual(stages(yard), [`${run}-1`]);
    const { service } = await lives().serving();
    await service.said(...succeeded(run));
    assert.deepEqual(endings(yard, run), ['released', 'succeeded']);
    assert.deepEqual(stages(yard), []);
  });

  test('a run whose source does not answer goes back to the queue, too', async () => {
    const { service, url } = await lives().serving();
    signalAll(service.children(), 'SIGSTOP');
    const run = await create(url, SMALL);
    await service.said('claimed', (line) => line.run === run);
    service.kill('SIGTERM');
    const ended = await Promise.race([service.ended, comesTrue(() => false, 8000)]);
    assert.deepEqual(ended, { code: 0, signal: null }, service.text);
    assert.deepEqual(endings(lives().yard, run), ['released']);
  });
}

function groupStops(lives: () => Lives): void {
  for (const [signal, moment] of GROUP_SIGNALS.slice(0, draws({ few: 2, many: 4 })))
    test(`${signal} to all of them at "${moment}" loses nothing`, async () => {
      const { yard } = lives();
      const first = await lives().serving();
      const runs = [await create(first.url, BIG), await create(first.url, SMALL)];
      await first.service.said(moment, ({ run }) => run === runs[0]);
      first.service.killGroup(signal);
      await drained(first.service);
      for (const run of runs) {
        const { state, failures } = runRow(yard, run);
        assert.ok(state === 'queued' || state === 'succeeded', JSON.stringify(runRow(yard, run)));
        assert.equal(failures, 0);
      }
      assert.deepEqual(yard.processes(), []);
      const { service } = await lives().serving();
      const isOver = () => runs.every((run) => runRow(yard, run).state === 'succeeded');
      assert.ok(await comesTrue(isOver, 20_000), service.text);
      for (const run of runs) assert.ok(!endings(yard, run).includes('failed'));
    });
}

/** All of it happens to one life. */
function goesOn(lives: () => Lives): void {
  test('kill -9 of a child at work: the attempt died, the run succeeds with the next', async () => {
    const { yard } = lives();
    const { service, url } = await lives().serving();
    const run = await createEncoding({ service, url });
    signalAll(service.children(), 'SIGKILL');
    await service.said(...succeeded(run));
    assert.deepEqual(endings(yard, run), ['died', 'succeeded']);
    assert.deepEqual(runRow(yard, run), { state: 'succeeded', attempt: 2, failures: 0, deaths: 1, error_code: null });
  });

  test('kill -9 of idle children is no failure of the runs that come next', async () => {
    const { service, url } = await lives().serving();
    for (let round = 0; round < 2; round++) {
      signalAll(service.children(), 'SIGKILL');
      const run = await create(url, SMALL);
      await service.said(...succeeded(run));
      const all = endings(lives().yard, run);
      assert.ok(
        all.every((ending) => ending === 'died' || ending === 'succeeded'),
        String(all),
      );
    }
  });

  test('after ten deaths the run has failed', () => testDeaths(lives()));

  for (const moment of ['its source does not answer', 'it is encoded'] as const)
    test(`a cancelled run is over, its stage gone and its slot free soon after, while ${moment}`, () =>
      testCancel(lives(), moment));

  test('a replaced file: the attempt fails, the next exports the new file', () => testReplaced(lives()));

  test('a removed file: the run fails in the end, with no files and the source to blame', () => testRemoved(lives()));
}

/** The soak dies ten times; else the second to the eighth of them are only written down. */
async function testDeaths(lives: Lives): Promise<void> {
  const { yard } = lives;
  const { service, url } = await lives.serving();
  const run = await create(url, SMALL);
  const deaths = draws({ few: 3, many: 10 });
  for (let death = 1; death <= deaths; death++) {
    await service.said('claimed', (line) => line.run === run && line.attempt === death);
    const isOver = () => {
      signalAll(service.children(), 'SIGKILL');
      return endings(yard, run)[death - 1] !== null;
    };
    assert.ok(await comesTrue(isOver, SETTLE_MS), service.text);
    if (death === 1) yard.rows('update runs set deaths = deaths + ? where id = ? returning id', 10 - deaths, run);
    hurry(yard);
  }
  const died = { state: 'failed', attempt: deaths, failures: 0, deaths: 10, error_code: 'internal' };
  assert.deepEqual(runRow(yard, run), died);
  assert.ok(
    endings(yard, run).every((ending, at) => (at === deaths - 1 ? ending === 'died internal' : ending === 'died')),
  );
  assert.ok(await comesTrue(() => stages(yard).length === 0, SETTLE_MS));
  assertNoFiles(yard, run);
  await service.said(...succeeded(await create(url, SMALL)));
}

async function testCancel(lives: Lives, moment: 'its source does not answer' | 'it is encoded'): Promise<void> {
  const { yard } = lives;
  const { service, url } = await lives.serving();
  const isEncoded = moment === 'it is encoded';
  if (!isEncoded) signalAll(service.children(), 'SIGSTOP');
  const run = isEncoded ? await createEncoding({ service, url }) : await create(url, SMALL);
  await service.said('claimed', (line) => line.run === run);
  signalAll(service.children(), 'SIGSTOP');
  const start = performance.now();
  const { json } = await ask(url, `POST /v1/runs/${run}/cancel`, { tenant: 'acme' });
  assert.equal(json.state, 'cancelled');
  const next = await create(url, SMALL);
  await service.said('claimed', (line) => line.run === next);
  const ms = performance.now() - start;
  assert.ok(ms < CANCEL_MS, `${ms} ms`);
  assert.deepEqual(endings(yard, run), ['cancelled']);
  await service.said(...succeeded(next));
  assertNoFiles(yard, run);
  const [uses] = yard.rows('select queued_runs, active_runs from tenant_uses');
  assert.deepEqual({ ...uses }, { queued_runs: 0, active_runs: 0 });
}

async function testReplaced(lives: Lives): Promise<void> {
  const { yard } = lives;
  const { service, url } = await lives.serving();
  const run = await createEncoding({ service, url });
  const children = service.children();
  signalAll(children, 'SIGSTOP');
  renameSync(join(yard.folder, 'small.parquet'), join(yard.folder, 'big.parquet'));
  signalAll(children, 'SIGCONT');
  await service.said('attempt ended', (line) => line.run === run);
  hurry(yard);
  const isOver = () => ['succeeded', 'failed'].includes(String(runRow(yard, run).state));
  assert.ok(await comesTrue(isOver, 30_000), service.text);
  assert.deepEqual(endings(yard, run), ['failed source.changed', 'succeeded']);
  const [file] = yard.rows('select rows from files where run_id = ?', run);
  assert.equal(file?.rows, 2000);
  copyFileSync(join(sources, 'big.parquet'), join(yard.folder, 'big.parquet'));
}

async function testRemoved(lives: Lives): Promise<void> {
  const { yard } = lives;
  const { service, url } = await lives.serving();
  const run = await createEncoding({ service, url });
  const children = service.children();
  signalAll(children, 'SIGSTOP');
  unlinkSync(join(yard.folder, 'big.parquet'));
  signalAll(children, 'SIGCONT');
  const isOver = () => {
    hurry(yard);
    return runRow(yard, run).state === 'failed';
  };
  assert.ok(await comesTrue(isOver, 30_000), service.text);
  const { error_code, failures } = runRow(yard, run);
  assert.deepEqual({ error_code, failures }, { error_code: 'source.unreachable', failures: 5 });
  assert.equal(endings(yard, run)[0], 'failed source.changed');
  assert.ok(await comesTrue(() => stages(yard).length === 0, SETTLE_MS));
  assertNoFiles(yard, run);
}
