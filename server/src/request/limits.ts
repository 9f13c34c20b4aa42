import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Fault } from '../base/errors.ts';
import type { Principal } from '../tenant/principal.ts';

/** A burst of so many seconds' worth passes. */
const BURST_S = 2;

/** How often a tenant may ask. */
export class Limits {
  readonly #limiter: RateLimiterMemory;
  readonly #perSecond: number;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#limiter = new RateLimiterMemory({ points: perSecond * BURST_S, duration: BURST_S });
  }

  /** Counts a request for each tenant of the key. Throws `rate.limited`. */
  async take({ tenants, id }: Principal): Promise<void> {
    try {
      const names = tenants.length === 0 ? [`key ${id}`] : tenants.map((tenant) => tenant.id);
      await Promise.all(names.map((name) => this.#limiter.consume(name)));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new Fault('rate.limited', `Too many requests; allowed are ${this.#perSecond} a second.`, {
        retryAfterMs: refused.msBeforeNext,
      });
    }
  }
}
