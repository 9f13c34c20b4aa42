import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { type Answer, KEYS, ServerGround } from './server-ground.ts';

const SLOTS = { acme: 2, globex: 2, tiny: 1 } as const;

type Tenant = keyof typeof SLOTS;

const TENANTS = Object.keys(SLOTS) as Tenant[];

/** Places in tiny's queue; the others have more than they ask for. */
const TINY_QUEUE = 40;

/** Runs of all tenants that execute at a time: fewer than all slots together, so tenants compete. */
const AT_ONCE = 3;

const SAMPLE_MS = 3;

const TIERS = {
  enterprise: { concurrentRuns: 2, queuedRuns: 1000 },
  free: { concurrentRuns: 1, queuedRuns: TINY_QUEUE },
};

interface Sample {
  readonly tenant: Tenant;
  readonly state: string;
  readonly count: number;
}

interface ClaimView {
  readonly tenant: Tenant;
  readonly created: string;
  readonly started: string;
  readonly finished: string | null;
}

/** Our tables beside the server, read-only. */
class Watcher implements Disposable {
  readonly #database: DatabaseSync;

  constructor(dataFolder: string) {
    this.#database = new DatabaseSync(join(dataFolder, 'drayage.db'), { readOnly: true, timeout: 5000 });
  }

  states(): Sample[] {
    const text = 'select tenant_id as tenant, state, count(*) as count from runs group by tenant_id, state';
    return this.#database.prepare(text).all() as unknown as Sample[];
  }

  /** The same of what waits and what is at work, found by indexes: cheap enough to ask all the time. */
  unfinished(): Sample[] {
    const text = `
      select tenant_id as tenant, state, count(*) as count from runs
      where state in ('running', 'committing') group by tenant_id, state
      union all select tenant_id, 'queued', count(*) from runs where state = 'queued' group by tenant_id`;
    return this.#database.prepare(text).all() as unknown as Sample[];
  }

  /** In the order the runs were claimed. */
  claims(): ClaimView[] {
    const text = `select tenant_id as tenant, created_at as created, attempts.started_at as started,
        attempts.finished_at as finished
      from attempts join runs on runs.id = attempts.run_id order by attempts.rowid`;
    return this.#database.prepare(text).all() as unknown as ClaimView[];
  }

  uses() {
    const text = 'select tenant_id as tenant, queued_runs as queued, active_runs as active from tenant_uses';
    return this.#database.prepare(text).all() as { tenant: Tenant; queued: number; active: number }[];
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

interface Load {
  /** Of each tenant, all at once. */
  readonly creates: number;
  /** How many claims are watched; the rest is cancelled then. */
  readonly claims: number;
}

/** Tests the limits of tenants that create runs all at once, and the fairness among them. */
export function holdLimits({ creates, claims }: Load): void {
  suite('limits hold under load', () => {
    test(`${TENANTS.length} tenants with ${creates} creates each, all at once`, async (context) => {
      await using ground = await ServerGround.open({ rows: 100, config: { tiers: TIERS, runs: { atOnce: AT_ONCE } } });
      using watcher = new Watcher(ground.dataFolder);
      await using watch = new SlotWatch(watcher);
      const answers = await createAll(ground, creates);
      const accepted = checkAnswers(answers, creates);
      const isDone = await drain(watcher, claims);
      context.diagnostic(`${accepted} accepted, ${watch.samples} samples, ${watcher.claims().length} claims`);
      assert.deepEqual(watch.beyond, []);
      assert.equal(watch.most, AT_ONCE, 'as many at a time as there may be');
      checkFairness(watcher.claims());
      if (!isDone) await cancelRest(ground, watcher);
      checkEnd(watcher, accepted, isDone);
    });
  });
}

async function createAll(ground: ServerGround, creates: number): Promise<Record<Tenant, Answer[]>> {
  const create = (key: string) => ground.call('POST', '/v1/jobs', { key, body: { dataset: 'events', format: 'csv' } });
  const all = await Promise.all(
    TENANTS.map(async (tenant) => {
      const asked = Array.from({ length: creates }, () => create(KEYS[tenant]));
      return [tenant, await Promise.all(asked)] as const;
    }),
  );
  return Object.fromEntries(all) as Record<Tenant, Answer[]>;
}

/** Gives how many were accepted. */
function checkAnswers(answers: Record<Tenant, Answer[]>, creates: number): number {
  const accepted = (tenant: Tenant) => answers[tenant].filter(({ status }) => status < 300);
  for (const tenant of ['acme', 'globex'] as const) assert.equal(accepted(tenant).length, creates);
  const refused = answers.tiny.filter(({ status }) => status >= 300);
  assert.ok(refused.length > 0, 'the queue was full');
  assert.ok(accepted('tiny').length >= TINY_QUEUE);
  for (const { status, headers, json } of refused) {
    assert.equal(status, 429);
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.equal(json.code, 'tier.queue');
  }
  return TENANTS.reduce((sum, tenant) => sum + accepted(tenant).length, 0);
}

/** Looks every few milliseconds until disposed. */
class SlotWatch implements AsyncDisposable {
  /** What was ever found to be more than allowed. */
  readonly beyond: string[] = [];
  samples = 0;
  /** Most runs at work at a time. */
  most = 0;
  readonly #watcher: Watcher;
  readonly #watching: Promise<void>;
  #isOver = false;

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
    this.#watching = this.#watch();
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      this.#look(this.#watcher.unfinished());
      this.samples++;
      await sleep(SAMPLE_MS);
    }
  }

  #look(states: readonly Sample[]): void {
    let all = 0;
    for (const tenant of TENANTS) {
      const active = countOf(states, tenant, ['running', 'committing']);
      if (active > SLOTS[tenant]) this.beyond.push(`${tenant} has ${active} at work`);
      all += active;
    }
    const waiting = countOf(states, 'tiny', ['queued']);
    if (waiting > TINY_QUEUE) this.beyond.push(`tiny has ${waiting} waiting`);
    if (all > AT_ONCE) this.beyond.push(`${all} at work`);
    this.most = Math.max(this.most, all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }
}

function countOf(states: readonly Sample[], tenant: Tenant, wanted: readonly string[]): number {
  const found = states.filter((each) => each.tenant === tenant && wanted.includes(each.state));
  return found.reduce((sum, { count }) => sum + count, 0);
}

/** Waits until so many runs were claimed; true when nothing waits or runs any more. */
async function drain(watcher: Watcher, claims: number): Promise<boolean> {
  while (watcher.unfinished().length > 0) {
    if (watcher.claims().length >= claims) return false;
    await sleep(50);
  }
  return true;
}

/**
 * The fewest at work go first, then who was served longest ago. So while a tenant waits with nothing
 * at work, each of the others is claimed for once at most before it: nobody is starved by who asks for more.
 */
function checkFairness(claims: readonly ClaimView[]): void {
  let checked = 0;
  for (const [at, claim] of claims.entries()) {
    const own = claims.slice(0, at).filter(({ tenant }) => tenant === claim.tenant);
    const since = own.reduce((last, { finished }) => max(last, finished ?? FOREVER), '');
    if (since > claim.started || claim.created > since) continue;
    const before = claims.slice(0, at).filter(({ tenant, started }) => tenant !== claim.tenant && started > since);
    const passed = before.map(({ tenant }) => tenant);
    assert.equal(new Set(passed).size, passed.length, `${passed.join(', ')} went before ${claim.tenant}`);
    checked++;
  }
  assert.ok(checked > 20, 'tenants waited');
}

/** After every instant. */
const FOREVER = '9999';

function max(one: string, other: string): string {
  return one > other ? one : other;
}

/** Cancels what waits, and sees what runs end. */
async function cancelRest(ground: ServerGround, watcher: Watcher): Promise<void> {
  for (const tenant of TENANTS)
    while (countOf(watcher.unfinished(), tenant, ['queued']) > 0) {
      const { json } = await ground.call('GET', '/v1/jobs?state=queued&limit=100', { key: KEYS[tenant] });
      for (const { id } of json.data) await ground.call('DELETE', `/v1/jobs/${id}`, { key: KEYS[tenant] });
    }
  while (TENANTS.some((tenant) => countOf(watcher.unfinished(), tenant, ['running', 'committing']) > 0))
    await sleep(20);
}

function checkEnd(watcher: Watcher, accepted: number, isDone: boolean): void {
  const states = watcher.states();
  assert.equal(
    states.reduce((sum, { count }) => sum + count, 0),
    accepted,
  );
  for (const { tenant, queued, active } of watcher.uses())
    assert.deepEqual(
      [queued, active],
      [countOf(states, tenant, ['queued']), countOf(states, tenant, ['running', 'committing'])],
      tenant,
    );
  if (isDone) assert.deepEqual(new Set(states.map(({ state }) => state)), new Set(['succeeded']));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
