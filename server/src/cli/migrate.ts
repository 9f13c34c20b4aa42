import { readEnvironment } from '../base/config.ts';
import { Db } from '../db/db.ts';
import { type Command, readArgs } from './command.ts';

export const migrate: Command = {
  help: `Usage: drayage migrate

Brings the tables to this version and says which migrations ran. The server does so by itself when it
starts; with several servers on one PostgreSQL database, run this first. There is no way back.

Environment
  DRAYAGE_DATA          folder of the SQLite database (default: .drayage)
  DRAYAGE_DATABASE_URL  a PostgreSQL database instead
`,

  async run(args) {
    readArgs({ args: [...args], options: {} });
    const { dataFolder, databaseUrl: url } = readEnvironment();
    await using db = await Db.open({ dataFolder, url });
    const ran = await db.migrate();
    process.stdout.write(ran.length === 0 ? 'The database is of this version.\n' : `Ran ${ran.join(', ')}.\n`);
    return 0;
  },
};
