/** A server on SQLite whose runs are held back, for benchmarks/create.ts: prints its port and key, ends with its parent. */
import { join } from 'node:path';
import { readEnvironment } from '../server/src/base/config.ts';
import { openLog } from '../server/src/base/log.ts';
import { startServer } from '../server/src/daemon/server.ts';
import { configSchema } from '../server/src/job/config.ts';
import { newKey, RIGHTS } from '../server/src/tenant/principal.ts';

const folder = process.argv[2] ?? '.';
const key = newKey();

const server = await startServer({
  config: configSchema.parse({
    datasets: { events: { source: { type: 'duckdb', files: 'events.parquet' }, tenancy: { column: 'tenant' } } },
    tiers: { bench: { queuedRuns: 1_000_000 } },
    native: { requestsPerSecond: 1_000_000 },
  }),
  folder,
  environment: {
    ...readEnvironment(),
    dataFolder: join(folder, 'data'),
    host: '127.0.0.1',
    port: 0,
    databaseUrl: null,
  },
  log: openLog('silent'),
  dispatches: false,
  prepare: async (tenants) => {
    await tenants.putTenant('acme', 'bench');
    await tenants.putKey({ name: 'bench', key, tenants: ['acme'], rights: RIGHTS, dialects: ['native'] });
  },
});
process.send?.({ port: server.port, key });
process.on('disconnect', () => void server.stop().then(() => process.exit(0)));
