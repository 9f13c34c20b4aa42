import { tenantName } from '../tenant/principal.ts';
import { Tenants } from '../tenant/queries.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { CONFIG_FILE, loadConfig } from './config-file.ts';
import { printRows, withStore } from './store.ts';

export const tenants: Command = {
  help: `Usage: drayage tenants [list] [--json]
       drayage tenants put NAME [NAME …] --tier TIER [--config FILE]

A tenant's name is what the tenancy column of your datasets holds. Tiers are declared in the
configuration (default: ${CONFIG_FILE}).
`,

  async run(args) {
    const options = { tier: { type: 'string' }, config: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = readArgs({ args: [...args], options, allowPositionals: true });
    const [verb = 'list', ...names] = positionals;
    if (verb === 'list' && names.length === 0) {
      const rows = await withStore((db) => new Tenants(db).listTenants());
      printRows(rows.map(viewOf), values.json ?? false);
      return 0;
    }
    if (verb !== 'put' || names.length === 0 || values.tier === undefined)
      throw new UsageError('Allowed are: tenants list, tenants put NAME --tier TIER.');
    await putTenants(names, values.tier, values.config);
    process.stdout.write(`${names.map((name) => `Tenant ${name} has tier ${values.tier}.\n`).join('')}`);
    return 0;
  },
};

type TenantRow = Awaited<ReturnType<Tenants['listTenants']>>[number];

function viewOf({ id, tier, queued_runs, active_runs, stored_bytes, created_at }: TenantRow) {
  return {
    id,
    tier,
    queuedRuns: queued_runs,
    activeRuns: active_runs,
    storedBytes: stored_bytes,
    createdAt: created_at,
  };
}

/** Makes tenants, or moves them to another tier, which must be declared. */
export async function putTenants(names: readonly string[], tier: string, configFile = CONFIG_FILE): Promise<void> {
  const { config } = await loadConfig(configFile);
  if (!Object.hasOwn(config.tiers, tier))
    throw new UsageError(`There is no tier ${tier}; there are ${Object.keys(config.tiers).join(', ')}.`);
  for (const name of names) {
    const checked = tenantName.safeParse(name);
    if (!checked.success)
      throw new UsageError(`A tenant cannot be called ${name}. ${checked.error.issues[0]?.message}.`);
  }
  await withStore(async (db) => {
    for (const name of names) await new Tenants(db).putTenant(name, tier);
  });
}
