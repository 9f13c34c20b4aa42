import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Ground, Input, Source } from './ground.ts';
import { findPsql, missingPostgres } from './postgres.ts';
import { missingPackage, missingProgram } from './programs.ts';

/** One of our commands. */
export interface Cell {
  readonly name: string;
  readonly flags: readonly string[];
  /** To PostgreSQL. */
  readonly connections?: number;
}

/** A command of others that does the same work. */
interface Other {
  readonly name: string;
  /** Where it reads the events; left out, where ours reads them. */
  readonly source?: Source;
  /** What to install before it can run, or null. */
  readonly missing: () => string | null;
  readonly words: (input: Input, output: string) => readonly string[];
}

/** Commands of ours that are compared with one of others, in the same rounds. */
export interface Group {
  readonly part: string;
  readonly source: Source;
  /** Rows of the input, as a part of what --rows says. */
  readonly scale: number;
  readonly cells: readonly Cell[];
  /** Null: ours are only watched. */
  readonly other: Other | null;
}

/** Ours takes two threads at least. */
const THREADS = String(Math.max(2, availableParallelism()));
/** Peers that take 6 to 15 s per million rows get fewer rows, and ours the same. */
const [QUARTER, EIGHTH] = [1 / 4, 1 / 8];

const main = path('../server/bin/drayage.js');
const rawCopy = path('./raw-copy.ts');

const DUCKDB = 'DuckDB files, against DuckDB itself';
const TEXT = 'Text files, against DuckDB itself';
const AVRO = 'DuckDB files to Avro, against avsc';
const NODE = 'PostgreSQL, against what Node teams write';
const POSTGRES = 'PostgreSQL, against psql';
const TOOLS = 'Against other tools';

const csv = ['--format', 'csv'];
const jsonl = ['--format', 'jsonl'];
const xml = ['--format', 'xml'];
const parquet = ['--format', 'parquet'];
const gzip = ['--compression', 'gzip'];
const gzip6 = ['--compression', 'gzip:6'];
const zstd = ['--compression', 'zstd'];

const duckdb = { part: DUCKDB, source: 'parquet', scale: 1 } as const;
const text = { part: TEXT, scale: 1 } as const;
const avro = { part: AVRO, source: 'parquet', scale: QUARTER } as const;
const node = { part: NODE, source: 'postgres', scale: QUARTER } as const;
const postgres = { part: POSTGRES, source: 'postgres', scale: 1 } as const;
const tools = { part: TOOLS, source: 'parquet', scale: 1 } as const;

export const GROUPS: readonly Group[] = [
  {
    ...duckdb,
    cells: [
      { name: 'duckdb csv', flags: csv },
      { name: 'duckdb xml', flags: xml },
    ],
    other: copy('format csv'),
  },
  { ...duckdb, cells: [{ name: 'duckdb jsonl', flags: jsonl }], other: copy('format json') },
  { ...duckdb, cells: [{ name: 'duckdb json', flags: ['--format', 'json'] }], other: copy('format json, array true') },
  { ...duckdb, cells: [{ name: 'duckdb parquet', flags: parquet }], other: copy('format parquet') },
  { ...duckdb, scale: 5, cells: [{ name: 'duckdb parquet x5', flags: parquet }], other: copy('format parquet') },
  {
    ...duckdb,
    cells: [
      { name: 'duckdb csv+gzip', flags: [...csv, ...gzip] },
      { name: 'duckdb csv+gzip:6', flags: [...csv, ...gzip6] },
    ],
    other: copy('format csv, compression gzip'),
  },
  {
    ...duckdb,
    cells: [{ name: 'duckdb csv+zstd', flags: [...csv, ...zstd] }],
    other: copy('format csv, compression zstd'),
  },
  {
    ...duckdb,
    cells: [
      { name: 'duckdb jsonl+gzip', flags: [...jsonl, ...gzip] },
      { name: 'duckdb jsonl+zstd', flags: [...jsonl, ...zstd] },
      { name: 'duckdb xml+gzip', flags: [...xml, ...gzip] },
    ],
    other: null,
  },
  {
    ...text,
    source: 'jsonl',
    cells: [{ name: 'text jsonl to csv', flags: csv }],
    other: copy('format csv', 'read_json'),
  },
  {
    ...text,
    source: 'jsonl',
    cells: [{ name: 'text jsonl to parquet', flags: parquet }],
    other: copy('format parquet', 'read_json'),
  },
  { ...text, source: 'csv', cells: [{ name: 'text csv to csv', flags: csv }], other: copy('format csv', 'read_csv') },
  ...['null', 'deflate', 'zstandard'].map((codec) => ({
    ...avro,
    cells: [{ name: `duckdb avro ${codec}`, flags: avroFlags(codec) }],
    other: {
      name: `avsc ${codec}`,
      missing: () => missingPackage('avsc'),
      words: ({ place }: Input, output: string) => [
        process.execPath,
        path('./peers/avsc.ts'),
        place,
        output,
        codec,
        THREADS,
      ],
    },
  })),
  { ...node, cells: [{ name: 'node csv-stringify', flags: csv }], other: peer('csv-stringify', 'csv-stringify') },
  { ...node, cells: [{ name: 'node fast-csv', flags: csv }], other: peer('fast-csv', 'fast-csv') },
  { ...node, cells: [{ name: 'node JSON.stringify', flags: jsonl }], other: peer('json-lines') },
  {
    ...node,
    scale: EIGHTH,
    cells: [{ name: 'node parquetjs', flags: parquet }],
    other: peer('parquetjs', '@dsnp/parquetjs'),
  },
  {
    ...postgres,
    cells: [
      { name: 'postgres csv, 1 connection', flags: csv, connections: 1 },
      { name: 'postgres csv, 2 connections', flags: csv, connections: 2 },
    ],
    other: psql('psql csv', ({ table }) => `select * from ${table}`, 'csv header'),
  },
  {
    ...postgres,
    cells: [{ name: 'postgres jsonl', flags: jsonl }],
    // COPY's text format would write each backslash twice; these two characters do not occur in JSON.
    other: psql(
      'psql row_to_json',
      ({ table }) => `select row_to_json(e) from ${table} e`,
      String.raw`(format csv, quote e'\x01', delimiter e'\x02')`,
    ),
  },
  {
    ...postgres,
    cells: [
      { name: 'postgres parquet', flags: parquet },
      { name: 'postgres xml', flags: xml },
      { name: 'postgres avro', flags: avroFlags('null') },
    ],
    other: null,
  },
  {
    ...tools,
    cells: [{ name: 'tools sqlite csv', flags: csv }],
    other: {
      name: 'sqlite3 -csv',
      source: 'sqlite',
      missing: () => missingProgram('sqlite3', 'sqlite3'),
      words: ({ place }, output) => ['sqlite3', '-csv', '-header', place, `.output ${output}`, 'select * from events'],
    },
  },
  {
    ...tools,
    source: 'csv',
    scale: QUARTER,
    cells: [{ name: 'tools miller csv to jsonl', flags: jsonl }],
    other: {
      name: 'mlr',
      missing: () => missingProgram('mlr', 'miller'),
      words: ({ place }, output) => ['sh', '-c', 'exec mlr --icsv --ojsonl cat "$0" > "$1"', place, output],
    },
  },
  {
    ...tools,
    source: 'text',
    cells: [{ name: 'tools polars csv', flags: csv }],
    other: {
      name: 'nodejs-polars',
      missing: () => missingPackage('nodejs-polars'),
      words: ({ place }, output) => [process.execPath, path('./peers/polars.ts'), place, output],
    },
  },
  { ...tools, scale: QUARTER, cells: [{ name: 'tools pigz csv', flags: [...csv, ...gzip6] }], other: pigz() },
];

/** The flags of Avro with a codec. */
export function avroFlags(codec: string): string[] {
  return ['--format', 'avro', '--codec', codec];
}

/** Our whole command. */
export function oursWords({ flags, connections = 2 }: Cell, source: Source, ground: Ground, input: Input): string[] {
  const subject = source === 'postgres' ? ['events', '--config', ground.config(input, connections)] : [input.place];
  return [process.execPath, main, 'export', ...subject, ...flags, '--threads', THREADS];
}

/** What the source of a group needs that is not there, or null. */
export function missingSource({ source, other }: Pick<Group, 'source' | 'other'>): string | null {
  const missing = source === 'postgres' ? missingPostgres() : null;
  return missing ?? other?.missing() ?? null;
}

function copy(options: string, reader = 'read_parquet'): Other {
  return {
    name: `COPY (${options})`,
    missing: () => null,
    words: (input, output) => [process.execPath, rawCopy, copySql(input, output, { options, reader }), THREADS],
  };
}

function pigz(): Other {
  const script = '"$0" "$1" "$2" "$3" | pigz -6 > "$4"';
  return {
    name: 'COPY (format csv), then pigz -6',
    missing: () => missingProgram('pigz', 'pigz'),
    words: (input, output) => {
      const sql = copySql(input, '/dev/stdout', { options: 'format csv', reader: 'read_parquet' });
      return ['bash', '-o', 'pipefail', '-c', script, process.execPath, rawCopy, sql, THREADS, output];
    },
  };
}

interface Copy {
  readonly options: string;
  /** The function that reads the file; those of text guess types. */
  readonly reader: string;
}

function copySql({ place }: Input, output: string, { options, reader }: Copy): string {
  return `copy (select * from ${reader}('${place}')) to '${output}' (${options})`;
}

function peer(script: string, ...packages: string[]): Other {
  return {
    name: `pg-query-stream + ${packages[0] ?? 'JSON.stringify'}`,
    missing: () => missingPackage('pg', 'pg-query-stream', ...packages),
    words: ({ place, table }, output) => [process.execPath, path(`./peers/${script}.ts`), place, table, output],
  };
}

function psql(name: string, query: (input: Input) => string, options: string): Other {
  return {
    name,
    missing: missingPostgres,
    words: (input, output) => [
      findPsql(),
      '-X',
      '-q',
      input.place,
      '-c',
      `\\copy (${query(input)}) to '${output}' ${options}`,
    ],
  };
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
