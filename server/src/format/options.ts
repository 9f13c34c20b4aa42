import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import { checkInstantPattern } from '../column/instant.ts';

/** Refused by zod with its own issue, so that the pointer is right wherever the options stand. */
const instants = z
  .string()
  .default('iso')
  .superRefine((pattern, context) => {
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

const csvOptions = z.strictObject({
  type: z.literal('csv'),
  /** One ASCII character between cells. */
  delimiter: z
    .string()
    .regex(/^[\t -!#-/:-@[-`{-~]$/, 'Allowed is one ASCII character that is no letter, digit, quote or line end')
    .default(','),
  header: z.boolean().default(true),
  lineEnd: z.enum(['lf', 'crlf']).default('lf'),
  /** A UTF-8 byte order mark first, for spreadsheets. */
  bom: z.boolean().default(false),
  /** Puts an apostrophe before text a spreadsheet would take for a formula. */
  formulaGuard: z.boolean().default(false),
  instants,
  /** What NULL is written as; unset, an empty cell, while empty text is "". Text that equals it is quoted. */
  nullText: wellFormed.optional(),
});

const jsonChoices = {
  instants,
  /** Lists, structs, maps and JSON columns as JSON, or as strings that hold JSON. */
  nested: z.enum(['structure', 'text']).default('structure'),
  /** 64-bit integers as numbers or as strings. */
  bigIntegers: z.enum(['number', 'string']).default('number'),
  /** NaN and infinities: fail the run, null, or "NaN", "Infinity", "-Infinity". */
  nonFinite: z.enum(['fail', 'null', 'string']).default('fail'),
};

const jsonOptions = z.strictObject({ type: z.literal('json'), ...jsonChoices });

const jsonlOptions = z.strictObject({ type: z.literal('jsonl'), ...jsonChoices });

const parquetOptions = z.strictObject({
  type: z.literal('parquet'),
  nested: z.enum(['structure', 'text']).default('structure'),
});

/** A format with all its options, told apart by `type`. */
export const formatOptions = z.discriminatedUnion('type', [csvOptions, jsonOptions, jsonlOptions, parquetOptions]);

export type FormatOptions = z.infer<typeof formatOptions>;
export type CsvOptions = z.infer<typeof csvOptions>;
export type JsonOptions = z.infer<typeof jsonOptions>;
export type JsonlOptions = z.infer<typeof jsonlOptions>;
export type ParquetOptions = z.infer<typeof parquetOptions>;

export const compressionOptions = z.enum(['none', 'gzip']).default('none');

export type Compression = z.infer<typeof compressionOptions>;
