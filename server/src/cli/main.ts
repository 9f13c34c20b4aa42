import { Fault, recordOf } from '../base/errors.ts';
import { type Command, UsageError } from './command.ts';

/** Every command there is. To add one: its file and its line here. Only the one that is asked for is loaded. */
const COMMANDS: readonly Listed[] = [
  ['export', 'export a dataset or files into a folder', async () => (await import('./export.ts')).exportCommand],
  ['verify', 'check exported files against their manifest', async () => (await import('./verify.ts')).verify],
  ['serve', 'serve the API and carry out runs', async () => (await import('./serve.ts')).serve],
  ['runs', 'list the newest runs', async () => (await import('./runs.ts')).runs],
  ['tenants', 'list tenants, make one, move one to another tier', async () => (await import('./tenants.ts')).tenants],
  ['keys', 'list, make and revoke API keys', async () => (await import('./keys.ts')).keys],
  ['config', 'check a configuration and its sources', async () => (await import('./config.ts')).configCommand],
  ['migrate', 'bring the database to this version', async () => (await import('./migrate.ts')).migrate],
  ['demo', 'make demo data, export some of it and serve it', async () => (await import('./demo.ts')).demo],
];

type Listed = readonly [name: string, summary: string, load: () => Promise<Command>];

const HELP = `Drayage exports data: from files to verified files.

Usage: drayage COMMAND [OPTIONS]

${COMMANDS.map(([name, summary]) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

drayage COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
`;

process.exitCode = await run(process.argv.slice(2));

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? 2 : 0;
  }
  const listed = COMMANDS.find(([each]) => each === name);
  if (!listed) {
    process.stderr.write(
      `drayage: there is no command ${name}; there are ${COMMANDS.map(([each]) => each).join(', ')}.\n`,
    );
    return 2;
  }
  const command = await listed[2]();
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(args.filter((arg) => arg !== '--verbose'));
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
