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

  /** Counts a request of the key's first tenant. Throws `rate.limited`. */
  async take({ tenants, id }: Principal): Promise<void> {
    try {
      await this.#limiter.consume(tenants[0]?.id ?? `key ${id}`);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new Fault('rate.limited', `Too many requests; allowed are ${this.#perSecond} a second.`, {
        retryAfterMs: refused.msBeforeNext,
      });
    }
  }
}
