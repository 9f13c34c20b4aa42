import type { FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Principal } from '../../tenant/principal.ts';
import { keyBehind } from '../caller.ts';
import type { Desk } from '../desk.ts';
import type { Allowances } from './allowance.ts';

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
async function holderOf(request: FastifyRequest, desk: Desk): Promise<Principal | Fault> {
  const token = keyBehind('Bearer', request);
  if (token === undefined)
    return new Fault('auth.missing', 'An access token is needed: Authorization: Bearer <token>.');
  try {
    return await desk.principalOf(token, 'ironclad');
  } catch (error) {
    const isUnknown = error instanceof Fault && ['auth.unknown', 'auth.forbidden'].includes(error.code);
    if (!isUnknown) throw error;
    return new Fault('auth.unknown', 'The access token is not valid.');
  }
}
