import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import { base32 } from '../base/ids.ts';

/** `write`: create, cancel, delete. `read`: everything else. */
export const RIGHTS = ['read', 'write'] as const;

export type Right = (typeof RIGHTS)[number];

/** An API key's holder. */
export interface Principal {
  readonly id: number;
  readonly name: string;
  readonly tenants: readonly TenantOfPrincipal[];
  readonly rights: readonly Right[];
  /** Dialects the key may speak. */
  readonly dialects: readonly string[];
}

export interface TenantOfPrincipal {
  readonly id: string;
  /** Name of its tier. */
  readonly tier: string;
}

/** Names of tenants. They stand in rows, so they are the operator's to choose. */
export const tenantName = z.string().regex(/^[\w.@:-]{1,100}$/, 'Allowed are up to 100 letters, digits, _ . @ : and -');

const KEY_BYTES = 25;

/** A new API key. It is shown once and kept nowhere. */
export function newKey(): string {
  return `dk_${base32(randomBytes(KEY_BYTES))}`;
}

/** What is stored of a key. Keys are random, so a plain hash cannot be searched. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function checkRight(principal: Principal, right: Right): void {
  if (!principal.rights.includes(right))
    throw new Fault('auth.forbidden', `This key has no right to ${right}; it may ${principal.rights.join(', ')}.`);
}

/** The tenant an ask is for: the key's only one, or the one named. A tenant not the key's is one that does not exist. */
export function chooseTenant(principal: Principal, named: string | undefined): TenantOfPrincipal {
  const [only] = principal.tenants;
  if (named === undefined) {
    if (only && principal.tenants.length === 1) return only;
    throw new Fault('request.invalid', `This key has several tenants; allowed are ${namesOf(principal)}.`, {
      pointer: '/tenant',
    });
  }
  const tenant = principal.tenants.find(({ id }) => id === named);
  if (tenant) return tenant;
  throw new Fault('request.invalid', `This key has no such tenant; allowed are ${namesOf(principal)}.`, {
    pointer: '/tenant',
  });
}

/** The same holder, acting for one of its tenants alone; null for a tenant that is not its own. */
export function narrowed(principal: Principal, tenant: string): Principal | null {
  const found = principal.tenants.find(({ id }) => id === tenant);
  return found ? { ...principal, tenants: [found] } : null;
}

function namesOf({ tenants }: Principal): string {
  return tenants.map(({ id }) => id).join(', ') || 'none';
}
