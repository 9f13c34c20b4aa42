import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { assertNothingLost, namesIn, type Undisturbed } from './service-books.ts';
import { type Asked, JobClient, type JobRequest } from './service-client.ts';
import { type LogLine, type ServiceProcess, ServiceYard } from './service-process.ts';
import { BIG, configOver, SMALL, TENANTS, writeSources } from './service-requests.ts';

const PHASES = ['claim', 'encoding', 'hashing', 'committing', 'publishing', 'sweeping'] as const;

type Phase = (typeof PHASES)[number];

/** No moment of a life takes longer to come; the sweeper's rounds are 5 s apart. */
const MOMENT_MS = 12_000;
const FINISH_MS = 150_000;
/** Six kills take a quarter of a minute on a quiet machine; a slow one shall not be taken for a fault. */
const STORM_MS = 900_000;

interface Storm {
  readonly kills: number;
  /** Kills that must have struck in each phase. */
  readonly perPhase: number;
  readonly bigRows: number;
}

/** Kills servers at work on one data folder, one life after the other, and then looks whether anything was lost. */
export function killServices(storm: Storm): void {
  test(`${storm.kills} times kill -9 of the server, at least ${storm.perPhase} in each phase: nothing lost, nothing twice, nothing left`, {
    timeout: STORM_MS,
  }, async (t) => {
    const begun = performance.now();
    await using ground = await ServiceYard.open({ config: { datasets: {} }, tenants: {} });
    await writeSources(ground.folder, storm.bigRows);
    const config = configOver(ground.folder);
    await using yard = await ServiceYard.open({ config, tenants: TENANTS });
    const client = new JobClient(yard);
    const undisturbed = await runUndisturbed(yard, client);
    const kills = new Kills(yard, client);
    while (!kills.isEnough(storm)) await kills.strike();
    t.diagnostic(`${kills.summary()} in ${Math.round(performance.now() - begun)} ms`);
    const { service } = await finish(yard, client);
    service.kill('SIGTERM');
    assert.deepEqual(await service.ended, { code: 0, signal: null }, service.text);
    const isQuiet = await until(() => yard.processes().length === 0, 3000);
    assert.ok(isQuiet, `still there: ${yard.processes()}`);
    const counts = await assertNothingLost(yard, client, undisturbed);
    t.diagnostic(`${counts}, ${assertResumed(yard)} in ${Math.round(performance.now() - begun)} ms`);
  });
}

/** Every request once, by a life that nothing happens to. It leaves files that the first of the others has to sweep. */
async function runUndisturbed(yard: ServiceYard, client: JobClient): Promise<Undisturbed> {
  const { service, url } = await yard.serving();
  for (const request of [...BIG, ...SMALL]) await client.create(url, request);
  for (const { run } of client.asked) await service.said('succeeded', (line) => line.run === run);
  const files = new Map(client.asked.map((asked) => [asked.request, fileOf(yard, asked)]));
  service.kill('SIGTERM');
  await service.ended;
  return files;
}

/** What an attempt had written when it was killed was used by the one after it. Gives the figure. */
function assertResumed(yard: ServiceYard): string {
  const logs = yard.rows('select log from attempts').map(({ log }) => JSON.parse(String(log)));
  const resumed = logs.flat().filter(({ event }: { event: string }) => event === 'resumed');
  assert.ok(resumed.length > 0, 'no run used what was there already');
  return `${resumed.length} of them resumed`;
}

function fileOf(yard: ServiceYard, { run }: Asked) {
  const [file] = yard.rows('select rows, bytes, sha256 from files where run_id = ?', run ?? '');
  assert.ok(file);
  return { rows: Number(file.rows), bytes: Number(file.bytes), sha256: String(file.sha256) };
}

/** Lets everything come to its end and be cleared up. */
async function finish(yard: ServiceYard, client: JobClient): Promise<{ service: ServiceProcess }> {
  const { service, url } = await yard.serving();
  await client.repeatLost(url);
  const left = () => client.unfinished();
  assert.ok(await heard(service, () => left() === 0, FINISH_MS), `${left()} runs are not done:\n${service.text}`);
  const unswept = () => yard.rows(`select id from files where tenant_id = 'brief' and removed_at is null`).length;
  const isClear = () => unswept() === 0 && namesIn(join(yard.dataFolder, 'stage')).length === 0;
  assert.ok(await heard(service, isClear, MOMENT_MS + 5000), 'it is not swept');
  return { service };
}

/** Waits until something holds, looking again at every line; tells whether it came to hold. */
async function heard(service: ServiceProcess, holds: () => boolean, limitMs: number): Promise<boolean> {
  if (holds()) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(holds()), limitMs);
  const stop = service.listen(() => holds() && resolve(true));
  void service.ended.then(() => resolve(holds()));
  return promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
}

async function until(holds: () => boolean, limitMs: number): Promise<boolean> {
  for (const end = performance.now() + limitMs; !holds(); await wait(20)) if (performance.now() > end) return false;
  return true;
}

/** A moment at which a life may be ended, and what it says of the run that it came for. */
interface Moment {
  readonly target: Phase;
  readonly delayMs: number;
}

/** What a life's end met. */
interface Met {
  readonly line: LogLine | null;
  /** Whether bytes of the run were hashed and on the disk already. */
  readonly hasBytes: boolean;
}

class Kills {
  readonly #client: JobClient;
  readonly #yard: ServiceYard;
  readonly #struck = new Map<Phase, number>(PHASES.map((phase) => [phase, 0]));
  #kills = 0;
  #beside = 0;

  constructor(yard: ServiceYard, client: JobClient) {
    this.#yard = yard;
    this.#client = client;
  }

  isEnough({ kills, perPhase }: Storm): boolean {
    const isEnough = this.#kills >= kills && PHASES.every((phase) => this.#count(phase) >= perPhase);
    // A busy machine meets other moments than were meant.
    assert.ok(isEnough || this.#kills < kills * 2 + 18, `too many kills beside their moment: ${this.summary()}`);
    return isEnough;
  }

  summary(): string {
    const each = PHASES.map((phase) => `${phase} ${this.#count(phase)}`).join(', ');
    return `${this.#kills} kills: ${each}; ${this.#beside} beside their moment`;
  }

  /** One life: jobs are created until it is killed at its moment. */
  async strike(): Promise<void> {
    const moment = this.#nextMoment();
    const service = this.#yard.start();
    if (moment.target !== 'sweeping') await heard(service, () => this.#frail() === 0, MOMENT_MS);
    const isBig = moment.target === 'encoding' || moment.target === 'hashing';
    const pumping = this.#pump(service, isBig);
    const met = await endAt(service, moment, this.#yard.dataFolder);
    await Promise.all([service.ended, pumping]);
    const phase = phaseOf(service, met);
    this.#kills++;
    if (phase === null) this.#beside++;
    else this.#struck.set(phase, this.#count(phase) + 1);
  }

  /** Runs that died twice and are due: ten deaths are a run's end, and each makes the next wait longer. */
  #frail(): number {
    const sql = `select id from runs where deaths >= 2 and state in ('queued', 'running') and due_at <= ?`;
    return this.#yard.rows(sql, new Date().toISOString()).length;
  }

  #count(phase: Phase): number {
    return this.#struck.get(phase) ?? 0;
  }

  /** The phase struck least often; sweeping needs something to sweep, so it goes before while there is. */
  #nextMoment(): Moment {
    const soon = new Date(Date.now() + 200).toISOString();
    const due = this.#yard.rows('select id from files where removed_at is null and expires_at <= ? limit 1', soon);
    const possible = PHASES.filter((phase) => phase !== 'sweeping' || due.length > 0);
    const rank = (phase: Phase) => this.#count(phase) - (phase === 'sweeping' ? 1.5 : 0);
    const [target = 'claim'] = [...possible].sort((a, b) => rank(a) - rank(b));
    // Golden steps spread the delays evenly whatever their number; every other short moment is struck at once.
    const share = (this.#kills * 0.618) % 1;
    const isShort = target === 'committing' || target === 'publishing' || target === 'sweeping';
    const delayMs = isShort ? (this.#kills % 2) * share * 2 : share * 30;
    return { target, delayMs };
  }

  /** Creates jobs while the life lasts, so many that there always is something to do. */
  async #pump(service: ServiceProcess, isBig: boolean): Promise<void> {
    const serving = await service.said('serving').catch(() => null);
    if (serving === null) return;
    const url = `http://127.0.0.1:${serving.port}`;
    try {
      if (isBig) await this.#client.create(url, pick(BIG, this.#client.asked.length));
      await this.#client.repeatLost(url);
      while (service.isAlive) {
        if (this.#client.unfinished() < 5) await this.#client.create(url, pick(SMALL, this.#client.asked.length));
        else await Promise.race([nextLine(service), service.ended]);
      }
    } catch (error) {
      // The answer was lost with the life; the next one is asked again.
      if (service.isAlive && !(await Promise.race([service.ended, wait(MOMENT_MS, false, { ref: false })])))
        throw error;
    }
  }
}

function pick(requests: readonly JobRequest[], at: number): JobRequest {
  const request = requests[at % requests.length];
  assert.ok(request);
  return request;
}

function nextLine(service: ServiceProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = service.listen(() => resolve());
  return promise.finally(stop);
}

/** Kills the server at its moment, or when that does not come. */
async function endAt(service: ServiceProcess, { target, delayMs }: Moment, dataFolder: string): Promise<Met> {
  const { promise, resolve } = Promise.withResolvers<Met>();
  const kill = (line: LogLine | null, hasBytes = false) => {
    if (service.kill('SIGKILL')) resolve({ line, hasBytes });
    else resolve({ line: null, hasBytes });
  };
  const timer = setTimeout(() => kill(null), MOMENT_MS);
  const stop = service.listen((line) => {
    if (!begins(line, target)) return;
    stop();
    if (target === 'hashing') afterBytes(line, dataFolder, (hasBytes) => after(delayMs, () => kill(line, hasBytes)));
    else after(delayMs, () => kill(line));
  });
  void service.ended.then(() => resolve({ line: null, hasBytes: false }));
  return promise.finally(() => clearTimeout(timer));
}

function begins(line: LogLine, target: Phase): boolean {
  if (target === 'claim') return line.event === 'claimed';
  const isBig = line.tenant === 'acme';
  if (target === 'encoding' || target === 'hashing') return isBig && line.event === 'phase' && line.phase === 'encode';
  return line.event === target;
}

/** A timer is a millisecond late, and some moments last no longer. */
function after(delayMs: number, act: () => void): void {
  if (delayMs > 5) return void setTimeout(act, delayMs);
  const end = performance.now() + delayMs;
  const look = () => (performance.now() >= end ? act() : void setImmediate(look));
  look();
}

/** Bytes are hashed as they are written, so their being there tells that hashing goes on. */
function afterBytes({ run, attempt }: LogLine, dataFolder: string, act: (hasBytes: boolean) => void): void {
  const folder = join(dataFolder, 'stage', `${run}-${attempt}`, 'files');
  const look = () => {
    const names = namesIn(folder);
    const hasBytes = names.some((name) => sizeOf(join(folder, name)) > 0);
    if (hasBytes || !existsSync(folder)) act(hasBytes);
    else setTimeout(look, 2);
  };
  look();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Where the run stood when its server died, by the last line about it; null when it was past its moment. */
function phaseOf(service: ServiceProcess, { line, hasBytes }: Met): Phase | null {
  if (line === null) return null;
  const last = service.lines.findLast(({ run }) => run === line.run);
  if (last?.event === 'claimed' || last?.event === 'planned') return 'claim';
  if (last?.event === 'phase' && last.phase === 'encode') return hasBytes ? 'hashing' : 'encoding';
  if (last?.event === 'committing' || last?.event === 'publishing' || last?.event === 'sweeping') return last.event;
  return last?.event === 'published' ? 'publishing' : null;
}
