import { z } from 'zod';
import { destinationOptions } from '../destination/options.ts';
import { compressionOptions, formatOptions } from '../format/options.ts';

/** One format of a job, with all its options. */
export const outputSchema = z.strictObject({ format: formatOptions, compression: compressionOptions });

/** What somebody asks for, in our own words; every dialect's request becomes one. */
export const askSchema = z.strictObject({
  dataset: z.string(),
  /** ISO 8601 instants; an absent side is open. */
  window: z.strictObject({ start: z.string().optional(), end: z.string().optional() }).default({}),
  /** The filter tree as JSON; checked against the dataset's columns. */
  filter: z.unknown().optional(),
  columns: z.array(z.string()).optional(),
  distinct: z.boolean().default(false),
  order: z.array(z.string()).optional(),
  outputs: z.array(outputSchema).min(1).max(10),
  destinations: z.array(destinationOptions).min(1).max(10),
});

export type Ask = z.output<typeof askSchema>;

/** Names a caller may give for a format with its default options. */
export const FORMAT_NAMES = formatOptions.options.map((each) => each.shape.type.value);

export { compressionOptions, destinationOptions, formatOptions };
