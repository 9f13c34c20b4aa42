import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';
import { packageVersion, programVersion } from './programs.ts';
import type { Result, Side } from './rounds.ts';

const PACKAGES = ['pg', 'pg-query-stream', 'csv-stringify', 'fast-csv', '@dsnp/parquetjs', 'avsc', 'nodejs-polars'];
const PROGRAMS = ['psql', 'sqlite3', 'mlr', 'pigz'];
/** Programs tell a version in many forms. */
const VERSION = /\d+\.[\d.]+/;

const root = fileURLToPath(new URL('../', import.meta.url));

export const TABLE_HEAD = [
  '| # | cell | rows | ours M rows/s | ours MB/s | other | other M rows/s | ours ÷ other (min–max) | ours CPU s | other CPU s | ours MB | other MB | ours peak MB | other peak MB |',
  '|--:|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|',
];

/** Machine, date and versions of all that took part, as lines of Markdown. */
export function machineLines(): string[] {
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const packages = PACKAGES.map((name) => `${name} ${packageVersion(name) ?? 'not here'}`);
  const programs = PROGRAMS.map((name) => `${name} ${programVersion(name)?.match(VERSION)?.[0] ?? 'not here'}`);
  return [
    `Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${gigabytes} GB; ${new Date().toISOString().slice(0, 10)}.`,
    `Node ${process.version}, DuckDB ${packageVersion('@duckdb/node-api')}; ${packages.join(', ')}; ${programs.join(', ')}.`,
  ];
}

/** A row of the table. */
export function resultLine(at: number, { cell, rows, ours, other }: Result, otherName: string | null): string {
  const ratios = ours.runs.flatMap((run, round) => {
    const theirs = other?.runs[round];
    return theirs ? [theirs.seconds / run.seconds] : [];
  });
  const [mine, theirs] = [figures(ours, rows), figures(other, rows)];
  const cells = [
    at,
    cell.name,
    rows,
    ours.failure === null ? mine.rowsPerSecond : `FAILED: ${ours.failure}`,
    mine.mbPerSecond,
    other?.failure ? `${otherName} FAILED: ${other.failure}` : (otherName ?? '–'),
    theirs.rowsPerSecond,
    spread(ratios),
    mine.cpu,
    theirs.cpu,
    mine.mb,
    theirs.mb,
    mine.peak,
    theirs.peak,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** A row of the table for what could not be run here. */
export function skippedLine(name: string, otherName: string | null, install: string): string {
  return `| – | ${name} | – | – | – | ${otherName ?? '–'}: not here: ${install} |${' – |'.repeat(8)}`;
}

/** Every command once, with the numbers of the rows it made. */
export function commandLines(results: readonly Result[], folder: string): string[] {
  const numbers = new Map<string, number[]>();
  for (const [at, { ours, other }] of results.entries()) {
    for (const words of [[...ours.words, '--to', 'OUT'], ...(other ? [other.words] : [])]) {
      const line = words.map((word) => shown(word, folder)).join(' ');
      numbers.set(line, [...(numbers.get(line) ?? []), at + 1]);
    }
  }
  return [...numbers].map(([line, rows]) => `    ${rows.join(', ')}: ${line}`);
}

/** Paths as anybody would have them. */
function shown(word: string, folder: string): string {
  const plain = word
    .replaceAll(folder, 'FOLDER')
    .replaceAll(process.execPath, 'node')
    .replaceAll(root, '')
    .replaceAll(/^postgresql:.*/g, 'URL');
  if (/^[\w./:=-]+$/.test(plain)) return plain;
  return plain.includes("'") ? `"${plain}"` : `'${plain}'`;
}

function figures(side: Side | null, rows: number) {
  if (!side || side.runs.length === 0) return { rowsPerSecond: '–', mbPerSecond: '–', cpu: '–', mb: '–', peak: '–' };
  const of = (value: (run: Side['runs'][number]) => number) => median(side.runs.map(value));
  return {
    rowsPerSecond: of(({ seconds }) => rows / seconds / 1e6).toFixed(3),
    mbPerSecond: of(({ bytes, seconds }) => bytes / seconds / 1e6).toFixed(0),
    cpu: of(({ cpuSeconds }) => cpuSeconds).toFixed(2),
    mb: of(({ bytes }) => bytes / 1e6).toFixed(1),
    peak: Math.max(...side.runs.map(({ peakMb }) => peakMb)).toFixed(0),
  };
}

function spread(ratios: readonly number[]): string {
  if (ratios.length === 0) return '–';
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}
