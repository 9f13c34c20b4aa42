import { z } from 'zod';
import type { Shape } from '../../dataset/shape.ts';
import { emailAddress } from '../../job/address.ts';
import { answer, header, KEYED, POLL, refusals } from '../answers.ts';
import { FORMATS } from './options.ts';
import { LISTED, lookupName, PAGED } from './shapes.ts';

/** Lists longer than this are refused, whatever they hold. */
const MAX_ITEMS = 10_000;

/** Everybody who gets a mail may download the files; a list longer than this is a mistake. */
const MAX_EMAILS = 50;

const names = (description: string) => z.array(z.string()).max(MAX_ITEMS).nullish().meta({ description });

/** What is not named here is ignored, and null is as if it were not there. */
const createBody = z.object({
  from: z.string().nullish().meta({ description: 'First moment, ISO 8601; without a zone it is UTC' }),
  to: z.string().nullish().meta({ description: 'Last moment; a date alone means all of its day. Default: now' }),
  emails: z.array(emailAddress).max(MAX_EMAILS).nullish().meta({ description: 'Who is mailed the download links' }),
  event_type: names('Kinds of events; empty or left out, all'),
  user_id: names('Any of these users'),
  company_id: names('Any of these companies'),
  segment_id: z.union([z.string(), z.int()]).nullish().meta({ description: 'A segment, by its id in the lookup' }),
  format: z.enum(FORMATS).nullish(),
  exclusions: z.string().nullish().meta({ description: 'Event types and columns to leave out, with commas between' }),
});

export type CreateBody = z.output<typeof createBody>;

const errors = z.object({
  errors: z.array(z.object({ error: z.string(), error_code: z.string(), message: z.string(), details: z.string() })),
});

const REFUSALS = refusals({
  schema: errors,
  refused: 'Refused: what was asked, or who asked; error_code says which',
  failed: 'Failed on our side',
  headers: {
    'www-authenticate': header('With 401: how to say who you are'),
    allow: header('With 405: the methods there are'),
  },
});

const created = z.object({
  environment_app_token: z.string(),
  environment_name: z.string(),
  job_id: z.string(),
  links: z.string().meta({ description: 'Where the job is looked at' }),
  start_time: z.string(),
  status: z.string(),
});

const summary = z.object({
  job_id: z.string(),
  status: z.string(),
  progress: z.string(),
  start_time: z.string(),
  end_time: z.string().nullable(),
  elapsed_time: z.string(),
  elapsed_time_seconds: z.string(),
});

const detail = z.object({
  app_token: z.string(),
  job_id: z.string(),
  type: z.literal('export'),
  status: z.string(),
  progress: z.string(),
  start_time: z.string(),
  end_time: z.string().nullable(),
  all_chunks: z.array(z.string()),
  completed_chunks: z.array(z.string()),
  current_chunk: z.string(),
  presigned_urls: z.array(z.object({ filename: z.string(), url: z.string() })),
});

export const jobSchemas = {
  create: {
    ...KEYED,
    tags: ['exports'],
    operationId: 'createExport',
    summary: 'Trigger an export job; no body at all takes every default',
    body: createBody.nullish(),
    response: { 201: answer('Created', created, { ...POLL, location: header('URL of the job') }), ...REFUSALS },
  },
  list: {
    ...KEYED,
    tags: ['exports'],
    operationId: 'listExports',
    summary: 'List the jobs that are still known, newest first',
    response: { 200: answer('The jobs', z.array(summary)), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['exports'],
    operationId: 'getExport',
    summary: 'Look at a job; its URLs are there once it is completed',
    params: z.object({ job_id: z.string().meta({ description: 'As create gave it; opaque' }) }),
    response: { 200: answer('The job', detail, POLL), ...REFUSALS },
  },
};

const integer = z.union([z.int(), z.string()]).nullable().meta({ description: 'As text where it is beyond 2^53' });

const FIELDS: Readonly<Record<string, z.ZodType>> = {
  text: z.string().nullable(),
  int64: integer,
  bool: z.boolean().nullable(),
  instant: z.string().nullable(),
};

/** Columns that hold JSON. */
const NESTED: Readonly<Record<string, z.ZodType>> = {
  modules: z.array(z.object({ id: z.unknown(), order: z.unknown(), type: z.unknown(), question: z.unknown() })),
  event: z.object({ id: z.unknown(), display_name: z.unknown() }).nullable(),
};

function itemOf({ columns }: Shape): z.ZodType {
  return z.object(
    Object.fromEntries(columns.map(({ name, type }) => [name, FIELDS[type] ?? NESTED[name] ?? z.unknown()])),
  );
}

const cursor = z.string().nullable();

const pageOf = (item: z.ZodType) =>
  z.object({
    data: z.array(item),
    metadata: z.object({
      cursor: z.object({ after: cursor, before: cursor }),
      limit: z.int(),
      total_count: z.int(),
    }),
  });

const pageQuery = z.object({
  after_cursor: z.string().optional().meta({ description: 'metadata.cursor.after of the page before' }),
  before_cursor: z.string().optional().meta({ description: 'metadata.cursor.before of the page after' }),
});

const lookup = (shape: Shape, schema: z.ZodType) => ({
  ...KEYED,
  tags: ['lookups'],
  operationId: `lookup_${lookupName(shape)}`,
  summary: `Look up ${lookupName(shape).replaceAll('_', ' ')}`,
  response: { 200: answer('What there is', schema), ...REFUSALS },
});

const byName = <T>(shapes: readonly Shape[], make: (shape: Shape) => T): ReadonlyMap<Shape, T> =>
  new Map(shapes.map((shape) => [shape, make(shape)]));

/** Schemas of the lookups that are one list. */
export const listSchemas = byName(LISTED, (shape) => lookup(shape, z.array(itemOf(shape))));

/** Schemas of the lookups that have pages. */
export const pageSchemas = byName(PAGED, (shape) => ({
  ...lookup(shape, pageOf(itemOf(shape))),
  querystring: pageQuery,
}));
