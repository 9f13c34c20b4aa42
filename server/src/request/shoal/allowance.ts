import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Fault } from '../../base/errors.ts';

/** What a key may still ask in its window. */
export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
  /** Until the window ends, once nothing is left and more was asked; else null. */
  readonly retryAfterMs: number | null;
}

const WINDOW_S = 60;

/** Counts requests by key in fixed windows that begin with a key's first request. */
export class Allowances {
  readonly #limiter: RateLimiterMemory;

  constructor(perMinute: number) {
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_S });
  }

  async take(principal: number): Promise<Allowance> {
    const limit = this.#limiter.points;
    try {
      const { remainingPoints } = await this.#limiter.consume(principal);
      return { limit, remaining: remainingPoints, retryAfterMs: null };
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return { limit, remaining: 0, retryAfterMs: refused.msBeforeNext };
    }
  }
}

/** Throws `rate.limited` for a request beyond what is allowed. */
export function checkAllowance({ retryAfterMs }: Allowance): void {
  if (retryAfterMs !== null) throw new Fault('rate.limited', 'Rate limit exceeded', { retryAfterMs });
}
