import type { FastifyRequest } from 'fastify';
import { now } from '../../base/clock.ts';
import { Fault } from '../../base/errors.ts';
import { type Admission, callerOf, keyBehind } from '../caller.ts';
import type { DialectGround } from '../dialect.ts';
import { Allowances, checkAllowance } from './allowance.ts';
import { budgetOf, periodsOf } from './credits.ts';
import { creditHeaders, rateHeaders } from './headers.ts';
import type { ShoalOptions } from './options.ts';
import type { Usage } from './schemas.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the month of who asks looked like before; null on routes that need no key. */
    shoalBudget: Usage['budget'] | null;
  }
}

/**
 * Lets a request in, and writes into the answer's headers what is known of its key, whatever comes of
 * it. Throws `rate.limited` beside what every admission does.
 */
export function admission({ desk, options }: DialectGround<ShoalOptions>): Admission {
  const allowances = new Allowances(options.requestsPerMinute);
  return {
    dialect: 'shoal',
    keyOf: (request) => keyBehind('Bearer', request),
    missing: 'An API key is needed: Authorization: Bearer <key>.',
    async count(request, reply, { tier }) {
      const caller = callerOf(request);
      const allowance = await allowances.take(caller.principal.id);
      reply.headers({ ...rateHeaders(allowance), 'x-plan-tier': tier });
      const made = await desk.countJobs(caller, 'shoal', periodsOf(now()).month);
      request.shoalBudget = budgetOf(tier, made, options);
      reply.headers(creditHeaders(request.shoalBudget));
      checkAllowance(allowance);
    },
  };
}

/** Only on routes that need a key. */
export function shoalBudgetOf({ shoalBudget }: FastifyRequest): Usage['budget'] {
  if (!shoalBudget) throw new Fault('auth.missing', 'An API key is needed.');
  return shoalBudget;
}
