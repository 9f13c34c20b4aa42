/**
 * Our peak memory on every source, format and compression, at two row counts.
 * Usage: npm run bench -- memory [--rows 4000000,20000000 --runs 3 --only REGEX --list --out FILE]. With --only, no
 * file is written unless --out names one. 20 M rows need about 35 GB of free disk.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { avroFlags, type Cell, missingSource, oursWords } from './cells.ts';
import { failureWords, runOurs } from './command-run.ts';
import type { Ground, Source } from './ground.ts';
import { median } from './measure.ts';
import { machineLines } from './report.ts';
import { elapsed, here, withGround } from './session.ts';

/** What every export has to stay below, in millions of bytes. */
const LIMIT_MB = 512;
/** By how much five times the rows may take more. */
const MAX_GROWTH = 0.1;

interface Row extends Cell {
  readonly source: Source;
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '4000000,20000000' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const COMPRESSIONS = ['none', 'gzip', 'zstd'];
const text = ['csv', 'jsonl', 'json', 'xml'].map((format) =>
  COMPRESSIONS.map((compression) => ({
    name: compression === 'none' ? format : `${format}+${compression}`,
    flags: ['--format', format, '--compression', compression],
  })),
);
const parquet = { name: 'parquet', flags: ['--format', 'parquet'] };
const avro = ['null', 'deflate', 'zstandard'].map((codec) => ({ name: `avro ${codec}`, flags: avroFlags(codec) }));

const ALL: readonly Cell[] = [...text.flat(), parquet, ...avro];
/** Reading is what differs between kinds of files; the way from there is the same. */
const PLAIN = ALL.filter(({ name }) => /^(csv|jsonl|json|xml|parquet|avro null)$/.test(name));
const CELLS: Readonly<Partial<Record<Source, readonly Cell[]>>> = {
  parquet: ALL,
  postgres: ALL,
  duckdb: PLAIN,
  csv: PLAIN,
  jsonl: PLAIN,
};

const begun = performance.now();
const lines: string[] = [];
const only = new RegExp(values.only);
const counts = values.rows.split(',').map(Number);
const runs = Math.max(1, Number.parseInt(values.runs, 10) || 1);
const rows = (Object.entries(CELLS) as [Source, readonly Cell[]][])
  .flatMap(([source, cells]) => cells.map((cell): Row => ({ ...cell, name: `${source} to ${cell.name}`, source })))
  .filter(({ name }) => only.test(name));

if (values.list) for (const { name } of rows) process.stdout.write(`${name}\n`);
else await withGround(measureAll);

async function measureAll(ground: Ground): Promise<void> {
  for (const line of machineLines().slice(0, 1)) print(line);
  print(`Node ${process.version}. Peaks of the summed resident memory of the process tree of a run, looked at every
100 ms; pages that processes share count in each; the PostgreSQL server is not in it. Growth is that of the medians.
MB are millions of bytes.`);
  print('');
  const heads = counts.map((count) => `peak MB at ${count} rows: median of ${runs} (highest)`);
  print(`| from, to | ${heads.join(' | ')} | growth | holds |`);
  print(`|---|${'--:|'.repeat(counts.length + 1)}---|`);
  const broken: string[] = [];
  for (const row of rows) if (!(await measureRow(row, ground))) broken.push(row.name);
  print('');
  const rule = `at most ${LIMIT_MB} MB, and within ${MAX_GROWTH * 100} % between the row counts`;
  print(broken.length === 0 ? `All hold: ${rule}.` : `Not held (${rule}): ${broken.join(', ')}.`);
  print('');
  print(`Took ${elapsed(begun)}: \`npm run bench -- memory --rows ${values.rows} --runs ${runs}\`.`);
  const file = values.out ?? (values.only === '' ? here('memory-results.md') : null);
  if (file !== null)
    writeFileSync(file, `# Memory results\n\n\`npm run bench -- memory\` writes this file.\n\n${lines.join('\n')}\n`);
}

/** Whether the row holds what is asked. */
async function measureRow(row: Row, ground: Ground): Promise<boolean> {
  const install = missingSource({ source: row.source, other: null });
  if (install !== null) {
    print(`| ${row.name} | not here: ${install} |${' – |'.repeat(counts.length + 1)}`);
    return true;
  }
  try {
    const peaks: number[][] = [];
    for (const count of counts) peaks.push(await peaksOf(row, ground, count));
    const growth = median(peaks.at(-1) ?? []) / median(peaks[0] ?? []) - 1;
    const holds = Math.max(...peaks.flat()) <= LIMIT_MB && growth <= MAX_GROWTH;
    const cells = [...peaks.map(peakWords), `${(growth * 100).toFixed(1)} %`, holds ? 'yes' : '**no**'];
    print(`| ${row.name} | ${cells.join(' | ')} |`);
    return holds;
  } catch (error) {
    print(`| ${row.name} | FAILED: ${failureWords(error)} |${' |'.repeat(counts.length + 1)}`);
    process.exitCode = 1;
    return false;
  } finally {
    process.stderr.write(`(${elapsed(begun)})\n`);
  }
}

async function peaksOf(row: Row, ground: Ground, count: number): Promise<number[]> {
  const input = await ground.input(row.source, count);
  const peaks: number[] = [];
  for (let run = 0; run < runs; run++) {
    peaks.push((await runOurs(oursWords(row, row.source, ground, input), ground.folder, count)).peakMb);
  }
  return peaks;
}

function peakWords(peaks: readonly number[]): string {
  return `${median(peaks).toFixed(0)} (${Math.max(...peaks).toFixed(0)})`;
}

function print(line: string): void {
  lines.push(line);
  process.stdout.write(`${line}\n`);
}
