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
import { readSize } from './size.ts';

/** What `drayage export` was asked to make, checked as far as it can be without looking at the source. */
export interface ExportArgs {
  readonly to: string | null;
  readonly format: FormatOptions;
  readonly compression: Compression;
  readonly split: Split | undefined;
  readonly filter: unknown;
  readonly columns: readonly string[] | undefined;
  readonly order: readonly string[] | undefined;
  readonly distinct: boolean;
  readonly window: { readonly start?: string; readonly end?: string };
  readonly force: boolean;
  readonly explain: boolean;
  readonly json: boolean;
}

type Values = ExportFlags['values'];

/** Throws UsageError for what is no export. */
export function readExportArgs({ values }: ExportFlags): ExportArgs {
  return {
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
    force: values.force ?? false,
    explain: values.explain ?? false,
    json: values.json ?? false,
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
