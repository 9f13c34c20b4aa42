import { z } from 'zod';
import { header, KEYED, answer as plainAnswer, RETRY_AFTER, refusals } from '../answers.ts';

const SCOPES = [
  'organizations.registry',
  'radar.history',
  'signal.history',
  'replay.global',
  'timeline.by-organization',
] as const;

const FORMATS = ['jsonl', 'csv', 'parquet'] as const;

const instant = z.string().meta({ format: 'date-time' });

/** Names that are not known are ignored, and null is as good as nothing. */
const createBody = z.object({
  scope: z.enum(SCOPES),
  format: z.enum(FORMATS),
  since: instant.nullish().meta({ description: 'Included; needed by every scope but organizations.registry' }),
  until: instant.nullish().meta({ description: 'Not included; later than since. Left out: now' }),
  organizationIds: z.array(z.int().min(1)).nullish().meta({ description: 'Needed by timeline.by-organization' }),
  category: z.string().nullish().meta({ description: 'Events of one category' }),
  includeEvidence: z.boolean().nullish(),
  note: z.string().max(500).nullish(),
});

export type CreateBody = z.output<typeof createBody>;

const requestedParams = z.object({
  since: instant.nullable(),
  until: instant.nullable(),
  category: z.string().nullable(),
  includeEvidence: z.boolean(),
  organizationIds: z.array(z.int()),
});

const job = z.object({
  id: z.string().meta({ format: 'uuid' }),
  appUserId: z.string(),
  apiKeyId: z.int(),
  scope: z.enum(SCOPES),
  format: z.enum(FORMATS),
  status: z.string().meta({ description: 'requested, processing, completed, failed or expired' }),
  requestedParams,
  note: z.string().nullable(),
  downloadUrl: z.string().nullable().meta({ description: 'Needs no key' }),
  expiresAt: instant.nullable(),
  error: z.string().nullable(),
  createdAt: instant,
  updatedAt: instant,
});

export type ExportJob = z.output<typeof job>;

const count = z.int().min(0);

const usage = z.object({
  today: count,
  thisWeek: count,
  thisMonth: count,
  budget: z.object({ limit: count, used: count, remaining: count }),
});

export type Usage = z.output<typeof usage>;

const HEADERS = {
  'x-ratelimit-limit': header('Requests of a key in 60 seconds'),
  'x-ratelimit-remaining': header('How many of them are left'),
  'x-monthly-limit': header('Credits of the month'),
  'x-monthly-used': header('Credits used since it began, by UTC'),
  'x-monthly-remaining': header('Credits left'),
  'x-credit-cost': header('Credits this request cost'),
  'x-plan-tier': header('Name of the plan'),
  'x-api-surface': header('export'),
  'x-access-layer': header('premium'),
  'x-endpoint-policy': header('Which rule this route is under'),
};

const answer = (description: string, schema: z.ZodType, headers: object = {}) =>
  plainAnswer(description, schema, { ...HEADERS, ...headers });

const REFUSALS = refusals({
  schema: z.looseObject({ error: z.string() }),
  refused: 'Refused: what was asked, or who asked',
  failed: 'Failed on our side',
  headers: HEADERS,
});

/** Out of range they are clamped, and what is no whole number is as if it was not sent. */
const page = z.looseObject({
  limit: z.any().optional().meta({ type: 'integer', description: '1 to 20; left out, 20' }),
  offset: z.any().optional().meta({ type: 'integer', description: '0 to 100; left out, 0' }),
});

export const routeSchemas = {
  create: {
    ...KEYED,
    operationId: 'createExportJob',
    summary: 'Request an export',
    body: createBody,
    response: { 201: answer('Recorded; it is carried out later', z.object({ data: job }), RETRY_AFTER), ...REFUSALS },
  },
  list: {
    ...KEYED,
    operationId: 'listExportJobs',
    summary: 'List export jobs of the account, newest first',
    querystring: page,
    response: {
      200: answer('A page', z.object({ limit: z.int(), offset: z.int(), data: z.array(job) })),
      ...REFUSALS,
    },
  },
  one: {
    ...KEYED,
    operationId: 'getExportJob',
    summary: 'Look at an export job of the account',
    params: z.object({ id: z.string() }),
    response: { 200: answer('The job', z.object({ data: job }), RETRY_AFTER), ...REFUSALS },
  },
  usage: {
    ...KEYED,
    operationId: 'getUsage',
    summary: 'Credits that were used',
    response: { 200: answer('The account', z.object({ data: usage })), ...REFUSALS },
  },
};
