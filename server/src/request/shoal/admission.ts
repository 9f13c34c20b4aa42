import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
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
  /** As last told to each key. */
  const budgets = new LRUCache<number, Usage['budget']>({ max: 10_000 });
  return {
    dialect: 'shoal',
    keyOf: (request) => keyBehind('Bearer', request),
    missing: 'An API key is needed: Authorization: Bearer <key>.',
    async count(request, reply, { tier }) {
      const caller = callerOf(request);
      const allowance = await allowances.take(caller.principal.id);
      reply.headers({ ...rateHeaders(allowance), 'x-plan-tier': tier });
      const seen = budgets.get(caller.principal.id);
      // Who asks too often costs no look into the database.
      if (allowance.retryAfterMs !== null && seen) reply.headers(creditHeaders(seen));
      checkAllowance(allowance);
      const made = await desk.countJobs(caller, 'shoal', periodsOf(now()).month);
      request.shoalBudget = budgetOf(tier, made, options);
      budgets.set(caller.principal.id, request.shoalBudget);
      reply.headers(creditHeaders(request.shoalBudget));
    },
  };
}

/** Only on routes that need a key. */
export function shoalBudgetOf({ shoalBudget }: FastifyRequest): Usage['budget'] {
  if (!shoalBudget) throw new Fault('auth.missing', 'An API key is needed.');
  return shoalBudget;
}
