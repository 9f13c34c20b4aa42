import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '../base/errors.ts';
import { configSchema, type ParsedConfig } from '../job/config.ts';
import { firstIssue } from '../request/issue.ts';

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
  return { config: parseConfig(await importDefault(file, path), path), folder: dirname(file) };
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

function parseConfig(value: unknown, path: string): ParsedConfig {
  if (value === undefined)
    throw new Fault('request.invalid', `${path} has no default export; allowed is defineConfig({ … }).`);
  const parsed = configSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { pointer, message } = firstIssue(parsed.error);
  throw new Fault('request.invalid', `${path}: ${message}`, { pointer });
}
