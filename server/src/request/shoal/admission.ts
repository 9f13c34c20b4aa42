import type { FastifyReply, FastifyRequest } from 'fastify';
import { now } from '../../base/clock.ts';
import { Fault } from '../../base/errors.ts';
import type { Principal, TenantOfPrincipal } from '../../tenant/principal.ts';
import type { Caller } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { type Allowances, checkAllowance } from './allowance.ts';
import { budgetOf, periodsOf } from './credits.ts';
import { creditHeaders, rateHeaders } from './headers.ts';
import type { ShoalOptions } from './options.ts';
import type { Usage } from './schemas.ts';

/** Who asks, and what their month looked like before. */
export interface Account {
  readonly caller: Caller;
  readonly tenant: TenantOfPrincipal;
  readonly budget: Usage['budget'];
}

/**
 * Lets a request in, and writes into the answer's headers what is known of its key, whatever comes of
 * it. Throws `auth.missing`, `auth.unknown`, `auth.forbidden`, `rate.limited`, `tier.dialect`.
 */
export async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { desk, options, allowances }: DialectGround<ShoalOptions> & { readonly allowances: Allowances },
): Promise<Account> {
  const principal = await desk.principalOf(readKey(request), 'shoal');
  request.principal = principal;
  const tenant = tenantOf(principal);
  const allowance = await allowances.take(principal.id);
  reply.headers({ ...rateHeaders(allowance), 'x-plan-tier': tenant.tier });
  const caller = { principal, requestId: request.id };
  const made = await desk.countJobs(caller, 'shoal', periodsOf(now()).month);
  const budget = budgetOf(tenant.tier, made, options);
  reply.headers(creditHeaders(budget));
  checkAllowance(allowance);
  desk.tierOf(tenant.tier, 'shoal');
  return { caller, tenant, budget };
}

function readKey({ headers }: FastifyRequest): string {
  const [, key] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
  if (key === undefined) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
  return key;
}

/** A key of Shoal is one account's. */
function tenantOf({ tenants }: Principal): TenantOfPrincipal {
  const [only] = tenants;
  if (!only || tenants.length > 1) throw new Fault('auth.forbidden', 'This key does not belong to one account.');
  return only;
}
