import type { FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Caller } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { FILES, type Minting } from './write.ts';

/** Who asks; only on routes that need a key. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (!principal) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
  return { principal, requestId: id };
}

export function mintingOf(request: FastifyRequest, { desk, baseUrl }: DialectGround): Minting {
  return { links: desk.links, principal: callerOf(request).principal.id, route: `${baseUrl}${FILES}` };
}
