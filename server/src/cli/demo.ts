import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { now, ticks } from '../base/clock.ts';
import { readEnvironment } from '../base/config.ts';
import { Fault } from '../base/errors.ts';
import { parseInstant } from '../column/parse-instant.ts';
import { type Command, readArgs } from './command.ts';
import { type DemoAsk, type DemoData, demoData } from './demo-data.ts';
import { exportIntoFolder } from './export.ts';
import { readExportFlags } from './export-flags.ts';
import { fileLines, listFiles } from './manifest-view.ts';

const CONFIG = fileURLToPath(new URL('../../../examples/demo/drayage.config.ts', import.meta.url));

export const demo: Command = {
  help: `Usage: drayage demo [--once]

Makes demo data unless it is there already, exports the events of tenant acme as CSV with gzip into a
new folder, and says how to verify them. Then it serves the data on this machine alone, with keys that
are known to everybody, until Ctrl-C; started again it goes on with what it has.

  --once          make the data, run one export and end

Environment
  PORT            where to serve (default: 4400)
  DRAYAGE_DATA    folder of the data, the exports, the database and the keys (default: .drayage)
  DEMO_ROWS       number of events (default: 200000); the data of the dialects are some 40000 rows beside
  DEMO_NOW        instant the recent rows lead up to (default: midnight UTC of the first start, which the
                  data remember)

The datasets are declared in examples/demo/drayage.config.ts; --config takes it to export more of them.
`,

  async run(args) {
    const { values } = readArgs({
      args: [...args],
      options: { once: { type: 'boolean' }, verbose: { type: 'boolean' } },
    });
    const { dataFolder, demoRows, demoNow } = readEnvironment();
    const asked = { dataFolder, rows: demoRows, now: demoNow === null ? null : readNow(demoNow) };
    await makeData(asked);
    await exportEvents(dataFolder);
    if (values.once) return 0;
    // The server takes as long to load as the rest of the demo's start.
    const { serveDemo } = await import('./demo-server.ts');
    await serveDemo(CONFIG);
    return 0;
  },
};

/** Whole milliseconds, so that the last row never comes after it. */
function readNow(text: string): string {
  try {
    return new Date(Date.parse(parseInstant(text, ''))).toISOString();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('request.invalid', `DEMO_NOW is "${text}". ${error.message}`, { cause: error });
  }
}

/** Twenty million rows take a minute or two; a longer silence looks like a fault. */
const STILL_MAKING_MS = 5000;

async function makeData(asked: Pick<DemoAsk, 'dataFolder' | 'rows' | 'now'>): Promise<void> {
  const start = ticks();
  const seconds = () => `${((ticks() - start) / 1000).toFixed(1)} s`;
  const timer = setInterval(() => process.stderr.write(`still making them, ${seconds()}\n`), STILL_MAKING_MS);
  const cancelling = new AbortController();
  const cancel = () => cancelling.abort();
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  try {
    const making = () => say(`Making ${asked.rows} events …`);
    const { folder, isNew, files } = await demoData({ ...asked, signal: cancelling.signal, making });
    // Between the making and the export nobody else listens to Ctrl-C.
    if (cancelling.signal.aborted) throw new Fault('run.cancelled', 'The demo was cancelled.');
    say(`${isNew ? `Made in ${seconds()}` : 'Made before and intact'}, in ${folder}:`);
    say(fileLines(files.map((file) => ({ ...file, name: describe(file) }))).join('\n'));
  } finally {
    clearInterval(timer);
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
  }
}

/** The file, and the first and last day of its rows. */
function describe({ file, span }: DemoData['files'][number]): string {
  if (span === null) return file;
  return `${file}, ${span.start.slice(0, 10)} to ${new Date(Date.parse(span.end) - 1).toISOString().slice(0, 10)}`;
}

async function exportEvents(dataFolder: string): Promise<void> {
  const to = join(dataFolder, 'exports', `events-${now().replaceAll(/[-:.]/g, '')}`);
  say('Exporting dataset events for tenant acme as CSV with gzip …');
  const what = ['events', '--tenant', 'acme', '--format', 'csv', '--compression', 'gzip'];
  const manifest = await exportIntoFolder(readExportFlags([...what, '--config', CONFIG, '--to', to]));
  if (manifest !== null) process.stdout.write(`In ${to}:\n${listFiles(manifest, to)}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
