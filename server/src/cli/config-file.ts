import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '../base/errors.ts';
import type { ParsedConfig } from '../job/config.ts';
import { readConfig } from '../request/config.ts';

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
      `There is no ${path}, where datasets are declared; files are named by their path.`,
    );
  return { config: await parseConfig(await importDefault(file, path), path), folder: dirname(file) };
}

async function importDefault(file: string, path: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(file).href);
    return module.default;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Fault('request.invalid', `${path} cannot be loaded: ${words}`, { cause: error });
  }
}

async function parseConfig(value: unknown, path: string): Promise<ParsedConfig> {
  if (value === undefined)
    throw new Fault('request.invalid', `${path} has no default export; allowed is defineConfig({ … }).`);
  const { dialects } = await import('../request/dialects.ts');
  try {
    return readConfig(value, dialects);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { message, pointer = '' } = error;
    throw new Fault('request.invalid', `${path}: ${message}`, { pointer });
  }
}
