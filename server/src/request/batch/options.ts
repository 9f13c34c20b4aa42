import { z } from 'zod';
import { duration } from '../../base/duration.ts';
import { dialectUrl } from '../config.ts';

/** What an operator may set, with what the vendor does, or most likely does, as defaults. */
export const options = z.strictObject({
  url: dialectUrl,
  /** How far back dated exports reach; older rows are silently missing. */
  lookback: duration.prefault('90d'),
  /** How long the link works that a result redirects to. */
  linkLife: duration.prefault('20m'),
  /** How long a result is kept: the vendor's month. */
  fileLife: duration.prefault('30d'),
  /** How long a request is known: the vendor's six months. */
  requestLife: duration.prefault('180d'),
  /** A campaign token or group id that `batch.targets` does not hold: 404, or an export without rows. */
  unknownTarget: z.enum(['refuse', 'empty']).default('refuse'),
  /** Id columns of a file: those that were asked for, or always all three, the others blank. */
  printedIds: z.enum(['requested', 'all']).default('requested'),
  /** What an unfinished request conflicts with: one that is identical, any of its app, or none. */
  conflict: z.enum(['identical', 'app', 'none']).default('identical'),
});

export type Options = z.output<typeof options>;
