import { sql } from 'kysely';
import { now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Db, Tx } from '../db/db.ts';
import { hashKey, type Principal, type Right } from './principal.ts';

export interface NewKey {
  /** Left out, the next one. */
  readonly id?: number;
  readonly name: string;
  readonly key: string;
  readonly tenants: readonly string[];
  readonly rights: readonly Right[];
  readonly dialects: readonly string[];
}

/** A key as lists show it. */
export interface KeyView extends Omit<Principal, 'tenants'> {
  readonly tenants: readonly string[];
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** Tenants and the keys that act for them. */
export class Tenants {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The holder of an API key, or null for an unknown or revoked one. */
  principalOfKey(key: string): Promise<Principal | null> {
    return this.#db.read(async (tx) => {
      const rows = await tx
        .selectFrom('principals')
        .leftJoin('principal_tenants', 'principal_tenants.principal_id', 'principals.id')
        .leftJoin('tenants', 'tenants.id', 'principal_tenants.tenant_id')
        .select(['principals.id', 'name', 'rights', 'dialects', 'tenants.id as tenant', 'tier'])
        .where('key_hash', '=', hashKey(key))
        .where('revoked_at', 'is', null)
        .orderBy('tenants.id')
        .execute();
      const [first] = rows;
      if (!first) return null;
      const tenants = rows.flatMap(({ tenant, tier }) => (tenant && tier ? [{ id: tenant, tier }] : []));
      return {
        id: first.id,
        name: first.name,
        tenants,
        rights: JSON.parse(first.rights),
        dialects: JSON.parse(first.dialects),
      };
    });
  }

  /** Whether the key is alive, may read and still acts for the tenant. */
  actsFor(principal: number, tenant: string): Promise<boolean> {
    return this.#db.read(async (tx) => {
      const row = await tx
        .selectFrom('principals')
        .innerJoin('principal_tenants', 'principal_tenants.principal_id', 'principals.id')
        .select('rights')
        .where('id', '=', principal)
        .where('tenant_id', '=', tenant)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      const rights: readonly Right[] = row ? JSON.parse(row.rights) : [];
      return rights.includes('read');
    });
  }

  /** Whether the database answers. */
  isReachable(): Promise<boolean> {
    return this.#db
      .read((tx) => tx.selectFrom('tenants').select('id').limit(1).execute())
      .then(
        () => true,
        () => false,
      );
  }

  /** Makes the tenant, or moves it to another tier. */
  putTenant(id: string, tier: string): Promise<void> {
    return this.#db.write(async (tx) => {
      await tx
        .insertInto('tenants')
        .values({ id, tier, created_at: now() })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ tier }))
        .execute();
      await tx
        .insertInto('tenant_uses')
        .values({ tenant_id: id, queued_runs: 0, active_runs: 0, stored_bytes: 0, served_at: now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  /** Every tenant with what it uses at present. */
  listTenants() {
    return this.#db.read((tx) =>
      tx
        .selectFrom('tenants')
        .innerJoin('tenant_uses', 'tenant_uses.tenant_id', 'tenants.id')
        .select(['id', 'tier', 'queued_runs', 'active_runs', 'stored_bytes', 'created_at'])
        .orderBy('id')
        .execute(),
    );
  }

  /** Makes a key and gives its id; a key that is there already keeps its id and is brought to what is asked. */
  putKey({ name, key, tenants, rights, dialects, id: wanted }: NewKey): Promise<number> {
    return this.#db.write(async (tx) => {
      await checkTenants(tx, tenants);
      // Ids are counted up, and a key is looked for before it is made: by one at a time.
      if (this.#db.kind === 'postgres') await sql`lock table principals in share row exclusive mode`.execute(tx);
      const found = await tx
        .selectFrom('principals')
        .select('id')
        .where('key_hash', '=', hashKey(key))
        .executeTakeFirst();
      const values = { name, rights: JSON.stringify(rights), dialects: JSON.stringify(dialects) };
      const id = found?.id ?? wanted ?? (await nextPrincipalId(tx));
      if (found) {
        await tx.updateTable('principals').set(values).where('id', '=', id).execute();
        await tx.deleteFrom('principal_tenants').where('principal_id', '=', id).execute();
      } else {
        const created = { id, key_hash: hashKey(key), created_at: now() };
        await tx
          .insertInto('principals')
          .values({ ...values, ...created })
          .execute();
      }
      const memberships = [...new Set(tenants)].map((tenant) => ({ principal_id: id, tenant_id: tenant }));
      await tx.insertInto('principal_tenants').values(memberships).execute();
      return id;
    });
  }

  listKeys(): Promise<KeyView[]> {
    return this.#db.read(async (tx) => {
      const principals = await tx.selectFrom('principals').selectAll().orderBy('id').execute();
      const members = await tx.selectFrom('principal_tenants').selectAll().orderBy('tenant_id').execute();
      return principals.map(({ id, name, rights, dialects, created_at, revoked_at }) => ({
        id,
        name,
        rights: JSON.parse(rights),
        dialects: JSON.parse(dialects),
        tenants: members.filter(({ principal_id }) => principal_id === id).map(({ tenant_id }) => tenant_id),
        createdAt: created_at,
        revokedAt: revoked_at,
      }));
    });
  }

  /** From the commit on the key and all links minted for it are dead. False when there is no such live key. */
  revokeKey(id: number): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('principals')
        .set({ revoked_at: now() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    });
  }
}

async function checkTenants(tx: Tx, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new Fault('request.invalid', 'A key needs a tenant.', { pointer: '/tenant' });
  const found = await tx.selectFrom('tenants').select('id').where('id', 'in', names).execute();
  const missing = names.find((name) => !found.some(({ id }) => id === name));
  if (missing !== undefined)
    throw new Fault('request.invalid', `There is no tenant ${missing}.`, { pointer: '/tenant' });
}

async function nextPrincipalId(tx: Tx): Promise<number> {
  const { last } = await tx
    .selectFrom('principals')
    .select(({ fn }) => fn.max<number | null>('id').as('last'))
    .executeTakeFirstOrThrow();
  return (last ?? 0) + 1;
}

/** Who did what, for the trail every tenant has. */
export interface AuditEntry {
  readonly tenant: string;
  readonly principal: number | null;
  readonly action: 'job.create' | 'job.delete' | 'run.create' | 'run.cancel' | 'file.download';
  /** Id of the job, run or file. */
  readonly subject: string;
  readonly requestId: string | null;
}

/** Written in the transaction of what it tells of. */
export async function writeAudit(tx: Tx, { tenant, principal, action, subject, requestId }: AuditEntry): Promise<void> {
  const at = now();
  await tx
    .insertInto('audit')
    .values({
      id: newId('audit', at),
      at,
      tenant_id: tenant,
      principal_id: principal,
      action,
      subject,
      request_id: requestId,
    })
    .execute();
}
