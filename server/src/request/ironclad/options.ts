import { z } from 'zod';
import { duration } from '../../base/duration.ts';
import { dialectUrl } from '../config.ts';

const perMinute = z.int().min(1).max(1_000_000);

/** What an operator may set, with what the vendor publishes, or most likely does, as defaults. */
export const options = z.strictObject({
  url: dialectUrl,
  /** Of each token, in a window of 60 s that begins with its first request. */
  requestsPerMinute: perMinute.default(2000),
  /** Of each address, of requests without a token that is known. */
  unknownPerMinute: perMinute.default(60),
  /** Longest range of an export, in days, of a site whose row says none. */
  maxDays: z.int().min(1).max(100_000).default(365),
  /** Account of a site that has no row. */
  account: z.int().min(0).default(0),
  /** How long the URLs of an export work. */
  urlLife: duration.prefault('1h'),
  /** How long files are kept. */
  fileLife: duration.prefault('30d'),
  /** Rows that a CSV holds at most, about. */
  rowsPerFile: z.int().min(1000).max(1_000_000_000).default(1_000_000),
  /** How true and false of custom data are written in CSV. */
  booleans: z.enum(['true', 'TRUE']).default('true'),
  /** Puts an apostrophe before text a spreadsheet would take for a formula. */
  formulaGuard: z.boolean().default(false),
});

export type Options = z.output<typeof options>;
