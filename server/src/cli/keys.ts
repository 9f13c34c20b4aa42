import { newKey, RIGHTS, type Right } from '../tenant/principal.ts';
import { Tenants } from '../tenant/queries.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { printRows, withStore } from './store.ts';

const HELP = `Usage: drayage keys [list] [--json]
       drayage keys create --tenant NAME [--tenant NAME …] [--name TEXT] [--rights read,write]
                           [--dialect native …]
       drayage keys revoke ID

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
      json: { type: 'boolean' },
    } as const;
    const { values, positionals } = readArgs({ args: [...args], options, allowPositionals: true });
    const [verb = 'list', id] = positionals;
    if (verb === 'list') await list(values.json ?? false);
    else if (verb === 'create' && values.tenant)
      await create({
        tenants: values.tenant,
        name: values.name ?? values.tenant.join(', '),
        rights: readRights(values.rights),
        dialects: values.dialect ?? ['native'],
      });
    else if (verb === 'revoke' && id !== undefined) return await revoke(id);
    else throw new UsageError('Allowed are: keys list, keys create --tenant NAME, keys revoke ID.');
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

async function create(ask: CreateArgs): Promise<void> {
  const key = newKey();
  const id = await withStore((db) => new Tenants(db).putKey({ ...ask, key }));
  process.stdout.write(`Key ${id} for ${ask.tenants.join(', ')}, shown this once:\n${key}\n`);
}

async function revoke(text: string): Promise<number> {
  const isRevoked = /^\d{1,15}$/.test(text) && (await withStore((db) => new Tenants(db).revokeKey(Number(text))));
  process.stdout.write(isRevoked ? `Key ${text} is revoked.\n` : `There is no live key ${text}.\n`);
  return isRevoked ? 0 : 1;
}

function readRights(text: string | undefined): readonly Right[] {
  if (text === undefined) return RIGHTS;
  const rights = text.split(',');
  const wrong = rights.find((right) => !RIGHTS.includes(right as Right));
  if (wrong !== undefined) throw new UsageError(`There is no right ${wrong}; there are ${RIGHTS.join(', ')}.`);
  return rights as Right[];
}
