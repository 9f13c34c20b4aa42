import { readEnvironment } from '../base/config.ts';
import { openLog } from '../base/log.ts';
import { startServer } from '../daemon/server.ts';
import { RIGHTS } from '../tenant/principal.ts';
import type { Tenants } from '../tenant/queries.ts';
import { loadConfig } from './config-file.ts';
import { DEMO_KEYS } from './demo-keys.ts';
import { untilStopped } from './until-stopped.ts';

const LOOPBACK = '127.0.0.1';

/** Serves the demo's datasets until it is stopped. */
export async function serveDemo(configFile: string): Promise<void> {
  const { config, folder } = await loadConfig(configFile);
  const environment = { ...readEnvironment(), host: LOOPBACK };
  const { port } = environment;
  const server = await startServer({
    // Port 0 is not known in time: links then have no host.
    config: port === 0 ? config : { ...config, publicUrl: `http://${LOOPBACK}:${port}` },
    folder,
    environment,
    log: openLog('info'),
    prepare: putKeys,
  });
  process.stdout.write(welcome(`http://${LOOPBACK}:${server.port}`));
  await untilStopped(server);
}

async function putKeys(tenants: Tenants): Promise<void> {
  for (const { tier, ...key } of DEMO_KEYS) {
    for (const tenant of key.tenants) await tenants.putTenant(tenant, tier);
    await tenants.putKey({ rights: RIGHTS, ...key, name: `demo ${key.tenants.join(', ')}` });
  }
}

function welcome(url: string): string {
  const keys = DEMO_KEYS.map(
    ({ key, tenants, tier, dialects }) =>
      `  ${key.padEnd(24)} ${dialects.join(', ').padEnd(10)} tenant ${tenants.join(', ')}, tier ${tier}`,
  ).join('\n');
  const body = JSON.stringify({ dataset: 'events', window: { start: '2026-03-02', end: '2026-03-09' }, format: 'csv' });
  return `
Drayage serves ${url}, its description is ${url}/docs. Keys, each of one dialect,
the vendors' at ${url}/shoal, /userpilot, /batch and /ironclad:
${keys}

Create a job, list jobs with their runs and file links, look at the datasets:
  curl -s ${url}/v1/jobs -H 'Authorization: Bearer dk_demo_acme' -H 'Content-Type: application/json' -d '${body}'
  curl -s ${url}/v1/jobs -H 'Authorization: Bearer dk_demo_acme'
  curl -s ${url}/v1/datasets -H 'Authorization: Bearer dk_demo_acme'

Ctrl-C stops it; npm run demo goes on where it was.
`;
}
