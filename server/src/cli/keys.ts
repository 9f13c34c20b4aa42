import { newKey, RIGHTS, type Right } from '../tenant/principal.ts';
import { Tenants } from '../tenant/queries.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { printRows, withStore } from './store.ts';
import { putTenants } from './tenants.ts';

const HELP = `Usage: drayage keys [list] [--json]
       drayage keys create --tenant NAME [--tenant NAME …] [--name TEXT] [--rights read,write]
                           [--dialect native …] [--tier TIER [--config FILE]] [--json]
       drayage keys revoke ID [ID …]

With --tier the tenants are made, or moved to that tier, before.

A key is shown once, when it is made; only its hash is kept. Revoking takes effect at once, also on
links that were given to holders of the key.
`;

export const keys: Command = {
  help: HELP,

  async run(args) {
    const options = {
      tenant: { type: 'string', multiple: true },
      dialect: { type: 'string', multiple: true },
      name: { type: 'string' },
      rights: { type: 'string' },
      tier: { type: 'string' },
      config: { type: 'string' },
      json: { type: 'boolean' },
    } as const;
    const { values, positionals } = readArgs({ args: [...args], options, allowPositionals: true });
    const [verb = 'list', ...ids] = positionals;
    const asJson = values.json ?? false;
    if (verb === 'revoke' && ids.length > 0) return await revokeAll(ids);
    if (verb === 'list' && ids.length === 0) await list(asJson);
    else if (verb === 'create' && ids.length === 0 && values.tenant) {
      const { tenant: tenants, name = tenants.join(', '), dialect: dialects = ['native'] } = values;
      const rights = readRights(values.rights);
      await checkDialects(dialects);
      if (values.tier !== undefined) await putTenants(tenants, values.tier, values.config);
      await create({ tenants, name, rights, dialects }, asJson);
    } else throw new UsageError('Allowed are: keys list, keys create --tenant NAME, keys revoke ID.');
    return 0;
  },
};

async function list(asJson: boolean): Promise<void> {
  const rows = await withStore((db) => new Tenants(db).listKeys());
  printRows(
    rows.map(({ id, name, tenants, rights, dialects, createdAt, revokedAt }) => ({
      id,
      name,
      tenants,
      rights,
      dialects,
      createdAt,
      revokedAt,
    })),
    asJson,
  );
}

interface CreateArgs {
  readonly tenants: readonly string[];
  readonly name: string;
  readonly rights: readonly Right[];
  readonly dialects: readonly string[];
}

async function create(ask: CreateArgs, asJson: boolean): Promise<void> {
  const key = newKey();
  const id = await withStore((db) => new Tenants(db).putKey({ ...ask, key }));
  if (asJson) process.stdout.write(`${JSON.stringify({ id, key, ...ask })}\n`);
  else process.stdout.write(`Key ${id} for ${ask.tenants.join(', ')}, shown this once:\n${key}\n`);
}

async function revokeAll(ids: readonly string[]): Promise<number> {
  const codes: number[] = [];
  for (const id of ids) codes.push(await revoke(id));
  return Math.max(...codes);
}

/** A key that speaks what there is not would be refused everywhere. */
async function checkDialects(names: readonly string[]): Promise<void> {
  const { dialects } = await import('../request/dialects.ts');
  const wrong = names.find((name) => !dialects.some((dialect) => dialect.name === name));
  if (wrong === undefined) return;
  throw new UsageError(`There is no dialect ${wrong}; there are ${dialects.map(({ name }) => name).join(', ')}.`);
}

async function revoke(text: string): Promise<number> {
  const isRevoked = /^\d{1,15}$/.test(text) && (await withStore((db) => new Tenants(db).revokeKey(Number(text))));
  process.stdout.write(isRevoked ? `Key ${text} is revoked.\n` : `There is no live key ${text}.\n`);
  return isRevoked ? 0 : 1;
}

function readRights(text: string | undefined): readonly Right[] {
  if (text === undefined) return RIGHTS;
  const rights = text === '' ? [] : text.split(',');
  const wrong = rights.find((right) => !RIGHTS.includes(right as Right));
  if (wrong !== undefined) throw new UsageError(`There is no right ${wrong}; there are ${RIGHTS.join(', ')}.`);
  return rights as Right[];
}
