import { later, now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import { isId } from '../base/ids.ts';
import { type Dataset, type Scope, scopeOf } from '../dataset/dataset.ts';
import type { Window } from '../dataset/window.ts';
import type { Ask } from '../job/ask.ts';
import type { Documents } from '../read/documents.ts';
import type { Row } from '../read/read-rows.ts';
import type { CountAsk, ReadAsk, Reads } from '../read/reads.ts';
import type { Accepted, Asker, FileOfRun, JobFilter, JobWithRun, Quota, Runs } from '../run/queries.ts';
import type { LogEntry, Run } from '../run/run.ts';
import { checkRight, chooseTenant, type Principal, type Right } from '../tenant/principal.ts';
import type { Tenants } from '../tenant/queries.ts';
import { checkTier, type Tier, type Tiers, type Wanted } from '../tenant/tier.ts';
import type { Limits } from './limits.ts';
import type { Links } from './link.ts';
import type { Offer } from './offer.ts';
import { isKept } from './phase.ts';

/** What the desk is given; daemons put it together. */
export interface DeskGround {
  readonly runs: Runs;
  readonly tenants: Tenants;
  readonly tiers: Tiers;
  readonly links: Links;
  readonly limits: Limits;
  readonly reads: Pick<Reads, 'read' | 'remembered' | 'count'>;
  readonly documents: Pick<Documents, 'set'>;
  readonly offer: Offer;
  /** Refuses what no run could do, and gives the window in full. */
  check(ask: Ask, ground: { dataset: Dataset; scope: Scope; now: string }): { window: Window };
  /** Throws `disk.low` or `maintenance` while nothing is accepted. */
  admit(): Promise<void>;
  /** Path of a kept file on this machine. */
  pathOf(file: FileOfRun): string;
  /** Called after whatever may have changed what there is to do. */
  changed(): void;
  /** Manifest key, public. */
  readonly manifestKey: object;
  /** Whether requests can be served at the moment. */
  ready(): Promise<boolean>;
}

/** Who asks, and in which request. */
export interface Caller {
  readonly principal: Principal;
  readonly requestId: string;
}

export interface CreateAsk {
  readonly dialect: string;
  readonly tenant: string | undefined;
  readonly ask: Ask;
  /** As the dialect shows it again. */
  readonly request: unknown;
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  /** The id the dialect's clients will know the job by; unique in the dialect. Null for ours. */
  readonly reference: string | null;
  readonly quota?: Quota | undefined;
}

/** A few rows of a dataset, wanted during a request. */
export interface LookupAsk extends Omit<ReadAsk, 'scope'> {
  /** How old the answer may be, in ms; left out, it is read now. */
  readonly forMs?: number;
}

/** What a document shows of its record, and how. */
export type PdfLayout = Extract<Ask['outputs'][number]['format'], { type: 'pdf' }>;

/** The one door from any dialect to the rest. If a verb is missing here, no dialect can do it. */
export class Desk {
  readonly #ground: DeskGround;

  constructor(ground: DeskGround) {
    this.#ground = ground;
  }

  get links(): Links {
    return this.#ground.links;
  }

  get limits(): Limits {
    return this.#ground.limits;
  }

  get manifestKey(): object {
    return this.#ground.manifestKey;
  }

  ready(): Promise<boolean> {
    return this.#ground.ready();
  }

  /** Whose key it is. Throws `auth.unknown`, or `auth.forbidden` for a key that may not speak the dialect. */
  async principalOf(key: string, dialect: string): Promise<Principal> {
    const principal = await this.#ground.tenants.principalOfKey(key);
    if (!principal) throw new Fault('auth.unknown', 'This API key is unknown or revoked.');
    if (!principal.dialects.includes(dialect))
      throw new Fault(
        'auth.forbidden',
        `This key does not speak ${dialect}; it speaks ${principal.dialects.join(', ')}.`,
      );
    return principal;
  }

  datasets({ principal }: Caller): readonly Dataset[] {
    return this.#ground.offer.list(principal);
  }

  dataset({ principal }: Caller, name: string): Dataset {
    return this.#ground.offer.find(principal, name);
  }

  async create(caller: Caller, asked: CreateAsk): Promise<Accepted> {
    const { dialect, tenant: named, ask, request, idempotency, reference, quota } = asked;
    const { runs, offer, check, admit, changed } = this.#ground;
    checkRight(caller.principal, 'write');
    const tenant = chooseTenant(caller.principal, named);
    const tier = this.tierOf(tenant.tier, dialect);
    // First of all: what was accepted is answered the same even while nothing new could be.
    const before = idempotency && (await runs.repeated(tenant.id, idempotency));
    if (before) return before;
    const dataset = this.dataset(caller, ask.dataset);
    this.tierOf(tenant.tier, offer.dialectOf(dataset.name) ?? dialect);
    const { window } = check(ask, { dataset, scope: scopeOf(dataset, tenant.id), now: now() });
    checkTier(tier, wantedOf(ask, window));
    await admit();
    const job = { tenant: tenant.id, principal: caller.principal.id, dialect, ask, request, reference };
    const accepted = await runs.submit({ ...askerOf(caller), job, window, tier, idempotency, quota });
    changed();
    return accepted;
  }

  /** Left out, of all the dialects the key speaks. */
  jobs(caller: Caller, filter: Omit<JobFilter, 'tenants'>): Promise<JobWithRun[]> {
    const { dialects } = caller.principal;
    return this.#ground.runs.jobs({ dialects, ...filter, tenants: tenantsOf(caller, 'read') });
  }

  async job(caller: Caller, id: string): Promise<JobWithRun> {
    return known(await this.#findJob(caller, id, tenantsOf(caller, 'read')), 'job');
  }

  /** What came by a dialect is there only for keys that speak it. */
  async #findJob({ principal }: Caller, id: string, tenants: readonly string[]): Promise<JobWithRun | null> {
    const found = isId('job', id) ? await this.#ground.runs.job(id, tenants) : null;
    return found && principal.dialects.includes(found.job.dialect) ? found : null;
  }

  async #findRun(caller: Caller, id: string, tenants: readonly string[]): Promise<Run | null> {
    return isId('run', id) ? this.#ground.runs.run(id, tenants, caller.principal.dialects) : null;
  }

  /** The job a dialect's clients know by this reference, so long after its creation. Throws `job.unknown`. */
  async jobByReference(caller: Caller, dialect: string, reference: string, lifeMs?: number): Promise<JobWithRun> {
    const found = known(await this.#ground.runs.referred(dialect, reference, tenantsOf(caller, 'read')), 'job');
    const isOver = lifeMs !== undefined && later(found.job.createdAt, lifeMs) <= now();
    return known(isOver ? null : found, 'job');
  }

  /** How many jobs the caller's tenants made by a dialect from an instant on. */
  countJobs(caller: Caller, dialect: string, from: string): Promise<number> {
    return this.#ground.runs.count(dialect, tenantsOf(caller, 'read'), from);
  }

  /** Rows the caller's only tenant may see. Throws what `Reads` throws. */
  async read(caller: Caller, { forMs, ...asked }: LookupAsk): Promise<readonly Row[]> {
    const { reads } = this.#ground;
    const ask = { ...asked, scope: this.#readScope(caller, asked.dataset) };
    return forMs === undefined ? reads.read(ask) : reads.remembered({ ...ask, forMs });
  }

  /** How many rows the caller's only tenant may see. Throws what `Reads` throws. */
  async count(caller: Caller, asked: Omit<CountAsk, 'scope'>): Promise<number> {
    return this.#ground.reads.count({ ...asked, scope: this.#readScope(caller, asked.dataset) });
  }

  #readScope(caller: Caller, dataset: string): Scope {
    checkRight(caller.principal, 'read');
    const { id } = chooseTenant(caller.principal, undefined);
    return scopeOf(this.dataset(caller, dataset), id);
  }

  /** A record set as a PDF, as an export of it would be. Throws what `Documents` throws. */
  document(record: object, layout: PdfLayout): Promise<Uint8Array> {
    return this.#ground.documents.set(record, layout);
  }

  async deleteJob(caller: Caller, id: string): Promise<void> {
    const tenants = tenantsOf(caller, 'write');
    const isKnown =
      (await this.#findJob(caller, id, tenants)) && (await this.#ground.runs.deleteJob(id, tenants, askerOf(caller)));
    known(isKnown || null, 'job');
    this.#ground.changed();
  }

  async runAgain(caller: Caller, jobId: string, idempotency: CreateAsk['idempotency']): Promise<Run> {
    const { runs, admit, changed } = this.#ground;
    const tenants = tenantsOf(caller, 'write');
    const { job, run: last } = known(await this.#findJob(caller, jobId, tenants), 'job');
    // Its clients know one run of it, and would see what is over begin again.
    if (job.reference !== null)
      throw new Fault('run.final', `A job that was made by ${job.dialect} is carried out once; make another there.`);
    const named = caller.principal.tenants.find(({ id }) => id === job.tenant);
    const tier = this.tierOf(named?.tier ?? '', job.dialect);
    this.dataset(caller, job.ask.dataset);
    checkTier(tier, wantedOf(job.ask, last.window));
    await admit();
    const run = known(await runs.again(jobId, tenants, { ...askerOf(caller), tier, idempotency }), 'job');
    changed();
    return run;
  }

  async runsOf(caller: Caller, jobId: string, page: { after?: string; limit: number }): Promise<Run[]> {
    const tenants = tenantsOf(caller, 'read');
    const found = await this.#findJob(caller, jobId, tenants);
    return known(found && (await this.#ground.runs.runsOf(jobId, tenants, page)), 'job');
  }

  async run(caller: Caller, id: string): Promise<Run> {
    return known(await this.#findRun(caller, id, tenantsOf(caller, 'read')), 'run');
  }

  async cancel(caller: Caller, id: string): Promise<Run> {
    const tenants = tenantsOf(caller, 'write');
    const found = await this.#findRun(caller, id, tenants);
    const run = found && (await this.#ground.runs.cancel(id, tenants, askerOf(caller)));
    this.#ground.changed();
    return known(run, 'run');
  }

  /** The manifest's text, or null before the run succeeded. */
  async manifest(caller: Caller, id: string): Promise<string | null> {
    const { tenant } = await this.run(caller, id);
    const text = await this.#ground.runs.manifest(id, [tenant]);
    return text === undefined ? known(null, 'run') : text;
  }

  async log(caller: Caller, id: string): Promise<LogEntry[]> {
    const { tenant } = await this.run(caller, id);
    return known(await this.#ground.runs.log(id, [tenant]), 'run');
  }

  /** What a link points at. Throws `link.invalid`, `file.expired`. */
  async openLink({ id, name }: { id: string; name: string }, query: LinkQuery): Promise<OpenedFile> {
    const { runs, links, tenants, pathOf } = this.#ground;
    const file = isId('file', id) ? await runs.file(id) : null;
    const principal = links.check({ id, tenant: file?.tenant ?? '' }, name, query);
    if (!file || !(await tenants.actsFor(principal, file.tenant)))
      throw new Fault('link.invalid', 'This link is not valid; look at the run again for a new one.');
    links.checkLife(query);
    if (!isKept(file, now())) throw new Fault('file.expired', 'This file is not kept any more; run the job again.');
    const note = (requestId: string) => runs.noteDownload(file, { principal, requestId });
    return { file, name, path: pathOf(file), note };
  }

  /** The tier of that name. Throws `tier.dialect` when it does not speak the dialect. */
  tierOf(name: string, dialect: string): Tier {
    const tier = Object.hasOwn(this.#ground.tiers, name) ? this.#ground.tiers[name] : undefined;
    if (!tier) throw new Fault('auth.forbidden', 'Your tier is not set up on this server; ask who operates it.');
    if (tier.dialects?.includes(dialect) !== false) return tier;
    throw new Fault('tier.dialect', `Your tier does not speak ${dialect}.`);
  }
}

type LinkQuery = Readonly<Record<string, unknown>>;

export interface OpenedFile {
  readonly file: FileOfRun;
  /** What it is called on the way. */
  readonly name: string;
  readonly path: string;
  /** Writes the download into the audit. */
  note(requestId: string): Promise<void>;
}

function wantedOf({ outputs, destinations }: Ask, window: Window): Wanted {
  return {
    formats: outputs.map(({ format }) => format.type),
    destinations: destinations.map(({ type }) => type),
    window,
  };
}

function askerOf({ principal, requestId }: Caller): Asker {
  return { principal: principal.id, requestId };
}

/** The tenants a caller may do that for. Throws `auth.forbidden`. */
function tenantsOf({ principal }: Caller, right: Right): string[] {
  checkRight(principal, right);
  return principal.tenants.map(({ id }) => id);
}

/** What is another's is as unknown as what was never there. */
function known<T>(value: T | null, what: 'job' | 'run'): T {
  if (value === null) throw new Fault(`${what}.unknown`, `There is no such ${what}.`);
  return value;
}
