import { z } from 'zod';
import { DELIMITER, DELIMITER_FORM } from '../column/csv-text.ts';

/** Files DuckDB reads: Parquet, CSV, JSON lines, or a table of a DuckDB database file. */
const duckdbOptions = z.strictObject({
  type: z.literal('duckdb'),
  /** Paths or globs. Relative ones start at the config's folder (or the working directory on the command line). */
  files: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  /** What the files are; told by their ending when left out. */
  format: z.enum(['parquet', 'csv', 'jsonl', 'duckdb']).optional(),
  /** For a database file: its table or view, `schema.name` or `name`. */
  table: z.string().min(1).optional(),
  /** For CSV: one ASCII character between cells; a tab for .tsv, else a comma. */
  delimiter: z.string().regex(DELIMITER, DELIMITER_FORM).optional(),
});

export type DuckdbOptions = z.infer<typeof duckdbOptions>;

const URL_FORM = 'must be postgresql://user:password@host:port/database';

/** A table, view, materialized view, partitioned or foreign table of a PostgreSQL database. */
const postgresOptions = z.strictObject({
  type: z.literal('postgres'),
  /** With `sslmode` and `sslrootcert` as libpq has them, see docs/sources.md. Holds the password: never shown. */
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, URL_FORM)
    .refine((url) => URL.canParse(url), URL_FORM),
  /** `schema.name` or `name`, letters as they are; a part with a dot in it stands in double quotes. */
  table: z.string().min(1),
  /** Connections a run reads over at most; each is a server process at work. */
  connections: z.int().min(1).max(8).default(2),
  /** The certificate of the authority that signed the server's, as PEM text. */
  ca: z.string().min(1).optional(),
});

export type PostgresOptions = z.infer<typeof postgresOptions>;

/** Options of any source, told apart by `type`. */
export const sourceOptions = z.discriminatedUnion('type', [duckdbOptions, postgresOptions]);

export type SourceOptions = z.infer<typeof sourceOptions>;
