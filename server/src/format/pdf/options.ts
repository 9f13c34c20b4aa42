import { z } from 'zod';

/** Text of the layout itself. */
const words = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
    message: 'Allowed is text of 1 to 200 characters without control characters and line ends',
  });

const column = z.string().min(1).max(200);

/** A column, or what stands at `path` inside a column of JSON. */
const place = { column, path: z.array(z.string().max(200)).min(1).max(20).optional() };

const field = z
  .strictObject({
    label: words,
    ...place,
    /** `instant` prints ISO 8601 moments as date and time in UTC, `instantWithZone` as those of `zone`, with UTC below. */
    as: z.enum(['text', 'instant', 'instantWithZone']).default('text'),
    /** Where the IANA name of the zone stands. */
    zone: z.strictObject(place).optional(),
  })
  .refine(({ as, zone }) => (as === 'instantWithZone') === (zone !== undefined), {
    message: 'zone is for as instantWithZone, which needs it',
  });

const section = z
  .strictObject({
    title: words,
    /** Labels with values, in order. */
    fields: z.array(field).min(1).max(200).optional(),
    /** A column that holds an object: every key with its value. */
    entries: column.optional(),
    /** A column of long text. */
    text: column.optional(),
  })
  .refine(({ fields, entries, text }) => [fields, entries, text].filter((part) => part !== undefined).length === 1, {
    message: 'A section has one of fields, entries and text',
  });

/** One PDF a row, in a zip: what each shows of its row, from top to bottom. */
export const pdfOptions = z.strictObject({
  type: z.literal('pdf'),
  /** The column documents are named by. */
  name: column,
  title: words,
  /** The column whose value stands below the title. */
  subtitle: column.optional(),
  /** BCP 47: the language documents are said to be in. `ja`, `ko` and `zh-Hant` decide the shapes of Han where a text does not. */
  language: z
    .string()
    .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'Allowed is a language tag such as en or pt-BR')
    .default('en'),
  sections: z.array(section).max(50),
});

export type PdfOptions = z.infer<typeof pdfOptions>;
export type PdfSection = PdfOptions['sections'][number];
export type PdfField = z.infer<typeof field>;
