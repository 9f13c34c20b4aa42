import type { FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Principal } from '../../tenant/principal.ts';
import type { Caller, Desk } from '../desk.ts';
import type { Allowances } from './allowance.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key it came with; null on routes that need none. */
    principal: Principal | null;
  }
}

/** Who asks; only on routes that need a token. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (!principal) throw needsToken();
  return { principal, requestId: id };
}

/**
 * The holder of a token that has permission on one site. Throws `auth.missing`, `auth.unknown`,
 * `auth.forbidden`, `tier.dialect`, `rate.limited`.
 */
export async function authenticate(request: FastifyRequest, desk: Desk, allowances: Allowances): Promise<Principal> {
  const principal = await holderOf(request, desk);
  if (principal instanceof Fault) {
    await allowances.takeUnknown(request.ip);
    throw principal;
  }
  await allowances.takeKnown(principal.id);
  const [site, ...others] = principal.tenants;
  if (!site || others.length > 0 || !/^[1-9]\d{0,14}$/.test(site.id))
    throw new Fault('auth.forbidden', 'This token does not stand for one site.');
  if (!principal.rights.includes('read'))
    throw new Fault('auth.forbidden', 'The user of this token has no permission on the site.');
  desk.tierOf(site.tier, 'ironclad');
  return principal;
}

/** A token that speaks something else is as unknown here as one of nobody. */
async function holderOf({ headers }: FastifyRequest, desk: Desk): Promise<Principal | Fault> {
  const [, token] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return needsToken();
  try {
    return await desk.principalOf(token, 'ironclad');
  } catch (error) {
    const isUnknown = error instanceof Fault && ['auth.unknown', 'auth.forbidden'].includes(error.code);
    if (!isUnknown) throw error;
    return new Fault('auth.unknown', 'The access token is not valid.');
  }
}

function needsToken(): Fault {
  return new Fault('auth.missing', 'An access token is needed: Authorization: Bearer <token>.');
}
