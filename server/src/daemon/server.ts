import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../base/config.ts';
import { FreeSpace } from '../base/disk.ts';
import { Fault } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { isAlive } from '../base/processes.ts';
import { openSecret } from '../base/secrets.ts';
import { Db } from '../db/db.ts';
import { ownFolder } from '../db/owner.ts';
import type { ParsedConfig } from '../job/config.ts';
import { baseUrlOf, readOptions } from '../request/config.ts';
import { Desk } from '../request/desk.ts';
import type { Dialect, DialectGround } from '../request/dialect.ts';
import { dialects } from '../request/dialects.ts';
import type { FrontGround } from '../request/front.ts';
import { Limits } from '../request/limits.ts';
import { Links } from '../request/link.ts';
import { Catalog, describeFailure } from '../run/catalog.ts';
import { keptPath } from '../run/kept.ts';
import { openSigner, type Signer } from '../run/keys.ts';
import { checkAsk } from '../run/plan.ts';
import { Pool } from '../run/pool.ts';
import { Runs } from '../run/queries.ts';
import { Sweep } from '../run/sweep-queries.ts';
import { Work } from '../run/work-queries.ts';
import { Tenants } from '../tenant/queries.ts';
import { HttpDaemon } from './http.ts';
import { SweeperDaemon } from './sweeper.ts';
import { WorkerDaemon, type WorkerGround } from './worker.ts';

export interface ServerAsk {
  readonly config: ParsedConfig;
  /** Folder relative paths in the configuration start at. */
  readonly folder: string;
  readonly environment: Environment;
  readonly log: Log;
  /** Called with the tables in place and before anything is served or claimed. */
  prepare?(tenants: Tenants): Promise<void>;
  /** False holds runs back: they are accepted and wait. */
  readonly dispatches?: boolean;
}

/** A whole server: API, worker and sweeper in one process. */
export interface RunningServer {
  readonly port: number;
  /** Drains and stops. Twice is harmless. */
  stop(): Promise<void>;
}

/** Starts everything, or nothing: what was opened is closed again when a part fails. */
export async function startServer(ask: ServerAsk): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const { environment, log, config } = ask;
  const { dataFolder } = environment;
  parts.use(await ownFolder(dataFolder));
  const db = parts.use(await Db.open({ dataFolder, url: environment.databaseUrl }));
  await db.migrate();
  const tenants = new Tenants(db);
  await ask.prepare?.(tenants);
  await warnOfTiers(tenants, config, log);
  const limits = { threads: environment.threads, memoryBytes: config.runs.memory };
  const pool = parts.use(new Pool(limits.threads, limits.memoryBytes));
  const catalog = new Catalog({ config, folder: ask.folder, limits });
  for (const [dataset, error] of await catalog.load(pool)) log.error({ dataset, ...describeFailure(error) }, 'dataset');
  const signer = await openSigner(dataFolder);
  const { worker, sweeper, sweep } = daemonsOf(ask, db, { dataFolder, pool, catalog, log, signer, limits });
  const state = { isStopping: false };
  const ready = async () => !state.isStopping && (await tenants.isReachable());
  const desk = await openDesk({ ask, db, catalog, tenants, signer, ready, changed: () => worker.nudge() });
  const { host, port } = environment;
  const http = new HttpDaemon({ ...frontGround(desk, config), log, host, port });
  // Closed in the reverse order; a stop before the start is harmless.
  for (const daemon of [http, sweeper, worker]) parts.defer(() => daemon.stop());
  await sweep.endLeases((other) => isGone(other, db.kind));
  await http.start();
  await sweeper.start();
  if (ask.dispatches !== false) await worker.start();
  log.info({ port: http.port, pid: process.pid }, 'serving');
  const open = parts.move();
  const stop = () => {
    state.isStopping = true;
    return open.disposeAsync();
  };
  return { port: http.port, stop };
}

/** Every dialect over the one desk. */
function frontGround(desk: Desk, config: ParsedConfig): Pick<FrontGround, 'dialects' | 'hosts' | 'groundOf'> {
  const groundOf = (dialect: Dialect): DialectGround => {
    const options = readOptions(dialect, config);
    return { desk, options, baseUrl: baseUrlOf(dialect, options, config.publicUrl) };
  };
  return { dialects, hosts: config.hosts, groundOf };
}

type Shared = Pick<WorkerGround, 'dataFolder' | 'pool' | 'catalog' | 'log' | 'signer' | 'limits'>;

function daemonsOf({ config }: ServerAsk, db: Db, shared: Shared) {
  const name = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const work = new Work(db, name);
  const sweep = new Sweep(db);
  const worker = new WorkerDaemon({
    ...shared,
    work,
    tiers: config.tiers,
    atOnce: config.runs.atOnce ?? Math.max(2, availableParallelism()),
    graceMs: config.runs.grace,
  });
  const sweeper = new SweeperDaemon({ ...shared, work, sweep, worker: name, swept: () => worker.nudge() });
  return { worker, sweeper, sweep };
}

/** Runs of a tenant whose tier is not declared any more would wait, and nobody would know why. */
async function warnOfTiers(tenants: Tenants, { tiers }: ParsedConfig, log: Log): Promise<void> {
  for (const { id, tier } of await tenants.listTenants())
    if (!Object.hasOwn(tiers, tier))
      log.error({ tenant: id, tier }, 'tier is not declared: nothing of the tenant runs');
}

interface DeskAsk {
  readonly ask: ServerAsk;
  readonly db: Db;
  readonly catalog: Catalog;
  readonly tenants: Tenants;
  readonly signer: Signer;
  ready(): Promise<boolean>;
  changed(): void;
}

async function openDesk({ ask, db, catalog, tenants, signer, ready, changed }: DeskAsk): Promise<Desk> {
  const { config, environment } = ask;
  const { dataFolder } = environment;
  const space = new FreeSpace(dataFolder);
  const makeSecret = () => randomBytes(32).toString('hex');
  const secret = Buffer.from(await openSecret(join(dataFolder, 'keys', 'links.key'), makeSecret), 'hex');
  return new Desk({
    runs: new Runs(db),
    tenants,
    tiers: config.tiers,
    links: new Links({ secret, lifeMs: config.native.linkLife }),
    limits: new Limits(config.native.requestsPerSecond),
    catalog,
    check: checkAsk,
    admit: () => admit(config, space),
    pathOf: (file) => keptPath(dataFolder, file.runId, file.path),
    changed,
    manifestKey: signer.publicKey,
    ready,
  });
}

async function admit(config: ParsedConfig, space: FreeSpace): Promise<void> {
  if (config.maintenance) throw new Fault('maintenance', 'Under maintenance: nothing is accepted at the moment.');
  if ((await space.bytes()) < config.runs.diskFloor)
    throw new Fault('disk.low', 'There is not enough disk space for another export at the moment.');
}

/** Nobody else serves this data folder, so on SQLite every other worker is a dead one. */
function isGone(worker: string, kind: Db['kind']): boolean {
  const [host, pid] = worker.split(':');
  return kind === 'sqlite' || (host === hostname() && !isAlive(Number(pid)));
}
