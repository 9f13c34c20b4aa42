import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import {
  type Compression,
  compressionOptions,
  type FormatOptions,
  formatOptions,
  type Split,
  splitOptions,
} from '../format/options.ts';
import { UsageError } from './command.ts';
import type { ExportFlags } from './export-flags.ts';

/** What `drayage export` was asked, checked as far as it can be without looking at the source. */
export interface ExportArgs {
  /** A dataset's name, or paths and globs of files. */
  readonly subjects: readonly string[];
  readonly to: string | null;
  readonly format: FormatOptions;
  readonly compression: Compression;
  readonly split: Split | undefined;
  readonly filter: unknown;
  readonly columns: readonly string[] | undefined;
  readonly order: readonly string[] | undefined;
  readonly distinct: boolean;
  readonly window: { readonly start?: string; readonly end?: string };
  readonly types: Readonly<Record<string, string>>;
  readonly table: string | undefined;
  readonly tenant: string | undefined;
  readonly allTenants: boolean;
  readonly config: string | undefined;
  readonly force: boolean;
  readonly explain: boolean;
  readonly json: boolean;
  readonly threads: number | null;
  readonly memoryBytes: number;
}

/** Bytes the engine may hold; the process around it takes about 150 MB more. */
const DEFAULT_MEMORY_BYTES = 300 * 1024 * 1024;
const MIN_MEMORY_BYTES = 64 * 1024 * 1024;

type Values = ExportFlags['values'];

/** Throws UsageError for what is no export. */
export function readExportArgs({ subjects, values, threads }: ExportFlags): ExportArgs {
  return {
    subjects,
    to: values.to ?? null,
    format: readFormat(values.format, values),
    compression: readCompression(values.compression),
    split: readSplit(values),
    filter: values.where === undefined ? undefined : parseFilter(values.where),
    columns: list(values.columns),
    order: list(values.order),
    distinct: values.distinct ?? false,
    window: {
      ...(values.start === undefined ? {} : { start: values.start }),
      ...(values.end === undefined ? {} : { end: values.end }),
    },
    types: readTypes(values.types),
    table: values.table,
    tenant: values.tenant,
    allTenants: values['all-tenants'] ?? false,
    config: values.config,
    force: values.force ?? false,
    explain: values.explain ?? false,
    json: values.json ?? false,
    threads,
    memoryBytes: values.memory === undefined ? DEFAULT_MEMORY_BYTES : readMemory(values.memory),
  };
}

/** Options left out are left to the format's defaults; one the format does not have is refused by name. */
function readFormat(type: string, values: Values): FormatOptions {
  const asked = {
    dialect: values.dialect,
    delimiter: values.delimiter,
    header: values['no-header'] === true ? false : undefined,
    lineEnd: values['line-end'],
    bom: values.bom,
    formulaGuard: values['formula-guard'],
    decimalComma: values['decimal-comma'],
    nullText: values['null-text'],
    instants: values.instants,
    nested: values.nested,
    bigIntegers: values['big-integers'],
    nonFinite: values['non-finite'],
    root: values.root,
    row: values.row,
    controlChars: values['control-chars'],
    // The codec of a file's own blocks or pages: one flag, though Parquet's option has another name.
    [type === 'parquet' ? 'compression' : 'codec']: values.codec,
    rowGroupRows: values['row-group-rows'] === undefined ? undefined : Number(values['row-group-rows']),
  };
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return checked(formatOptions, { ...readLayout(values.layout), type, ...given }, '--format');
}

/** The options of `pdf`, which are too many for flags. */
function readLayout(path: string | undefined): object {
  if (path === undefined) return {};
  try {
    const layout: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof layout === 'object' && layout !== null && !Array.isArray(layout)) return layout;
  } catch (error) {
    throw new UsageError(`--layout ${path} cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
  throw new UsageError(`--layout ${path} does not hold a JSON object.`);
}

/** `gzip`, or with a level `gzip:6`. */
function readCompression(text: string | undefined): Compression {
  const [, type, level] = /^([a-z]+):(\d{1,2})$/.exec(text ?? '') ?? [];
  return checked(compressionOptions, type ? { type, level: Number(level) } : text, '--compression');
}

function readSplit({ 'split-rows': rows, 'split-bytes': bytes }: Values): Split | undefined {
  if (rows === undefined && bytes === undefined) return undefined;
  const asked = {
    ...(rows === undefined ? {} : { rows: Number(rows) }),
    ...(bytes === undefined ? {} : { bytes: readSize(bytes, '--split-bytes') }),
  };
  return checked(splitOptions, asked, '--split-rows and --split-bytes');
}

function checked<T>(schema: z.ZodType<T>, value: unknown, flag: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.length ? `, option ${issue.path.join('.')}` : '';
  throw new UsageError(`${flag}${place}: ${issue?.message ?? 'not allowed'}.`);
}

function list(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : text.split(',').map((part) => part.trim());
}

function parseFilter(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--where is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
}

/** `a=int64,b=decimal(18,4)`: commas inside brackets belong to a type. */
function readTypes(text: string | undefined): Record<string, string> {
  const parts = text === undefined ? [] : text.split(/,(?![^()]*\))/);
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=');
      if (at <= 0) throw new UsageError(`--types takes name=type, …; "${part}" is not.`);
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    }),
  );
}

function readMemory(text: string): number {
  const bytes = readSize(text, '--memory');
  if (bytes < MIN_MEMORY_BYTES) throw new UsageError('--memory takes a size from 64MB, as 300MB or 2GB.');
  return bytes;
}

function readSize(text: string, flag: string): number {
  const [, number, unit = ''] = /^(\d{1,7})(MB|GB)$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`${flag} takes a size as 300MB or 2GB.`);
  return Number(number) * (unit.toUpperCase() === 'GB' ? 1024 : 1) * 1024 * 1024;
}
