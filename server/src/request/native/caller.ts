import type { FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Caller, Desk } from '../desk.ts';
import type { Minting } from './write.ts';

/** Who asks; only on routes that need a key. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (!principal) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
  return { principal, requestId: id };
}

export function mintingOf(request: FastifyRequest, desk: Desk): Minting {
  return { links: desk.links, principal: callerOf(request).principal.id };
}
