import { z } from 'zod';
import { duration } from '../base/duration.ts';
import { datasetDeclaration } from '../dataset/declaration.ts';
import { sourceOptions } from '../source/options.ts';
import { DEFAULT_TIERS, tierSchema } from '../tenant/tier.ts';
import { FORMAT_NAMES } from './ask.ts';
import { smtpOptions } from './smtp.ts';

const name = z
  .string()
  .regex(/^[A-Za-z_][\w.-]{0,99}$/, 'Allowed are up to 100 letters, digits, _ . and -, a letter or _ first');

/** `512MB`, `2GB`: read as bytes. */
const size = z
  .string()
  .regex(/^[1-9]\d{0,6}(MB|GB)$/, 'Allowed is a whole number with MB or GB behind it, as 512MB')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('GB') ? 1024 ** 3 : 1024 ** 2));

/** The longest month: what a vendor's clients may make in one is counted. */
const MIN_HISTORY_MS = 31 * 86_400_000;

const runsSchema = z.strictObject({
  /** Runs of all tenants that execute at a time. */
  atOnce: z.int().min(1).max(64).optional(),
  /** What a run may hold in memory. */
  memory: size.default(512 * 1024 ** 2),
  /** How long runs may go on after SIGTERM before they go back to the queue. */
  grace: duration.default(20_000),
  /** Free disk space below which no run is accepted. */
  diskFloor: size.default(256 * 1024 ** 2),
  /** How long jobs and runs are known after their end; left out, for ever. */
  history: duration.refine((ms) => ms >= MIN_HISTORY_MS, 'Allowed is 31d or longer').optional(),
});

const tier = tierSchema
  .refine(({ formats = [] }) => formats.every((each) => FORMAT_NAMES.some((known) => known === each)), {
    path: ['formats'],
    error: `Allowed are ${FORMAT_NAMES.join(', ')}`,
  })
  .refine(({ destinations = [] }) => destinations.every((each) => each === 'download'), {
    path: ['destinations'],
    error: 'Allowed is download',
  });

const nativeSchema = z.strictObject({
  /** Requests a second, for each tenant; bursts of twice as many pass. */
  requestsPerSecond: z.int().min(1).max(1_000_000).default(100),
  /** How long a file link works. A run that is looked at again has new ones. */
  linkLife: duration.default(15 * 60_000),
});

export const configSchema = z.strictObject({
  datasets: z.record(name, datasetDeclaration.extend({ source: sourceOptions })),
  /** Where customers reach this server, as `https://exports.example.com`. Without it links have no host. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** Host names (without port) that speak one dialect and nothing else. */
  hosts: z
    .record(z.string().regex(/^[a-z0-9.-]+$/, 'Allowed is a host name in lower case, without port'), z.string())
    .default({}),
  tiers: z
    .record(name, tier)
    .refine((tiers) => Object.keys(tiers).length > 0, 'At least one tier is needed')
    .default(DEFAULT_TIERS),
  runs: runsSchema.prefault({}),
  native: nativeSchema.prefault({}),
  /** The server mails are handed to. Without it notices are logged instead. */
  smtp: smtpOptions.optional(),
  /** Settings of dialects, by their names; each says what it takes. */
  dialects: z.record(name, z.unknown()).default({}),
  /** Nothing is accepted; what was accepted before goes on. */
  maintenance: z.boolean().default(false),
});

/** What an operator declares. */
export type Config = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;

/** Types a configuration file. */
export function defineConfig(config: Config): Config {
  return config;
}
