import { z } from 'zod';
import { duration } from '../../base/duration.ts';
import { dialectUrl } from '../config.ts';

export const FORMATS = ['avro', 'csv', 'ndjson', 'parquet'] as const;

const DAY_MS = 86_400_000;

const word = z.string().regex(/^\w{1,50}$/, 'Allowed are up to 50 letters, digits and _');
const environment = z.string().min(1).max(100);

/** Settings for what the vendor says nothing of, or says in two ways. */
export const userpilotOptions = z.strictObject({
  url: dialectUrl,
  /** `environment_name` of every app token that `environments` does not name. */
  environment: environment.default('production'),
  /** `environment_name` by app token. */
  environments: z.record(z.string(), environment).default({}),
  /** `old` knows neither `internal_event_id` nor `session_start`. */
  version: z.enum(['new', 'old']).default('new'),
  /** How far `from` lies before `to` where it is left out. */
  defaultDays: z.int().min(1).max(36_500).default(30),
  defaultFormat: z.enum(FORMATS).default('csv'),
  /** At how many rows another file is begun; null for one file, whatever its size. */
  rowsPerFile: z.int().min(1000).nullable().default(1_000_000),
  /** What becomes of a word in `exclusions` that is neither a column nor an event type. */
  unknownExclusions: z.enum(['refuse', 'ignore']).default('refuse'),
  /** How long after its creation a job is known. */
  recordLife: duration.default(3 * DAY_MS),
  /** How long files, and so their URLs, live once they are there. */
  urlLife: duration.default(2 * DAY_MS),
  /** Words for a job at work and for one that failed. */
  statuses: z.strictObject({ running: word.default('in_progress'), failed: word.default('failed') }).prefault({}),
  /** Items of a page of a lookup that has pages. */
  pageSize: z.int().min(1).max(1000).default(50),
});

export type UserpilotOptions = z.output<typeof userpilotOptions>;
