import { z } from 'zod';
import { duration } from '../../base/duration.ts';
import { dialectUrl } from '../config.ts';

const DAY_MS = 86_400_000;

const credits = z.int().min(0).max(1_000_000_000);

const status = z.string().min(1).max(50);

/** Under `dialects.shoal`. Every default stands for something Shoal does not publish, but for the rate. */
export const shoalOptions = z.strictObject({
  url: dialectUrl,
  /** Of each key, in a window of 60 s that begins with its first request. */
  requestsPerMinute: z.int().min(1).max(1_000_000).default(100),
  /** By the tier's name; `default` is for tiers that are not named. */
  monthlyCredits: z.record(z.string(), credits).default({}),
  /** What a create costs; looking costs nothing. */
  createCredits: credits.default(1),
  /** Whether a create beyond the month's credits is refused. */
  enforceCredits: z.boolean().default(false),
  /** How long a finished export can be downloaded. */
  fileLife: duration.default(7 * DAY_MS),
  /** Organizations that one export may name. */
  maxOrganizations: z.int().min(1).max(10_000).default(500),
  /** What includeEvidence is when it is not sent. */
  includeEvidence: z.boolean().default(false),
  /** Words for what comes after `requested`. */
  statuses: z
    .strictObject({
      processing: status.default('processing'),
      completed: status.default('completed'),
      failed: status.default('failed'),
      expired: status.default('expired'),
    })
    .prefault({}),
});

export type ShoalOptions = z.output<typeof shoalOptions>;
