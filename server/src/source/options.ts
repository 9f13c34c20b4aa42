import { z } from 'zod';

/** Files DuckDB reads: Parquet, CSV, JSON lines, or a table of a DuckDB database file. */
const duckdbOptions = z.strictObject({
  type: z.literal('duckdb'),
  /** Paths or globs. Relative ones start at the config's folder (or the working directory on the command line). */
  files: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /** What the files are; told by their ending when left out. */
  format: z.enum(['parquet', 'csv', 'jsonl', 'duckdb']).optional(),
  /** For a database file: its table or view, `schema.name` or `name`. */
  table: z.string().min(1).optional(),
  /** For CSV: one character between cells; a tab for .tsv, else a comma. */
  delimiter: z.string().length(1).optional(),
});

export type DuckdbOptions = z.infer<typeof duckdbOptions>;

/** Options of any source, told apart by `type`. */
export const sourceOptions = z.discriminatedUnion('type', [duckdbOptions]);

export type SourceOptions = z.infer<typeof sourceOptions>;
