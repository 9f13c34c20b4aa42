import { glob, realpath, stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { Fault, refuse } from '../../base/errors.ts';
import type { DuckdbOptions } from '../options.ts';

type FileFormat = NonNullable<DuckdbOptions['format']>;

const ENDINGS: Readonly<Record<string, FileFormat>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.duckdb': 'duckdb',
  '.db': 'duckdb',
};

/** More input files than this are a mistake more often than a wish. */
const MAX_FILES = 10_000;

/** Longer patterns are refused: expanding one can take without bound. */
const MAX_PATTERN_CHARS = 4096;

/** The files the options name, globs resolved, in path order within each pattern. */
export async function findFiles(options: DuckdbOptions, folder: string): Promise<string[]> {
  const patterns = typeof options.files === 'string' ? [options.files] : options.files;
  const found: string[] = [];
  for (const pattern of patterns) found.push(...(await matches(pattern, folder)));
  if (found.length > MAX_FILES)
    throw refuse('/files', `The patterns match ${found.length} files; allowed are ${MAX_FILES}.`);
  return [...new Set(found)];
}

async function matches(pattern: string, folder: string): Promise<string[]> {
  if (pattern.length > MAX_PATTERN_CHARS)
    throw refuse('/files', `A path has more than ${MAX_PATTERN_CHARS} characters.`);
  const literalPath = resolve(folder, pattern);
  const isLiteral = await stat(literalPath).then(
    (entry) => entry.isFile(),
    () => false,
  );
  const paths = isLiteral ? [literalPath] : await expand(pattern, folder);
  const files = await Promise.all(paths.sort(byCodePoint).map(pathOfFile));
  const kept = files.filter((path) => path !== null);
  if (kept.length === 0) throw new Fault('source.unreachable', `No file matches ${pattern}.`);
  return kept;
}

async function expand(pattern: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern, { cwd: folder })) paths.push(resolve(folder, path));
  return paths;
}

function byCodePoint(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** The path with symlinks resolved, or null for what is no file. The engine would take `*?[` in a name for a glob. */
async function pathOfFile(path: string): Promise<string | null> {
  const real = await realpath(path).catch((error: unknown) => {
    throw new Fault('source.unreachable', `${path} cannot be reached.`, { cause: error });
  });
  if (!(await stat(real)).isFile()) return null;
  if (/[*?[\]{}]/.test(real)) throw new Fault('source.refused', `The path ${path} has one of *?[]{} in it; rename it.`);
  return real;
}

export function formatOf(options: DuckdbOptions, paths: readonly string[]): FileFormat {
  if (options.format) return options.format;
  const endings = new Set(paths.map((path) => ENDINGS[extname(path).toLowerCase()]));
  const [format] = endings;
  if (format && endings.size === 1) return format;
  const allowed = Object.keys(ENDINGS).join(', ');
  throw refuse(
    '/format',
    `The kind of ${paths
      .slice(0, 3)
      .map((path) => basename(path))
      .join(', ')} cannot be told by its ending; allowed are ${allowed}, or name the format.`,
  );
}
