import { readEnvironment } from '../base/config.ts';
import { openLog } from '../base/log.ts';
import { startServer } from '../daemon/server.ts';
import { type Command, readArgs } from './command.ts';
import { CONFIG_FILE, loadConfig } from './config-file.ts';
import { untilStopped } from './until-stopped.ts';

export const serve: Command = {
  help: `Usage: drayage serve [--config FILE]

Serves the API of the configuration's datasets, carries out runs and clears up behind them, until
SIGTERM or Ctrl-C: then no run is begun any more, those that go on have their grace time, and what
is not done goes back to the queue. A second signal ends it at once; nothing is lost by that either.

  --config FILE         configuration (default: ${CONFIG_FILE})

Environment
  PORT, HOST            where to listen (default: 4400 on 127.0.0.1)
  DRAYAGE_DATA          folder of the database, the files and the keys (default: .drayage)
  DRAYAGE_DATABASE_URL  a PostgreSQL database instead of SQLite in that folder
  DRAYAGE_THREADS       segments of a run written at a time
`,

  async run(args) {
    const { values } = readArgs({ args: [...args], options: { config: { type: 'string' } } });
    const { config, folder } = await loadConfig(values.config ?? CONFIG_FILE);
    const server = await startServer({ config, folder, environment: readEnvironment(), log: openLog('info') });
    await untilStopped(server);
    return 0;
  },
};
