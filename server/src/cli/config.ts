import { readEnvironment } from '../base/config.ts';
import { recordOf } from '../base/errors.ts';
import { Catalog } from '../run/catalog.ts';
import { Pool } from '../run/pool.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { CONFIG_FILE, loadConfig } from './config-file.ts';

export const configCommand: Command = {
  help: `Usage: drayage config check [--config FILE]

Reads the configuration (default: ${CONFIG_FILE}), looks at every source and says what each dataset
would offer. Warns of declared columns that no JSON line has. Ends with 1 when a dataset cannot be served.
`,

  async run(args) {
    const options = { config: { type: 'string' } } as const;
    const { values, positionals } = readArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length !== 1 || positionals[0] !== 'check') throw new UsageError('Allowed is: config check.');
    const { config, folder } = await loadConfig(values.config ?? CONFIG_FILE);
    const limits = { threads: readEnvironment().threads, memoryBytes: config.runs.memory };
    const catalog = new Catalog({ config, folder, limits });
    await using pool = new Pool(limits.threads, limits.memoryBytes);
    const failed = await catalog.load(pool);
    for (const { name, columns, time } of catalog.list())
      process.stdout.write(
        `ok      ${name}: ${columns.length} columns, ${time === null ? 'no time column' : `time ${time}`}\n`,
      );
    for (const [name, text] of catalog.warnings) process.stdout.write(`warning ${name}: ${text}\n`);
    for (const [name, error] of failed) {
      const { code, message, pointer } = recordOf(error);
      process.stdout.write(`failed  ${name}: ${message} [${code}]${pointer ? ` (${pointer})` : ''}\n`);
    }
    process.stdout.write(`tiers   ${Object.keys(config.tiers).join(', ')}\n`);
    return failed.size === 0 ? 0 : 1;
  },
};
