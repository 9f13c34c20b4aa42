import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import { DELIMITER, DELIMITER_FORM } from '../column/csv-text.ts';
import { checkInstantPattern } from '../column/instant.ts';
import { pdfOptions } from './pdf/options.ts';

/** Refused by zod with its own issue, so that the pointer is right wherever the options stand. */
const instants = z.string().superRefine((pattern, context) => {
  try {
    checkInstantPattern(pattern, '');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Fault ? error.message : 'not allowed' });
  }
});

const wellFormed = z
  .string()
  .max(100)
  .refine((text) => text.isWellFormed() && !/[\0\r\n"]/.test(text), {
    message: 'Allowed is text of up to 100 characters without quotes, line ends and NUL',
  });

/** What the options of a CSV are when they are not given. */
const CSV_DEFAULTS = {
  delimiter: ',',
  header: true,
  lineEnd: 'lf',
  bom: false,
  formulaGuard: false,
  decimalComma: false,
  instants: 'iso',
} as const;

/** Names for sets of options. `rfc4180` is its letter, CRLF; `excel-eu` is for the languages whose decimal sign is a comma. */
const CSV_DIALECTS = {
  rfc4180: { lineEnd: 'crlf' },
  excel: { lineEnd: 'crlf', bom: true, formulaGuard: true },
  'excel-eu': { delimiter: ';', lineEnd: 'crlf', bom: true, formulaGuard: true, decimalComma: true },
  tsv: { delimiter: '\t' },
} as const;

const csvOptions = z
  .strictObject({
    type: z.literal('csv'),
    /** What options that are not given are. */
    dialect: z.enum(['rfc4180', 'excel', 'excel-eu', 'tsv']).optional(),
    /** One ASCII character between cells. */
    delimiter: z.string().regex(DELIMITER, DELIMITER_FORM).optional(),
    header: z.boolean().optional(),
    lineEnd: z.enum(['lf', 'crlf']).optional(),
    /** A UTF-8 byte order mark first, for spreadsheets. */
    bom: z.boolean().optional(),
    /** Puts an apostrophe before text a spreadsheet would take for a formula. */
    formulaGuard: z.boolean().optional(),
    /** Decimals and floats of a column of their own with a comma in place of the point. */
    decimalComma: z.boolean().optional(),
    instants: instants.optional(),
    /** What NULL is written as; unset, an empty cell, while empty text is "". Text that equals it is quoted. */
    nullText: wellFormed.optional(),
  })
  .transform(fillCsv);

interface FilledCsv {
  readonly type: 'csv';
  readonly delimiter: string;
  readonly header: boolean;
  readonly lineEnd: 'lf' | 'crlf';
  readonly bom: boolean;
  readonly formulaGuard: boolean;
  readonly decimalComma: boolean;
  readonly instants: string;
  readonly nullText?: string;
}

/** What is given wins over the dialect, which leaves no other trace. */
function fillCsv(
  asked: {
    readonly [K in keyof FilledCsv]?: FilledCsv[K] | undefined;
  } & { readonly type: 'csv'; readonly dialect?: keyof typeof CSV_DIALECTS | undefined },
): FilledCsv {
  const { dialect, ...options } = asked;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { type: 'csv', ...CSV_DEFAULTS, ...(dialect && CSV_DIALECTS[dialect]), ...given };
}

const jsonChoices = {
  instants: instants.default('iso'),
  /** Lists, structs, maps and JSON columns as JSON, or as strings that hold JSON. */
  nested: z.enum(['structure', 'text']).default('structure'),
  /** 64-bit integers as numbers or as strings. */
  bigIntegers: z.enum(['number', 'string']).default('number'),
  /** NaN and infinities: fail the run, null, or "NaN", "Infinity", "-Infinity". */
  nonFinite: z.enum(['fail', 'null', 'string']).default('fail'),
};

const jsonOptions = z.strictObject({ type: z.literal('json'), ...jsonChoices });

const jsonlOptions = z.strictObject({ type: z.literal('jsonl'), ...jsonChoices });

const xmlName = z
  .string()
  .regex(
    /^(?![Xx][Mm][Ll])[A-Za-z_][\w.-]{0,99}$/,
    'Allowed are up to 100 letters, digits, _ . and -, a letter or _ first, not xml',
  );

const xmlOptions = z.strictObject({
  type: z.literal('xml'),
  /** Name of the element around all rows. */
  root: xmlName.default('rows'),
  /** Name of a row's element. */
  row: xmlName.default('row'),
  instants: instants.default('iso'),
  /** Characters XML cannot carry: each becomes U+FFFD, or they fail the run. */
  controlChars: z.enum(['replace', 'fail']).default('replace'),
});

/** Lists, structs, maps and JSON columns as what the format has for them, or as their JSON text. */
const nested = z.enum(['structure', 'text']).default('structure');

const avroOptions = z.strictObject({
  type: z.literal('avro'),
  /** What blocks are compressed with. */
  codec: z.enum(['null', 'deflate', 'zstandard']).default('null'),
  nested,
});

const parquetOptions = z.strictObject({
  type: z.literal('parquet'),
  nested,
  /** What pages are compressed with. */
  compression: z.enum(['snappy', 'zstd', 'none']).default('snappy'),
  /** Rows a row group holds at most. */
  rowGroupRows: z.int().min(1000).max(1_000_000).default(122_880),
});

/** A format with all its options, told apart by `type`. */
export const formatOptions = z.discriminatedUnion('type', [
  csvOptions,
  jsonOptions,
  jsonlOptions,
  parquetOptions,
  xmlOptions,
  avroOptions,
  pdfOptions,
]);

export type FormatOptions = z.infer<typeof formatOptions>;
export type CsvOptions = z.infer<typeof csvOptions>;
export type JsonOptions = z.infer<typeof jsonOptions>;
export type JsonlOptions = z.infer<typeof jsonlOptions>;
export type ParquetOptions = z.infer<typeof parquetOptions>;
export type XmlOptions = z.infer<typeof xmlOptions>;
export type AvroOptions = z.infer<typeof avroOptions>;
export type PdfOptions = z.infer<typeof pdfOptions>;

/**
 * Levels where none is given, by 1,000,000 events in 175 MB of CSV (processor time, size). gzip: level 1 2.7 s, 49.0 MB;
 * 2 3.0 s, 48.7 MB; 4 3.6 s, 47.2 MB; 6 4.6 s, 44.6 MB. zstd: level 1 0.6 s, 37.9 MB; 2 0.8 s, 38.8 MB;
 * 3 0.9 s, 42.6 MB; 5 2.3 s, 43.9 MB.
 */
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 1;

/** What is put around a file: a name, or an object with a level. Always parsed to the object. */
export const compressionOptions = z
  .union([
    z.enum(['none', 'gzip', 'zstd']),
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({ type: z.literal('gzip'), level: z.int().min(1).max(9).default(GZIP_LEVEL) }),
      z.strictObject({ type: z.literal('zstd'), level: z.int().min(1).max(19).default(ZSTD_LEVEL) }),
    ]),
  ])
  .default('none')
  .transform((asked): Compression => (typeof asked === 'string' ? NAMED_COMPRESSIONS[asked] : asked));

export type Compression =
  | { readonly type: 'none' }
  | { readonly type: 'gzip'; readonly level: number }
  | { readonly type: 'zstd'; readonly level: number };

const NAMED_COMPRESSIONS = {
  none: { type: 'none' },
  gzip: { type: 'gzip', level: GZIP_LEVEL },
  zstd: { type: 'zstd', level: ZSTD_LEVEL },
} as const satisfies Record<string, Compression>;

/** Fewer rows or bytes to a file than these would make more files than anybody can handle. */
const MIN_SPLIT_ROWS = 1000;
const MIN_SPLIT_BYTES = 2 ** 20;

/** Where a new file is begun: before it would hold more rows, or about more bytes (before compression), than these. */
export const splitOptions = z
  .strictObject({
    rows: z.int().min(MIN_SPLIT_ROWS).optional(),
    bytes: z.int().min(MIN_SPLIT_BYTES).optional(),
  })
  .refine(({ rows, bytes }) => rows !== undefined || bytes !== undefined, 'Allowed are rows, bytes or both');

export type Split = z.infer<typeof splitOptions>;
