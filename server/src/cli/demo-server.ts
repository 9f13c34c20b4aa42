import { readEnvironment } from '../base/config.ts';
import { openLog } from '../base/log.ts';
import { startServer } from '../daemon/server.ts';
import { RIGHTS } from '../tenant/principal.ts';
import type { Tenants } from '../tenant/queries.ts';
import { loadConfig } from './config-file.ts';
import { untilStopped } from './until-stopped.ts';

/** Known to everybody, so the demo listens on this machine alone and no other command makes them. */
const KEYS = [
  { key: 'dk_demo_acme', tenant: 'acme', tier: 'enterprise' },
  { key: 'dk_demo_globex', tenant: 'globex', tier: 'enterprise' },
  { key: 'dk_demo_free', tenant: 'tiny', tier: 'free' },
] as const;

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
  for (const { key, tenant, tier } of KEYS) {
    await tenants.putTenant(tenant, tier);
    await tenants.putKey({ name: `demo ${tenant}`, key, tenants: [tenant], rights: RIGHTS, dialects: ['native'] });
  }
}

function welcome(url: string): string {
  const keys = KEYS.map(({ key, tenant, tier }) => `  ${key.padEnd(16)} tenant ${tenant}, tier ${tier}`).join('\n');
  const body = JSON.stringify({ dataset: 'events', window: { start: '2026-03-02', end: '2026-03-09' }, format: 'csv' });
  return `
Drayage serves ${url}, its description is ${url}/docs. Keys:
${keys}

Create a job, list jobs with their runs and file links, look at the datasets:
  curl -s ${url}/v1/jobs -H 'Authorization: Bearer dk_demo_acme' -H 'Content-Type: application/json' -d '${body}'
  curl -s ${url}/v1/jobs -H 'Authorization: Bearer dk_demo_acme'
  curl -s ${url}/v1/datasets -H 'Authorization: Bearer dk_demo_acme'

Ctrl-C stops it; npm run demo goes on where it was.
`;
}
