/** A server on SQLite whose runs are held back, with ten accounts of every vendor, for benchmarks/flood.ts. Ends with its parent. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { readEnvironment } from '../server/src/base/config.ts';
import { openLog } from '../server/src/base/log.ts';
import { parseType } from '../server/src/column/type-name.ts';
import { startServer } from '../server/src/daemon/server.ts';
import type { Shape } from '../server/src/dataset/shape.ts';
import { readConfig } from '../server/src/request/config.ts';
import { dialects } from '../server/src/request/dialects.ts';
import { RIGHTS } from '../server/src/tenant/principal.ts';
import type { Tenants } from '../server/src/tenant/queries.ts';
import { ACCOUNTS, type FloodOrder, keyOf, QUEUED, tenantOf, VENDORS } from './flood-vendors.ts';

const RAISED = { requestsPerMinute: 1_000_000 };

const { folder, isLimited }: FloodOrder = JSON.parse(process.argv[2] ?? '{}');
const shapes = dialects
  .filter(({ name }) => VENDORS.some((vendor) => vendor.name === name))
  .flatMap((each) => each.shapes);
for (const shape of shapes) await writeShape(shape);

const server = await startServer({
  config: readConfig(
    {
      datasets: Object.fromEntries(shapes.map(({ name }) => [name, declarationOf(name)])),
      tiers: { bench: { queuedRuns: QUEUED } },
      dialects: isLimited ? {} : { shoal: RAISED, ironclad: RAISED },
    },
    dialects,
  ),
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
  prepare: putAccounts,
});
process.send?.({ port: server.port });
process.on('disconnect', () => void server.stop().then(() => process.exit(0)));

function declarationOf(name: string) {
  const source = { type: 'duckdb', files: `${name}.parquet` };
  return { source, columns: [{ name: 'tenant_of_row' }], tenancy: { column: 'tenant_of_row' } };
}

/** A row for each account, with values that fit; only targets are looked at. */
async function writeShape({ name, columns }: Shape): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const vendor = VENDORS.find((each) => name.startsWith(`${each.name}.`));
  const values = columns.map((column) => `${sampleOf(column)} as "${column.name}"`);
  const tenants = Array.from({ length: ACCOUNTS }, (_, at) => `'${vendor ? tenantOf(vendor, at) : ''}'`);
  await connection.run(
    `copy (select ${values.join(', ')}, unnest([${tenants.join(', ')}]) as tenant_of_row) to '${join(folder, `${name}.parquet`)}' (format parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}

function sampleOf({ name, type }: Shape['columns'][number]): string {
  const { is } = parseType(type, '');
  if (is === 'text') return name === 'kind' ? `'push'` : name === 'token' ? `'demo-campaign'` : `'x'`;
  if (is === 'instant') return `timestamptz '2026-04-02 00:00:00+00'`;
  if (is === 'json') return `'[]'::json`;
  if (is === 'list') return '[1::bigint]';
  return is === 'bool' ? 'true' : is === 'float' ? '1.5::double' : type === 'int32' ? '1::integer' : '1::bigint';
}

async function putAccounts(tenants: Tenants): Promise<void> {
  for (const vendor of VENDORS)
    for (let at = 0; at < ACCOUNTS; at++) {
      const tenant = tenantOf(vendor, at);
      await tenants.putTenant(tenant, 'bench');
      const key = keyOf(vendor, at);
      await tenants.putKey({ name: key, key, tenants: [tenant], rights: RIGHTS, dialects: [vendor.name] });
    }
}
