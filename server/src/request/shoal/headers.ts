import type { Allowance } from './allowance.ts';
import type { Usage } from './schemas.ts';

type Headers = Readonly<Record<string, string>>;

/** What holds of every answer, whoever asks for whatever. A refusal costs nothing. */
export const STANDING: Headers = {
  'x-api-surface': 'export',
  'x-access-layer': 'premium',
  'x-credit-cost': '0',
};

export function rateHeaders({ limit, remaining }: Pick<Allowance, 'limit' | 'remaining'>): Headers {
  return { 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(remaining) };
}

export function creditHeaders({ limit, used, remaining }: Usage['budget']): Headers {
  return {
    'x-monthly-limit': String(limit),
    'x-monthly-used': String(used),
    'x-monthly-remaining': String(remaining),
  };
}
