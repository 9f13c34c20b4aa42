import { z } from 'zod';
import { Fault, refuse } from '../base/errors.ts';
import { fillShape } from '../dataset/shape.ts';
import { configSchema, type ParsedConfig } from '../job/config.ts';
import type { Dialect } from './dialect.ts';
import { firstIssue } from './issue.ts';

/** Where customers reach a dialect that has a host name of its own; left out, the public URL and its prefix. */
export const dialectUrl = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ''))
  .optional();

/**
 * Reads a configuration, with the datasets that fill a dialect's shapes completed. Throws
 * `request.invalid` with the place of what is wrong.
 */
export function readConfig(value: unknown, dialects: readonly Dialect[]): ParsedConfig {
  const config = parseAt(configSchema, value, '');
  for (const name of Object.keys(config.dialects)) {
    const dialect = dialects.find((each) => each.name === name);
    if (!dialect) throw refuse(`/dialects/${name}`, `There is no dialect ${name}; ${known(dialects)}.`);
    readOptions(dialect, config);
  }
  for (const [host, name] of Object.entries(config.hosts))
    if (!dialects.some((dialect) => dialect.name === name))
      throw refuse(`/hosts/${host}`, `${host} is to speak ${name}; ${known(dialects)}.`);
  const entries = Object.entries(config.datasets).map(([name, declaration]) => {
    const shape = shapeOf(name, dialects);
    return [name, shape ? within(`/datasets/${name}`, () => fillShape(declaration, shape)) : declaration] as const;
  });
  return { ...config, datasets: Object.fromEntries(entries) };
}

/** What the operator set of a dialect, defaults filled in. */
export function readOptions(dialect: Dialect, { dialects }: Pick<ParsedConfig, 'dialects'>): unknown {
  return parseAt(dialect.options, dialects[dialect.name] ?? {}, `/dialects/${dialect.name}`);
}

/** The URL customers reach a dialect at: its own where it has one. A path alone where there is no public URL. */
export function baseUrlOf({ prefix }: Dialect, options: unknown, publicUrl: string | undefined): string {
  const own = (options as { url?: string } | null)?.url;
  return own ?? `${publicUrl ?? ''}${prefix}`;
}

function parseAt<T>(schema: z.ZodType<T>, value: unknown, above: string): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { pointer, message } = firstIssue(parsed.error);
  throw refuse(`${above}${pointer}`, message);
}

/** Names that begin with a dialect's are its own to give. */
function shapeOf(name: string, dialects: readonly Dialect[]) {
  const dialect = dialects.find((each) => name.startsWith(`${each.name}.`) && each.shapes.length > 0);
  const shape = dialect?.shapes.find((each) => each.name === name);
  if (!dialect || shape) return shape;
  const names = dialect.shapes.map((each) => each.name).join(', ');
  throw refuse(`/datasets/${name}`, `${dialect.name} has no shape ${name}; allowed are ${names}.`);
}

function within<T>(above: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw refuse(`${above}${error.pointer ?? ''}`, error.message);
  }
}

function known(dialects: readonly Dialect[]): string {
  return `there are ${dialects.map(({ name }) => name).join(', ')}`;
}
