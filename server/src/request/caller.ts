import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../base/errors.ts';
import { narrowed, type Principal, type TenantOfPrincipal } from '../tenant/principal.ts';
import type { Caller, Desk } from './desk.ts';
import type { DialectGround } from './dialect.ts';
import { type FileLinks, linksOfKey } from './link.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key it came with; null on routes that need none. */
    principal: Principal | null;
  }
}

/** Whom the routes of a dialect are for. */
export interface Admission {
  /** Its name: keys must speak it, and so must the tenant's tier. */
  readonly dialect: string;
  /** The key as it was sent; undefined where there is none. */
  keyOf(request: FastifyRequest): string | undefined;
  /** Said when there is none. */
  readonly missing: string;
  /** Where requests name the tenant they are for; left out, it is the key's only one. */
  readonly named?: NamedTenant;
  /** What is counted and told of every request whose key is known, before its tier is looked at. Throws to refuse. */
  count?(request: FastifyRequest, reply: FastifyReply, tenant: TenantOfPrincipal): Promise<void>;
}

interface NamedTenant {
  tenantOf(request: FastifyRequest): string;
  /** Said alike of a key of nobody, of another dialect and of another tenant: it tells nothing of which there are. */
  readonly unknown: string;
}

/**
 * Lets in who holds a key of the dialect, acting for the one tenant the request is for, before any body is
 * read. The routes refuse with `auth.missing`, `auth.unknown`, `auth.forbidden` or `tier.dialect`.
 */
export function admitCallers(app: FastifyInstance, desk: Desk, admission: Admission): void {
  const { dialect, keyOf, missing, named, count } = admission;
  app.addHook('onRequest', async (request, reply) => {
    const key = keyOf(request);
    if (key === undefined) throw new Fault('auth.missing', missing);
    const principal = named
      ? await holderFor(desk, { key, dialect, tenant: named.tenantOf(request), unknown: named.unknown })
      : await desk.principalOf(key, dialect);
    request.principal = principal;
    const tenant = onlyTenant(principal);
    await count?.(request, reply, tenant);
    desk.tierOf(tenant.tier, dialect);
  });
}

interface HolderAsk {
  readonly key: string;
  readonly dialect: string;
  readonly tenant: string;
  readonly unknown: string;
}

async function holderFor(desk: Desk, { key, dialect, tenant, unknown }: HolderAsk): Promise<Principal> {
  try {
    const principal = narrowed(await desk.principalOf(key, dialect), tenant);
    if (principal) return principal;
  } catch (error) {
    if (!(error instanceof Fault) || !['auth.unknown', 'auth.forbidden'].includes(error.code)) throw error;
  }
  throw new Fault('auth.unknown', unknown);
}

function onlyTenant({ tenants }: Principal): TenantOfPrincipal {
  const [only] = tenants;
  if (only && tenants.length === 1) return only;
  throw new Fault(
    'auth.forbidden',
    `This key is for ${only ? 'several tenants' : 'no tenant'}; allowed here is a key for one.`,
  );
}

/** The key behind a word such as `Bearer` in the header Authorization; undefined for anything else. */
export function keyBehind(word: 'Bearer' | 'Token', { headers }: FastifyRequest): string | undefined {
  return new RegExp(`^${word} ([\\x21-\\x7e]{1,200})$`, 'i').exec(headers.authorization ?? '')?.[1];
}

/** Who asks; only on routes that need a key. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (!principal) throw new Fault('auth.missing', 'An API key is needed.');
  return { principal, requestId: id };
}

type LinkGround = Pick<DialectGround, 'desk' | 'baseUrl'>;

/** Mints links that die with the key of the request. */
export function linksOf(request: FastifyRequest, { desk, baseUrl }: LinkGround, files?: string): FileLinks {
  return linksOfKey(callerOf(request).principal.id, { links: desk.links, baseUrl, files });
}
