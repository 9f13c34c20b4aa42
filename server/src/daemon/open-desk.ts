import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FreeSpace } from '../base/disk.ts';
import { Fault } from '../base/errors.ts';
import { openSecret } from '../base/secrets.ts';
import type { Db } from '../db/db.ts';
import type { ParsedConfig } from '../job/config.ts';
import type { Documents } from '../read/documents.ts';
import type { Reads } from '../read/reads.ts';
import { Desk } from '../request/desk.ts';
import { Limits } from '../request/limits.ts';
import { Links } from '../request/link.ts';
import { Offer } from '../request/offer.ts';
import type { Catalog } from '../run/catalog.ts';
import { keptPath } from '../run/kept.ts';
import type { Signer } from '../run/keys.ts';
import { checkAsk } from '../run/plan.ts';
import { Runs } from '../run/queries.ts';
import type { Tenants } from '../tenant/queries.ts';
import { dialectsOfShapes } from './dialects.ts';
import type { ServerAsk } from './server.ts';

interface DeskAsk {
  readonly ask: ServerAsk;
  readonly db: Db;
  readonly catalog: Catalog;
  readonly tenants: Tenants;
  readonly reads: Reads;
  readonly documents: Documents;
  readonly signer: Signer;
  ready(): Promise<boolean>;
  changed(): void;
}

/** The desk over what a server has opened. */
export async function openDesk({ ask, db, catalog, ...rest }: DeskAsk): Promise<Desk> {
  const { config, environment } = ask;
  const { dataFolder } = environment;
  const space = new FreeSpace(dataFolder);
  const makeSecret = () => randomBytes(32).toString('hex');
  const secret = Buffer.from(await openSecret(join(dataFolder, 'keys', 'links.key'), makeSecret), 'hex');
  return new Desk({
    runs: new Runs(db),
    ...rest,
    offer: new Offer(catalog, dialectsOfShapes()),
    tiers: config.tiers,
    links: new Links({ secret, lifeMs: config.native.linkLife }),
    limits: new Limits(config.native.requestsPerSecond),
    check: checkAsk,
    admit: () => admit(config, space),
    pathOf: (file) => keptPath(dataFolder, file.runId, file.path),
    manifestKey: rest.signer.publicKey,
  });
}

async function admit(config: ParsedConfig, space: FreeSpace): Promise<void> {
  if (config.maintenance) throw new Fault('maintenance', 'Under maintenance: nothing is accepted at the moment.');
  if ((await space.bytes()) < config.runs.diskFloor)
    throw new Fault('disk.low', 'There is not enough disk space for another export at the moment.');
}
