import { z } from 'zod';
import { sourceOptions } from '../source/options.ts';

const name = z
  .string()
  .regex(/^[A-Za-z_][\w.-]{0,99}$/, 'Allowed are up to 100 letters, digits, _ . and -, a letter first');

const column = z.strictObject({
  name: z.string().min(1),
  /** Its name in the source, when that is another. */
  from: z.string().min(1).optional(),
  /** Its type, when the source tells none or another: int64, decimal(18,4), instant, … */
  type: z.string().optional(),
  description: z.string().optional(),
  /** Never exported, filtered or ordered by. */
  hidden: z.boolean().optional(),
});

const dataset = z.strictObject({
  source: sourceOptions,
  /** Left out: all columns of the source under their own names. */
  columns: z.array(column).min(1).optional(),
  /** Columns that together differ in every row. Ordering needs one. */
  key: z.array(z.string()).optional(),
  /** The column windows are cut on. */
  time: z.string().optional(),
  /** The column that says whose a row is, or 'shared'. There is no default. */
  tenancy: z.union([z.literal('shared'), z.strictObject({ column: z.string() })]),
  /** How far back rows are offered: `90d`. */
  lookback: z
    .string()
    .regex(/^[1-9]\d{0,4}d$/, 'Allowed is a number of days, as 90d')
    .optional(),
});

export const configSchema = z.strictObject({ datasets: z.record(name, dataset) });

/** What an operator declares. */
export type Config = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;
export type DatasetDeclaration = z.output<typeof dataset>;
export type ColumnDeclaration = z.output<typeof column>;

/** Types a configuration file. */
export function defineConfig(config: Config): Config {
  return config;
}
