import { z } from 'zod';

/** ISO 8601 instant in UTC. */
const instant = z.string().meta({ format: 'date-time' });

const count = z.int().min(0);

/** Ids are opaque: a prefix, then 26 lower-case letters and digits. */
const id = z.string();

export const runState = z.enum(['queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled']);

export type RunState = z.infer<typeof runState>;

export const fileSchema = z
  .strictObject({
    path: z.string(),
    rows: count,
    bytes: count,
    sha256: z.string().meta({ description: 'Of the bytes as they are downloaded, in hex' }),
    url: z.string().nullable().meta({ description: 'Needs no key; null once the file is removed' }),
    expiresAt: instant.meta({ description: 'When the link stops working; look at the run again for a new one' }),
    keptUntil: instant.meta({ description: 'When the file itself is removed' }),
  })
  .meta({ id: 'File' });

export type File = z.infer<typeof fileSchema>;

export const runSchema = z
  .strictObject({
    id,
    jobId: id,
    state: runState,
    attempt: count,
    progress: z.strictObject({
      rows: count,
      bytes: count,
      fraction: z.number().min(0).max(1).nullable(),
    }),
    rowsPlanned: count.nullable().meta({ description: 'Null until counted, and where the source cannot be counted' }),
    rowsWritten: count.nullable(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    files: z.array(fileSchema),
  })
  .meta({ id: 'Run' });

export type Run = z.infer<typeof runSchema>;

/** The body of `POST /v1/jobs`, but for the options of formats, which the server knows. */
export const jobRequestSchema = z.strictObject({
  dataset: z.string().min(1).max(100),
  tenant: z.string().min(1).max(100).optional().meta({ description: 'Needed when the key acts for several' }),
  window: z
    .strictObject({
      start: z.string().max(40).optional().meta({ description: 'Included. An instant with a zone, or a date' }),
      end: z.string().max(40).optional().meta({ description: 'Not included' }),
    })
    .optional(),
  filter: z.record(z.string(), z.unknown()).optional().meta({ description: 'Column names with verbs and values' }),
  columns: z.array(z.string().min(1)).min(1).max(2000).optional(),
  distinct: z.boolean().optional(),
  order: z
    .array(z.string().min(1))
    .min(1)
    .max(100)
    .optional()
    .meta({ description: '"-" before a name for descending' }),
  format: z.union([z.string(), z.looseObject({ type: z.string() })]),
  compression: z
    .union([
      z.enum(['none', 'gzip', 'zstd']),
      z.strictObject({ type: z.enum(['none', 'gzip', 'zstd']), level: z.int().optional() }),
    ])
    .optional(),
  split: z
    .strictObject({ rows: z.int().optional(), bytes: z.int().optional() })
    .optional()
    .meta({ description: 'A new file begins before one would hold more rows, or about more bytes before compression' }),
  destination: z.strictObject({ type: z.literal('download') }).optional(),
  note: z.string().max(500).optional(),
});

export type JobRequest = z.infer<typeof jobRequestSchema>;

export const jobSchema = z
  .strictObject({
    id,
    state: runState.meta({ description: 'Of the newest run' }),
    dataset: z.string(),
    request: z.record(z.string(), z.unknown()).meta({ description: 'As it was sent' }),
    run: runSchema,
    createdAt: instant,
  })
  .meta({ id: 'Job' });

export type Job = Omit<z.infer<typeof jobSchema>, 'request'> & { readonly request: JobRequest };

export const datasetSchema = z
  .strictObject({
    name: z.string(),
    columns: z.array(
      z.strictObject({
        name: z.string(),
        type: z.string(),
        nullable: z.boolean(),
        description: z.string().nullable(),
      }),
    ),
    key: z.array(z.string()),
    time: z.string().nullable().meta({ description: 'The column windows are cut on' }),
    lookbackDays: count.nullable(),
  })
  .meta({ id: 'Dataset' });

export type Dataset = z.infer<typeof datasetSchema>;

export const logEntrySchema = z
  .strictObject({ at: instant, attempt: count, event: z.string(), text: z.string() })
  .meta({ id: 'LogEntry' });

export type LogEntry = z.infer<typeof logEntrySchema>;

/** RFC 9457. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable: match on this' }),
    pointer: z.string().optional().meta({ description: 'RFC 6901 pointer of the field' }),
    in: z.enum(['body', 'query', 'path', 'header']).optional().meta({ description: 'What the pointer points into' }),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

/** A page of a list; `next` is the cursor of the page after it, or null. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ data: z.array(item), next: z.string().nullable() });
}

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly next: string | null;
}

const LIMIT = 'Allowed is a whole number from 1 to 100';

/** A query's number is text: only digits are taken for one, not what JavaScript takes. */
const limit = z
  .preprocess(
    (text) => (typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN),
    z.int(LIMIT).min(1, LIMIT).max(100, LIMIT),
  )
  .default(50)
  .meta({ description: 'Items of a page; 50 unless told' });

const cursor = z.string().max(200).optional().meta({ description: '`next` of the page before' });

export const jobListQuery = z.strictObject({
  state: runState.optional().meta({ description: 'Of the newest run' }),
  dataset: z.string().min(1).max(100).optional(),
  createdFrom: z.string().max(40).optional().meta({ description: 'Included. An instant with a zone, or a date' }),
  createdTo: z.string().max(40).optional().meta({ description: 'Not included. An instant with a zone, or a date' }),
  limit,
  cursor,
});

export type JobListQuery = Partial<Omit<z.input<typeof jobListQuery>, 'limit'>> & { limit?: number };

export const pageQuery = z.strictObject({ limit, cursor });
