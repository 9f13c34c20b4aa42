import { z } from 'zod';

const column = z.strictObject({
  name: z.string().min(1),
  /** Its name in the source, when that is another. */
  from: z.string().min(1).optional(),
  /** Its type, when the source tells none or another: int64, decimal(18,4), instant, … */
  type: z.string().optional(),
  description: z.string().optional(),
  /** Never exported, filtered or ordered by. */
  hidden: z.boolean().optional(),
});

/** What an operator declares of a dataset, beside where it comes from. */
export const datasetDeclaration = z.strictObject({
  /** Left out: all columns of the source under their own names. */
  columns: z.array(column).min(1).optional(),
  /** Columns that together differ in every row. Ordering needs one. */
  key: z.array(z.string()).optional(),
  /** The column windows are cut on. */
  time: z.string().optional(),
  /** The column that says whose a row is, or 'shared'. There is no default. */
  tenancy: z.union([z.literal('shared'), z.strictObject({ column: z.string() })]),
  /** How far back rows are offered: `90d`. */
  lookback: z
    .string()
    .regex(/^[1-9]\d{0,4}d$/, 'Allowed is a number of days, as 90d')
    .optional(),
});

export type DatasetDeclaration = z.output<typeof datasetDeclaration>;
export type ColumnDeclaration = z.output<typeof column>;
