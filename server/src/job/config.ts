import { z } from 'zod';
import { datasetDeclaration } from '../dataset/declaration.ts';
import { sourceOptions } from '../source/options.ts';

const name = z
  .string()
  .regex(/^[A-Za-z_][\w.-]{0,99}$/, 'Allowed are up to 100 letters, digits, _ . and -, a letter or _ first');

export const configSchema = z.strictObject({
  datasets: z.record(name, datasetDeclaration.extend({ source: sourceOptions })),
});

/** What an operator declares. */
export type Config = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;

/** Types a configuration file. */
export function defineConfig(config: Config): Config {
  return config;
}
