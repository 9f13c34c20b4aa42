import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { filesFolder, segmentsFolder } from '../src/run/execution.ts';
import type { Plan, PlanAsk } from '../src/run/plan.ts';
import { Worker } from '../src/run/worker.ts';
import { ASKS, type Attempted, assertKept, ResumeGround, reusedOf, sumsOf, wholeSegments } from './resume.ts';

/** What a kill waits for: a segment begun, bytes joined and hashed, a record being put in place, or no more than a time. */
const MOMENTS = ['encoding', 'joining', 'noting', 'any'] as const;

type Moment = (typeof MOMENTS)[number];

/** A run is left alone after so many attempts, so that it ends. */
const MOST_KILLS = 5;

type AskName = keyof typeof ASKS;

interface Storm {
  /** In all, spread over the exports. */
  readonly kills: number;
  readonly segments: number;
  readonly asks?: readonly AskName[];
}

/** What became of runs. */
class Tally {
  runs = 0;
  readonly struck = new Map<Moment, number>();
  /** Ended before their kill. */
  beside = 0;
  reused = 0;
  total = 0;

  get kills(): number {
    return [...this.struck.values()].reduce((sum, count) => sum + count, 0);
  }

  strike({ moment }: Strike, hasEnded: boolean): void {
    if (hasEnded) this.beside++;
    else this.struck.set(moment, (this.struck.get(moment) ?? 0) + 1);
  }

  end({ results }: Attempted): void {
    this.runs++;
    this.reused += reusedOf(results);
    this.total += results.reduce((sum, { segments }) => sum + segments.total, 0);
  }

  add(other: Tally): void {
    for (const [moment, count] of other.struck) this.struck.set(moment, (this.struck.get(moment) ?? 0) + count);
    this.runs += other.runs;
    this.beside += other.beside;
    this.reused += other.reused;
    this.total += other.total;
  }

  toString(): string {
    const moments = MOMENTS.map((moment) => `${moment} ${this.struck.get(moment) ?? 0}`).join(', ');
    return `${this.kills} kills (${moments}; ${this.beside} came too late), ${this.runs} runs succeeded, ${this.reused} of the ${this.total} segments of their last attempts were there already`;
  }
}

/** Kills the process of an attempt with SIGKILL, lets the next one go on from what it left, and compares. */
export function killAndResume({ kills, segments, asks = Object.keys(ASKS) as AskName[] }: Storm): void {
  describe(`${kills} times kill -9 of a run: the next attempt writes only what is missing`, () => {
    let ground: ResumeGround;
    const all = new Tally();
    before(async () => {
      ground = await ResumeGround.open(segments);
    });
    after(() => ground[Symbol.asyncDispose]());

    for (const [at, name] of asks.entries()) {
      const share = Math.floor(((at + 1) * kills) / asks.length) - Math.floor((at * kills) / asks.length);
      test(`${name}: ${share} kills`, async (t) => {
        const tally = await killShare(ground, { ask: ASKS[name], share, seed: at });
        t.diagnostic(`${tally}`);
        all.add(tally);
      });
    }

    test('the kills struck at every moment, and segments were used again', (t) => {
      t.diagnostic(`${all}`);
      assert.equal(all.kills, kills);
      assert.equal(all.struck.size, MOMENTS.length);
      assert.ok(all.reused > 0);
    });
  });
}

interface Share {
  readonly ask: PlanAsk;
  readonly share: number;
  readonly seed: number;
}

async function killShare(ground: ResumeGround, { ask, share, seed }: Share): Promise<Tally> {
  const tally = new Tally();
  const plan = await ground.plan(ask);
  const began = performance.now();
  const expected = await ground.undisturbed(plan);
  const strikes = new Strikes(seed, performance.now() - began);
  while (tally.kills < share) {
    assert.ok(tally.beside <= share + 5, `too many kills came too late: ${tally}`);
    await runKilled(ground, { plan, expected, tally, strikes, most: Math.min(MOST_KILLS, share - tally.kills) });
  }
  return tally;
}

interface Case {
  readonly plan: Plan;
  readonly expected: readonly string[];
  readonly tally: Tally;
  readonly strikes: Strikes;
  readonly most: number;
}

/** One run, killed up to so many times before it is left alone. */
async function runKilled(ground: ResumeGround, { plan, expected, tally, strikes, most }: Case): Promise<void> {
  for (let kills = 0; ; kills++) {
    const stage = await ground.nextStage();
    const whole = await wholeSegments(stage, plan);
    const strike = kills < most ? strikes.next() : null;
    const ended = await attemptKilled({ plan, stage }, strike);
    await assertKept(stage, whole);
    if (strike) tally.strike(strike, ended !== null);
    if (strike && ended) strikes.cameLate(strike);
    if (!ended) continue;
    const segments = [...whole.keys()].filter((name) => name !== 'sorted.parquet');
    assert.equal(reusedOf(ended.results), segments.length, 'other segments were used than those that were whole');
    assert.deepEqual(await sumsOf(stage, ended.results), expected);
    await assertTidy(stage, plan);
    tally.end(ended);
    return ground.startOver();
  }
}

/** Every segment is noted, and nothing is left of what was cut off. */
async function assertTidy(stage: string, plan: Plan): Promise<void> {
  const whole = await wholeSegments(stage, plan);
  const names = [...whole.keys()].flatMap((name) => [name, `${name}.done`]);
  assert.deepEqual((await readdir(segmentsFolder(stage))).sort(), names.sort());
}

interface Strike {
  readonly moment: Moment;
  /** The moment comes this often before it is struck. */
  readonly times: number;
  readonly delayMs: number;
}

/** Moments in turn; golden steps spread times and delays evenly whatever their number. */
class Strikes {
  readonly #undisturbedMs: number;
  #at: number;
  #late: Strike | null = null;

  constructor(seed: number, undisturbedMs: number) {
    this.#at = seed;
    this.#undisturbedMs = undisturbedMs;
  }

  next(): Strike {
    const strike = this.#late ?? this.#draw(this.#at++);
    this.#late = null;
    return strike;
  }

  /** The moment comes again, and earlier. */
  cameLate(strike: Strike): void {
    this.#late = { ...strike, times: 1, delayMs: strike.delayMs / 4 };
  }

  #draw(at: number): Strike {
    const share = (at * 0.618) % 1;
    const moment = MOMENTS[at % MOMENTS.length] ?? 'any';
    const isAny = moment === 'any';
    const delayMs = isAny ? share * 0.6 * this.#undisturbedMs : 0;
    return { moment, times: isAny ? 1 : 1 + Math.floor(share * 3), delayMs };
  }
}

/** An attempt in a process of its own; null when it was killed before it was done. */
async function attemptKilled(
  { plan, stage }: { readonly plan: Plan; readonly stage: string },
  strike: Strike | null,
): Promise<Attempted | null> {
  await using worker = new Worker(plan.limits.threads);
  using _ = strike === null ? null : striking(stage, strike, () => worker.isAlive && process.kill(worker.pid ?? 0, 9));
  const [input] = plan.source.inputs;
  try {
    const results = await worker.execute({
      ...{ plan, stage, isResumable: true, recovers: false },
      access: { type: 'duckdb', files: input?.path ?? '' },
      signal: new AbortController().signal,
      progress: () => {},
    });
    return { stage, results };
  } catch (error) {
    if (worker.isAlive || strike === null) throw error;
    return null;
  }
}

/** Kills when the moment has come often enough, until disposed. */
function striking(stage: string, { moment, times, delayMs }: Strike, kill: () => void): Disposable {
  const seen = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let left = times;
  const watcher = watch(moment === 'joining' ? filesFolder(stage) : segmentsFolder(stage), (_, name) => {
    if (name === null || !fits(moment, name) || (moment !== 'joining' && seen.has(name))) return;
    seen.add(name);
    if (--left > 0) return;
    if (delayMs === 0) kill();
    else timer ??= setTimeout(kill, delayMs);
  });
  return {
    [Symbol.dispose]: () => {
      watcher.close();
      clearTimeout(timer);
    },
  };
}

function fits(moment: Moment, name: string): boolean {
  if (moment === 'noting') return name.endsWith('.done.new');
  return moment !== 'encoding' || !/\.(done|new)$/.test(name);
}
