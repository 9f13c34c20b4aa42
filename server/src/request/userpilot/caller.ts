import type { FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Principal } from '../../tenant/principal.ts';
import type { Caller, Desk } from '../desk.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key it came with; null on routes that need none. */
    principal: Principal | null;
  }
}

/** Who asks; only on routes that need a key. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (!principal) throw new Fault('auth.missing', 'An API key is needed.');
  return { principal, requestId: id };
}

/** The holder of a key that may speak this dialect and stands for one environment, whose plan has exports. */
export async function authenticate(request: FastifyRequest, desk: Desk): Promise<Principal> {
  const [, key] = /^Token ([\x21-\x7e]{1,200})$/i.exec(request.headers.authorization ?? '') ?? [];
  if (key === undefined) throw new Fault('auth.missing', 'An API key is needed.');
  const principal = await desk.principalOf(key, 'userpilot');
  const [environment, ...others] = principal.tenants;
  if (!environment || others.length > 0)
    throw new Fault('auth.forbidden', 'An API key stands for one environment; this one does not.');
  desk.tierOf(environment.tier, 'userpilot');
  return principal;
}
