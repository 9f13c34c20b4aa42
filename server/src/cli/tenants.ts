import { tenantName } from '../tenant/principal.ts';
import { Tenants } from '../tenant/queries.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { CONFIG_FILE, loadConfig } from './config-file.ts';
import { printRows, withStore } from './store.ts';

export const tenants: Command = {
  help: `Usage: drayage tenants [list] [--json]
       drayage tenants put NAME --tier TIER [--config FILE]

A tenant's name is what the tenancy column of your datasets holds. Tiers are declared in the
configuration (default: ${CONFIG_FILE}).
`,

  async run(args) {
    const options = { tier: { type: 'string' }, config: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = readArgs({ args: [...args], options, allowPositionals: true });
    const [verb = 'list', name] = positionals;
    if (verb === 'list') {
      printRows(await withStore((db) => new Tenants(db).listTenants()), values.json ?? false);
      return 0;
    }
    if (verb !== 'put' || name === undefined || values.tier === undefined)
      throw new UsageError('Allowed are: tenants list, tenants put NAME --tier TIER.');
    const { config } = await loadConfig(values.config ?? CONFIG_FILE);
    const tier = values.tier;
    if (!Object.hasOwn(config.tiers, tier))
      throw new UsageError(`There is no tier ${tier}; there are ${Object.keys(config.tiers).join(', ')}.`);
    const checked = tenantName.safeParse(name);
    if (!checked.success)
      throw new UsageError(`A tenant cannot be called ${name}. ${checked.error.issues[0]?.message}.`);
    await withStore((db) => new Tenants(db).putTenant(name, tier));
    process.stdout.write(`Tenant ${name} has tier ${tier}.\n`);
    return 0;
  },
};
