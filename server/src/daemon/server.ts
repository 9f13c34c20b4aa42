import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import type { Environment } from '../base/config.ts';
import type { Log } from '../base/log.ts';
import { isAlive } from '../base/processes.ts';
import { Db } from '../db/db.ts';
import { ownFolder } from '../db/owner.ts';
import type { ParsedConfig } from '../job/config.ts';
import { Documents } from '../read/documents.ts';
import { Reads } from '../read/reads.ts';
import { Catalog, describeFailure } from '../run/catalog.ts';
import { History } from '../run/history-queries.ts';
import { openSigner } from '../run/keys.ts';
import { Pool } from '../run/pool.ts';
import { Sweep } from '../run/sweep-queries.ts';
import { Work } from '../run/work-queries.ts';
import { Tenants } from '../tenant/queries.ts';
import { frontGround, openNotifier } from './dialects.ts';
import { HttpDaemon } from './http.ts';
import { openDesk } from './open-desk.ts';
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

/** The engine's reader of JSON lines alone asks for 128 MiB; two reads go on at a time, beside the runs. */
const READ_MEMORY_BYTES = 256 * 1024 ** 2;

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
  await loadDatasets(catalog, pool, log);
  const signer = await openSigner(dataFolder);
  const { worker, sweeper, sweep } = daemonsOf(ask, db, { dataFolder, pool, catalog, log, signer, limits });
  const reads = parts.use(new Reads({ catalog, dataFolder, memoryBytes: READ_MEMORY_BYTES, log }));
  const documents = parts.use(new Documents());
  const state = { isStopping: false };
  const ready = async () => !state.isStopping && (await tenants.isReachable());
  const changed = () => worker.nudge();
  const desk = await openDesk({ ask, db, catalog, tenants, reads, documents, signer, ready, changed });
  const { host, port } = environment;
  const http = new HttpDaemon({ ...frontGround(desk, config), log, host, port });
  const notifier = openNotifier(desk, { db, config, log });
  // Closed in the reverse order; a stop before the start is harmless.
  for (const daemon of [http, notifier, sweeper, worker]) parts.defer(() => daemon.stop());
  await sweep.endLeases((other) => isGone(other, db.kind));
  await http.start();
  await sweeper.start();
  await notifier.start();
  if (ask.dispatches !== false) await worker.start();
  log.info({ port: http.port, pid: process.pid }, 'serving');
  const open = parts.move();
  const stop = () => {
    state.isStopping = true;
    return open.disposeAsync();
  };
  return { port: http.port, stop };
}

async function loadDatasets(catalog: Catalog, pool: Pool, log: Log): Promise<void> {
  for (const [dataset, error] of await catalog.load(pool)) log.error({ dataset, ...describeFailure(error) }, 'dataset');
  for (const [dataset, message] of catalog.warnings) log.warn({ dataset, message }, 'dataset');
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
  const sweeper = new SweeperDaemon({
    ...shared,
    work,
    sweep,
    history: new History(db),
    historyMs: config.runs.history,
    worker: name,
    swept: () => worker.nudge(),
  });
  return { worker, sweeper, sweep };
}

/** Runs of a tenant whose tier is not declared any more would wait, and nobody would know why. */
async function warnOfTiers(tenants: Tenants, { tiers }: ParsedConfig, log: Log): Promise<void> {
  for (const { id, tier } of await tenants.listTenants())
    if (!Object.hasOwn(tiers, tier))
      log.error({ tenant: id, tier }, 'tier is not declared: nothing of the tenant runs');
}

/** Nobody else serves this data folder, so on SQLite every other worker is a dead one. */
function isGone(worker: string, kind: Db['kind']): boolean {
  const [host, pid] = worker.split(':');
  return kind === 'sqlite' || (host === hostname() && !isAlive(Number(pid)));
}
