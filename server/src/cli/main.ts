import { Fault, recordOf } from '../base/errors.ts';
import { type Command, UsageError } from './command.ts';
import { configCommand } from './config.ts';
import { demo } from './demo.ts';
import { exportCommand } from './export.ts';
import { keys } from './keys.ts';
import { migrate } from './migrate.ts';
import { runs } from './runs.ts';
import { serve } from './serve.ts';
import { tenants } from './tenants.ts';
import { verify } from './verify.ts';

/** Every command there is. To add one: its file and its line here. */
const COMMANDS: readonly Command[] = [exportCommand, verify, serve, runs, tenants, keys, configCommand, migrate, demo];

const HELP = `Drayage exports data: from files to verified files.

Usage: drayage COMMAND [OPTIONS]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

drayage COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
`;

process.exitCode = await run(process.argv.slice(2));

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) {
    process.stderr.write(
      `drayage: there is no command ${name}; there are ${COMMANDS.map((each) => each.name).join(', ')}.\n`,
    );
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    return report(error, args.includes('--json'));
  }
}

function report(error: unknown, asJson: boolean): number {
  if (error instanceof UsageError) {
    process.stderr.write(`drayage: ${error.message}\n`);
    return 2;
  }
  const { code, message, pointer, detail } = recordOf(error);
  if (asJson)
    process.stdout.write(`${JSON.stringify({ event: 'failed', code, message, ...(pointer ? { pointer } : {}) })}\n`);
  const place = pointer ? ` (${pointer})` : '';
  process.stderr.write(`drayage: ${message} [${code}]${place}\n`);
  if (detail !== undefined && process.argv.includes('--verbose')) process.stderr.write(`${detail}\n`);
  if (error instanceof Fault && error.code === 'run.cancelled') return 130;
  return 1;
}
