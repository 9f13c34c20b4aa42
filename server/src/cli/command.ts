import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A command of the command line. */
export interface Command {
  readonly help: string;
  /** Gives the exit code. Faults and usage errors may be thrown. */
  run(args: readonly string[]): Promise<number>;
}

/** The arguments make no sense; the message says what would. */
export class UsageError extends Error {}

/** parseArgs with its errors as usage errors, and values that begin with a dash taken as values (`--order -occurred_at`). */
export function readArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    const joined: T = { ...config, args: joinValues(config) };
    return parseArgs(joined);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function joinValues({ args = [], options = {} }: ParseArgsConfig): string[] {
  const joined: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    const value = args[at + 1];
    const takesValue = arg.startsWith('--') && options[arg.slice(2)]?.type === 'string' && value !== undefined;
    joined.push(takesValue ? `${arg}=${value}` : arg);
    if (takesValue) at++;
  }
  return joined;
}
