import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Fault } from './errors.ts';

/** What the environment says. The one place that reads it. */
export interface Environment {
  /** Folder of our own data: keys, demo data. Absolute. */
  readonly dataFolder: string;
  /** Rows of the demo's native events. */
  readonly demoRows: number;
  /** ISO 8601 instant the demo's recent rows are dated back from, or null to use today. */
  readonly demoNow: string | null;
  /** Segments written at a time, and threads of the engine while it sorts or counts. */
  readonly threads: number;
  /** Where `serve` and `demo` listen. */
  readonly host: string;
  readonly port: number;
  /** A PostgreSQL connection string, or null for SQLite in the data folder. It holds a password: never log it. */
  readonly databaseUrl: string | null;
  /** False when the user asked for no colour or the terminal cannot show it. */
  readonly colour: boolean;
}

const DEMO_ROWS = 200_000;
const DEFAULT_PORT = 4400;

export function readEnvironment(): Environment {
  const env = process.env;
  return {
    dataFolder: resolve(env.DRAYAGE_DATA || '.drayage'),
    demoRows: wholeNumber('DEMO_ROWS', env.DEMO_ROWS) ?? DEMO_ROWS,
    demoNow: env.DEMO_NOW || null,
    // Fewer than two would leave the engine idle while a segment is hashed.
    threads: Math.max(2, wholeNumber('DRAYAGE_THREADS', env.DRAYAGE_THREADS) ?? availableParallelism()),
    host: env.HOST || '127.0.0.1',
    port: portNumber(env.PORT) ?? DEFAULT_PORT,
    databaseUrl: env.DRAYAGE_DATABASE_URL || null,
    colour: env.NO_COLOR === undefined && env.TERM !== 'dumb',
  };
}

function wholeNumber(name: string, text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Fault('request.invalid', `${name} is "${text}"; allowed is a whole number from 1 to 999999999.`);
  return Number(text);
}

/** 0 lets the system choose a free port. */
function portNumber(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535)
    throw new Fault('request.invalid', `PORT is "${text}"; allowed is a whole number from 0 to 65535.`);
  return port;
}
