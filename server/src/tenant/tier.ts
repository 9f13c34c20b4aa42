import { z } from 'zod';
import { duration } from '../base/duration.ts';
import { Fault } from '../base/errors.ts';

/** What a subscription allows. Left out, a list allows everything and a limit is none. */
export const tierSchema = z.strictObject({
  dialects: z.array(z.string()).optional(),
  formats: z.array(z.string()).optional(),
  destinations: z.array(z.string()).optional(),
  /** Longest window, as `7d`. With it, both ends must be named. */
  maxWindow: duration.optional(),
  /** Runs of a tenant at a time. */
  concurrentRuns: z.int().min(1).max(1000).default(2),
  /** Runs of a tenant that may wait. */
  queuedRuns: z.int().min(1).max(1_000_000).default(100),
  /** How long files are kept. */
  fileLife: duration.default(7 * 86_400_000),
  /** Bytes of kept files at which no more is accepted. */
  storedBytes: z.int().min(1).optional(),
});

export type Tier = z.output<typeof tierSchema>;

/** Tiers by name. */
export type Tiers = Readonly<Record<string, Tier>>;

/** The tier of a configuration that names none: no limits but the defaults. */
export const DEFAULT_TIERS = { standard: tierSchema.parse({}) };

/** What of an ask a tier has a say in. */
export interface Wanted {
  readonly formats: readonly string[];
  readonly destinations: readonly string[];
  /** ISO instants; null for an open side. */
  readonly window: { readonly start: string | null; readonly end: string | null };
}

/** Throws `tier.format`, `tier.destination` or `tier.range` for what the tier does not allow. */
export function checkTier(tier: Tier, wanted: Wanted): void {
  const format = wanted.formats.find((each) => tier.formats?.includes(each) === false);
  if (format !== undefined)
    throw new Fault('tier.format', `Your tier does not export ${format}; allowed are ${tier.formats?.join(', ')}.`, {
      pointer: '/format',
    });
  const destination = wanted.destinations.find((each) => tier.destinations?.includes(each) === false);
  if (destination !== undefined)
    throw new Fault(
      'tier.destination',
      `Your tier does not deliver to ${destination}; allowed are ${tier.destinations?.join(', ')}.`,
      { pointer: '/destination' },
    );
  checkRange(tier, wanted.window);
}

const DAY_MS = 86_400_000;

function checkRange({ maxWindow }: Tier, { start, end }: Wanted['window']): void {
  if (maxWindow === undefined) return;
  const isWithin = start !== null && end !== null && Date.parse(end) - Date.parse(start) <= maxWindow;
  if (isWithin) return;
  const days = Math.round((maxWindow / DAY_MS) * 100) / 100;
  throw new Fault('tier.range', `Your tier exports windows of up to ${days} days; name both ends.`, {
    pointer: '/window',
  });
}
