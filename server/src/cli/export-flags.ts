import { readArgs, UsageError } from './command.ts';

const OPTIONS = {
  to: { type: 'string' },
  format: { type: 'string' },
  compression: { type: 'string' },
  where: { type: 'string' },
  columns: { type: 'string' },
  order: { type: 'string' },
  distinct: { type: 'boolean' },
  start: { type: 'string' },
  end: { type: 'string' },
  types: { type: 'string' },
  table: { type: 'string' },
  tenant: { type: 'string' },
  'all-tenants': { type: 'boolean' },
  config: { type: 'string' },
  force: { type: 'boolean' },
  explain: { type: 'boolean' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean' },
  threads: { type: 'string' },
  memory: { type: 'string' },
  dialect: { type: 'string' },
  delimiter: { type: 'string' },
  'no-header': { type: 'boolean' },
  'line-end': { type: 'string' },
  bom: { type: 'boolean' },
  'formula-guard': { type: 'boolean' },
  'decimal-comma': { type: 'boolean' },
  'null-text': { type: 'string' },
  instants: { type: 'string' },
  nested: { type: 'string' },
  'big-integers': { type: 'string' },
  'non-finite': { type: 'string' },
  root: { type: 'string' },
  row: { type: 'string' },
  'control-chars': { type: 'string' },
  codec: { type: 'string' },
  'row-group-rows': { type: 'string' },
  layout: { type: 'string' },
  'split-rows': { type: 'string' },
  'split-bytes': { type: 'string' },
} as const;

const FORMATS = 'csv, json, jsonl, parquet, xml, avro or pdf';

type Parsed = ReturnType<typeof readArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;

/** The flags of `drayage export` as they were given, with those there that it cannot do without. */
export interface ExportFlags {
  /** A dataset's name, or paths and globs of files. */
  readonly subjects: readonly string[];
  readonly values: Parsed['values'] & { readonly format: string };
  readonly threads: number | null;
}

/** Throws UsageError for what is no export. */
export function readExportFlags(args: readonly string[]): ExportFlags {
  const { values, positionals } = readArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  if (positionals.length === 0)
    throw new UsageError('export takes a dataset or files; drayage export --help says more.');
  const { to, explain, format, threads } = values;
  if (to === undefined && !explain) throw new UsageError('--to FOLDER is needed; --explain shows the plan without it.');
  if (format === undefined) throw new UsageError(`--format is needed: ${FORMATS}.`);
  return {
    subjects: positionals,
    values: { ...values, format },
    threads: threads === undefined ? null : readThreads(threads),
  };
}

function readThreads(text: string): number {
  if (!/^([2-9]|[1-5]\d|6[0-4])$/.test(text)) throw new UsageError('--threads takes a whole number from 2 to 64.');
  return Number(text);
}
