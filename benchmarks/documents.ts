/**
 * PDF documents of one page, 24 fields in two scripts each, in one run: documents a second, memory.
 * Usage: npm run bench -- documents [--documents 100000] [--from parquet|jsonl]
 */
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { ONE_PAGE, rowOf } from '../server/test/pdf-ground.ts';
import { failureWords, runOurs } from './command-run.ts';
import type { Ground } from './ground.ts';
import { machineLines } from './report.ts';
import { here, withGround } from './session.ts';

/** What the run has to stay below, in millions of bytes. */
const LIMIT_MB = 512;

const { values } = parseArgs({
  options: { documents: { type: 'string', default: '100000' }, from: { type: 'string', default: 'parquet' } },
});
const documents = Number(values.documents);
const isJsonl = values.from === 'jsonl';
const main = fileURLToPath(new URL('../server/bin/drayage.js', import.meta.url));

await withGround(measureDocuments);

async function measureDocuments(ground: Ground): Promise<void> {
  const rows = join(ground.folder, isJsonl ? 'rows.jsonl' : 'rows.parquet');
  const layout = join(ground.folder, 'layout.json');
  await makeRows(rows);
  const { type: _, ...page } = ONE_PAGE;
  writeFileSync(layout, JSON.stringify(page));
  const words = [process.execPath, main, 'export', rows, '--format', 'pdf', '--layout', layout, '--threads', '2'];
  try {
    const { seconds, cpuSeconds, peakMb, bytes } = await runOurs(words, ground.folder, documents);
    const cells = [
      documents,
      seconds.toFixed(0),
      documents / seconds,
      documents / cpuSeconds,
      peakMb,
      bytes / documents,
    ];
    const line = cells.map((cell) => (typeof cell === 'number' ? Math.round(cell) : cell)).join(' | ');
    const holds = peakMb <= LIMIT_MB ? `At most ${LIMIT_MB} MB: held.` : `At most ${LIMIT_MB} MB: **not held**.`;
    report(`| documents | seconds | a second | a second of processor time | peak MB of the process tree | bytes each |
|--:|--:|--:|--:|--:|--:|
| ${line} |

${holds}`);
  } catch (error) {
    process.stderr.write(`${failureWords(error)}\n`);
    process.exitCode = 1;
  }
}

function report(table: string): void {
  const text = `${machineLines()[0]}

${table}

    npm run bench -- documents --documents ${documents} --from ${isJsonl ? 'jsonl' : 'parquet'}
`;
  process.stdout.write(text);
  writeFileSync(here('documents-results.md'), `# Documents\n\n${text}`);
}

/** The rows as lines of JSON, or read from there into Parquet. */
async function makeRows(path: string): Promise<void> {
  const lines = isJsonl ? path : `${path}.jsonl`;
  const file = createWriteStream(lines);
  for (let row = 0; row < documents; row++)
    if (!file.write(`${JSON.stringify(rowOf(row))}\n`)) await once(file, 'drain');
  file.end();
  await finished(file);
  if (isJsonl) return;
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(`copy (from read_json('${lines}', format = 'newline_delimited')) to '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}
