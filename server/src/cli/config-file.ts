import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '../base/errors.ts';
import { configSchema, type ParsedConfig } from '../job/config.ts';

export const CONFIG_FILE = 'drayage.config.ts';

export interface LoadedConfig {
  readonly config: ParsedConfig;
  /** Folder relative paths in it start at. */
  readonly folder: string;
}

/** Loads and checks a configuration. Throws `request.invalid` naming the place of what is wrong. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const file = resolve(path);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere)
    throw new Fault(
      'dataset.unknown',
      `There is no ${path}; datasets are declared there, and files are named by their path.`,
    );
  const module: { default?: unknown } = await import(pathToFileURL(file).href);
  return { config: parseConfig(module.default, path), folder: dirname(file) };
}

function parseConfig(value: unknown, path: string): ParsedConfig {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const pointer = `/${issue?.path.map(String).join('/') ?? ''}`;
  throw new Fault('request.invalid', `${path}: ${issue?.message ?? 'not a configuration'}.`, { pointer });
}
