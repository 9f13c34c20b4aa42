import type { Fault } from '../base/errors.ts';
import type { Refusal } from './dialect.ts';

interface RefusalParts {
  readonly status: number;
  readonly body: unknown;
  readonly fault: Fault;
  /** Seconds to wait, for faults that tell no time. */
  readonly retryAfterS?: number | undefined;
  /** What a 401 says of how to show who asks, such as `Bearer`. */
  readonly challenge?: string;
  /** Beside or instead of the usual ones; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal as JSON that nobody keeps, with when to ask again where that is known. */
export function jsonRefusal({ status, body, fault, retryAfterS, challenge, headers }: RefusalParts): Refusal {
  const waitS = waitOf(fault, retryAfterS);
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(status === 401 && challenge !== undefined ? { 'www-authenticate': challenge } : {}),
      ...(waitS === undefined ? {} : { 'retry-after': String(waitS) }),
      ...headers,
    },
    body,
  };
}

/** Whole seconds until asking again may help, at least one: the fault's own, else those given. */
export function waitOf({ retryAfterMs }: Fault, retryAfterS?: number): number | undefined {
  return retryAfterMs === undefined ? retryAfterS : Math.max(1, Math.ceil(retryAfterMs / 1000));
}
