import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { Fault } from '../base/errors.ts';
import { parseType } from '../column/type-name.ts';
import type { Dataset, Scope } from '../dataset/dataset.ts';
import { declareDataset, declaredTypes } from '../dataset/declare.ts';
import type { SourceOptions } from '../source/options.ts';
import { POSITION } from '../source/relation.ts';
import type { DescribeAsk, SourceShape } from '../source/source.ts';
import type { LoadedConfig } from './config-file.ts';
import type { ExportFlags } from './export-flags.ts';

/** What is to be exported: where it comes from, and what it is once its columns are known. */
export interface Subject {
  readonly ask: DescribeAsk;
  readonly scope: Scope;
  dataset(shape: SourceShape): Dataset;
}

/** What is named to be exported. */
export interface Named {
  /** A dataset's name, or paths and globs of files. */
  readonly subjects: readonly string[];
  readonly types: Readonly<Record<string, string>>;
  readonly table: string | undefined;
  readonly tenant: string | undefined;
  readonly allTenants: boolean;
  readonly config: string | undefined;
}

const FILE_ENDING = /\.(parquet|csv|tsv|jsonl|ndjson|duckdb|db)$/i;

const POSTGRES_URL = /^postgres(ql)?:\/\//;

/** Whether all subjects are files by their names, whatever there is. */
export function namesFiles({ subjects, values }: ExportFlags): boolean {
  return values.config === undefined && subjects.every((name) => FILE_ENDING.test(name) && !POSTGRES_URL.test(name));
}

/** Files named by path, a table of a database named by URL, or a dataset of the configuration: with --config always, else when no file has the name. */
export async function findSubject(args: Named): Promise<Subject> {
  const [name = ''] = args.subjects;
  if (POSTGRES_URL.test(name)) return bareTable(name, args);
  const isName = args.subjects.length === 1 && /^[A-Za-z_][\w.-]*$/.test(name) && !FILE_ENDING.test(name);
  if (args.config === undefined && (!isName || (await isFile(name)))) return bareFiles(args);
  // What checks a configuration takes longer to load than files to describe.
  const { CONFIG_FILE, loadConfig } = await import('./config-file.ts');
  return declared(name, args, await loadConfig(args.config ?? CONFIG_FILE));
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

function bareFiles(args: Named): Subject {
  const options: SourceOptions = {
    type: 'duckdb',
    files: [...args.subjects],
    ...(args.table === undefined ? {} : { table: args.table }),
  };
  return {
    ask: { options, types: typesOf(args), folder: process.cwd() },
    scope: { is: 'shared' },
    dataset: (shape) => bareDataset(shape, args),
  };
}

/** A table named on the command line is shared, and has no key. */
function bareTable(url: string, args: Named): Subject {
  const { table } = args;
  if (table === undefined || args.subjects.length !== 1)
    throw new Fault('request.invalid', 'A database is exported one --table at a time.', { pointer: '/table' });
  return {
    ask: { options: { type: 'postgres', url, table, connections: 2 }, types: typesOf(args), folder: process.cwd() },
    scope: { is: 'shared' },
    dataset: (shape) => ({ ...bareDataset(shape, args), key: [] }),
  };
}

function typesOf(args: Named) {
  return Object.fromEntries(
    Object.entries(args.types).map(([name, type]) => [name, parseType(type, `/types/${name}`)]),
  );
}

/** Bare files are shared, and their rows' place in them stands in for a key. */
function bareDataset(shape: SourceShape, args: Named): Dataset {
  const plain = { description: null, hidden: false };
  const columns = shape.columns.map(({ name, type, nullable }) => ({ name, type, nullable, from: name, ...plain }));
  const position = {
    name: POSITION,
    type: { is: 'integer', bits: 64 },
    nullable: false,
    from: POSITION,
    description: null,
    hidden: true,
  } as const;
  return {
    name: bareName(args),
    columns: [...columns, position],
    key: [POSITION],
    time: null,
    tenancy: 'shared',
    lookbackDays: null,
  };
}

function bareName({ subjects, table }: Named): string {
  const path = table ?? subjects[0] ?? '';
  const stem = table ? table : basename(path, extname(path));
  const isPlain = subjects.length === 1 && /^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,99}$/u.test(stem);
  return isPlain ? stem : 'export';
}

function declared(name: string, args: Named, { config, folder }: LoadedConfig): Subject {
  const declaration = Object.hasOwn(config.datasets, name) ? config.datasets[name] : undefined;
  if (!declaration) {
    throw new Fault(
      'dataset.unknown',
      `There is no dataset ${name}; there are ${Object.keys(config.datasets).join(', ') || 'none'}.`,
    );
  }
  if (Object.keys(args.types).length > 0)
    throw new Fault('request.invalid', 'The types of a dataset are declared in its configuration.', {
      pointer: '/types',
    });
  return {
    ask: { options: declaration.source, types: declaredTypes(declaration), folder },
    scope: readScope(args),
    dataset: (shape) => declareDataset(name, declaration, shape.columns),
  };
}

function readScope(args: Named): Scope {
  if (args.tenant !== undefined) return { is: 'tenant', tenant: args.tenant };
  return args.allTenants ? { is: 'operator' } : { is: 'shared' };
}
