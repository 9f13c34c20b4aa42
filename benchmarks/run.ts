/**
 * The data path against DuckDB's own COPY: whole commands in fresh processes, in turn, the same
 * columns and threads. Usage: npm run bench [-- --rows 4000000,10000000 --runs 5 --only csv]
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeEvents } from './events.ts';
import { type Measured, measure, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '4000000,10000000' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});

interface Case {
  readonly name: string;
  readonly flags: readonly string[];
  /** The COPY options of the raw command; null for cases that are only watched. */
  readonly raw: string | null;
}

const CASES: readonly Case[] = [
  { name: 'csv', flags: ['--format', 'csv'], raw: 'format csv' },
  { name: 'jsonl', flags: ['--format', 'jsonl'], raw: 'format json' },
  { name: 'parquet', flags: ['--format', 'parquet'], raw: 'format parquet' },
  { name: 'csv+gzip', flags: ['--format', 'csv', '--compression', 'gzip'], raw: null },
  { name: 'csv ordered', flags: ['--format', 'csv', '--order', '-occurred_at'], raw: null },
];

const THREADS = '2';
const folder = join(tmpdir(), `drayage-bench-${process.pid}`);
const root = fileURLToPath(new URL('../', import.meta.url));
const main = fileURLToPath(new URL('../server/bin/drayage.js', import.meta.url));
const rawCopy = fileURLToPath(new URL('./raw-copy.ts', import.meta.url));

mkdirSync(folder, { recursive: true });
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const lines: string[] = [];
print(
  `Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString().slice(0, 10)}; medians of ${values.runs} paired runs.`,
);
print('');
print('| rows | case | ours s | raw s | ours / raw (min–max) | ours peak MB | raw peak MB |');
print('|--:|---|--:|--:|--:|--:|--:|');
const commands = new Set<string>();
for (const rows of values.rows.split(',').map(Number)) {
  const source = join(folder, 'events.parquet');
  await makeEvents(source, rows);
  for (const each of CASES.filter(({ name }) => values.only === undefined || name === values.only))
    await compare(each, rows, source);
}
print('');
for (const command of commands) print(`    ${command}`);
writeFileSync(
  fileURLToPath(new URL('./results.md', import.meta.url)),
  `# Benchmark results\n\n\`npm run bench\` writes this file.\n\n${lines.join('\n')}\n`,
);

async function compare({ name, flags, raw }: Case, rows: number, source: string): Promise<void> {
  const ours = [process.execPath, main, 'export', source, ...flags, '--to', join(folder, 'out'), '--threads', THREADS];
  const sql = `copy (select * from read_parquet('${source}')) to '${join(folder, 'raw')}' (${raw})`;
  const theirs = raw === null ? null : [process.execPath, rawCopy, sql, THREADS];
  const pairs: { ours: Measured; raw: Measured | null }[] = [];
  // Watched cases need no pairs. The first pair of the others warms the page cache.
  const [first, last] = theirs === null ? [1, 1] : [0, Number(values.runs)];
  for (let run = first; run <= last; run++) {
    const pair = { ours: await measure(ours), raw: theirs && (await measure(theirs)) };
    rmSync(join(folder, 'out'), { recursive: true });
    rmSync(join(folder, 'raw'), { force: true });
    if (run > 0) pairs.push(pair);
  }
  for (const command of [ours, theirs ?? []]) commands.add(command.map(shown).join(' '));
  print(`| ${rows} | ${name} | ${row(pairs)} |`);
}

function row(pairs: readonly { ours: Measured; raw: Measured | null }[]): string {
  const raws = pairs.flatMap((pair) => (pair.raw ? [pair.raw] : []));
  const ratios = pairs.flatMap((pair) => (pair.raw ? [pair.ours.seconds / pair.raw.seconds] : []));
  const ratio =
    ratios.length === 0
      ? '–'
      : `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
  const of = (measured: readonly Measured[], key: keyof Measured, digits: number) =>
    measured.length ? median(measured.map((each) => each[key])).toFixed(digits) : '–';
  const peak = (measured: readonly Measured[]) =>
    measured.length ? Math.max(...measured.map((each) => each.peakMb)).toFixed(0) : '–';
  const ours = pairs.map((pair) => pair.ours);
  return [of(ours, 'seconds', 2), of(raws, 'seconds', 2), ratio, peak(ours), peak(raws)].join(' | ');
}

/** Paths as anybody would have them. */
function shown(word: string): string {
  const plain = word.replaceAll(folder, 'FOLDER').replaceAll(process.execPath, 'node').replaceAll(root, '');
  return plain.includes(' ') ? `"${plain}"` : plain;
}

function print(line: string): void {
  lines.push(line);
  process.stdout.write(`${line}\n`);
}
