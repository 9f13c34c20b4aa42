import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Fault } from '../../base/errors.ts';
import type { Options } from './options.ts';

const WINDOW_S = 60;

/** Counts requests in fixed windows that begin with the first: by token, and by address where there is none. */
export class Allowances {
  readonly #known: RateLimiterMemory;
  readonly #unknown: RateLimiterMemory;

  constructor({ requestsPerMinute, unknownPerMinute }: Options) {
    this.#known = new RateLimiterMemory({ points: requestsPerMinute, duration: WINDOW_S });
    this.#unknown = new RateLimiterMemory({ points: unknownPerMinute, duration: WINDOW_S });
  }

  /** Throws `rate.limited` for a request too many of this token. */
  takeKnown(principal: number): Promise<void> {
    return take(this.#known, String(principal), 'this token');
  }

  /** Throws `rate.limited` for a request too many from this address without a token that is known. */
  takeUnknown(address: string): Promise<void> {
    return take(this.#unknown, address, 'an address without a token');
  }
}

async function take(limiter: RateLimiterMemory, key: string, whose: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw new Fault('rate.limited', `Too many requests; allowed are ${limiter.points} a minute for ${whose}.`, {
      retryAfterMs: refused.msBeforeNext,
    });
  }
}
