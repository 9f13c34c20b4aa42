import { z } from 'zod';
import { answer, answerAs, KEYED, POLL, refusals } from '../answers.ts';
import { MAX_NAMES } from './columns.ts';
import { EXPORT_TYPES } from './fields.ts';

const refusal = z
  .strictObject({
    error: z.strictObject({ message: z.string(), status: z.int(), name: z.string(), code: z.string() }),
  })
  .meta({ id: 'IroncladRefusal' });

const REFUSALS = refusals({
  schema: refusal,
  refused: 'Refused: 400, 401, 403, 404, 409, 429',
  failed: 'Failed on our side: 500 and 503',
});

const instant = z.string().meta({ format: 'date-time' });

const names = z.array(z.string().max(200)).max(MAX_NAMES).nullish();

/** Names that are not known are ignored, and null is as good as nothing. */
const exportBody = z
  .object({
    start_date: instant,
    end_date: instant.nullish().meta({ description: 'Left out: now. Not before start_date' }),
    sort: z.string().max(100).nullish().meta({ description: 'A standard field, with - before it for descending' }),
    filter: z.record(z.string(), z.unknown()).nullish(),
    select: z.object({ standard: names, connection: names, custom: names, render: names }).nullish(),
    standard_all: z.boolean().nullish(),
    connection_all: z.boolean().nullish(),
    custom_all: z.boolean().nullish(),
    export_types: z
      .array(z.string())
      .nullish()
      .meta({ description: `Of ${EXPORT_TYPES.join(', ')}` }),
  })
  .meta({ id: 'IroncladEvidenceExportRequest' });

export type ExportBody = z.output<typeof exportBody>;

const status = z.enum(['pending', 'scheduled', 'started', 'success', 'failed']);

const job = z
  .strictObject({
    id: z.string(),
    job_name: z.string(),
    status,
    source: z.enum(['manual', 'cron', 'api']),
    account: z.int(),
    site: z.int(),
    created_by: z.int(),
    active: z.boolean(),
    message: z.string(),
    created_time: instant,
    updated_time: instant,
    data: z.record(z.string(), z.unknown()),
    retry_count: z.int(),
  })
  .meta({ id: 'IroncladScheduledJobResponse' });

export type JobAnswer = z.output<typeof job>;

const task = z
  .strictObject({
    data: z.strictObject({
      id: z.string(),
      status,
      job_name: z.string(),
      data: z.record(z.string(), z.unknown()),
      links: z.array(z.string()),
    }),
  })
  .meta({ id: 'IroncladTask' });

export type TaskAnswer = z.output<typeof task>;

const urls = z
  .strictObject({
    presignedUrls: z.array(z.string()),
    clickwrap_activities: z.array(z.string()).optional(),
    clickwrap_activities_as_pdfs: z.array(z.string()).optional(),
    error: z.string().optional(),
  })
  .meta({ id: 'IroncladExportUrls' });

export type UrlsAnswer = z.output<typeof urls>;

/** What one page, or all of them up to it, may hold. */
export const MAX_REACH = 10_000;

const pageNumber = (most: number, fallback: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, `Allowed is a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((value) => value <= most, `Allowed is a whole number from 1 to ${most}`)
    .default(fallback);

const paging = { page: pageNumber(MAX_REACH, 1), per_page: pageNumber(100, 25) };

export interface PageQuery {
  readonly page: number;
  readonly per_page: number;
}

/** A name alone, as `?no_count`, is yes. */
const flag = z
  .string()
  .regex(/^(true|false|1|0)?$/, 'Allowed are true, false, 1, 0')
  .transform((value) => value !== 'false' && value !== '0')
  .default(false);

const collection = (item: z.ZodType) =>
  z.strictObject({
    page: z.int(),
    per_page: z.int(),
    count: z.int(),
    total_count: z.int().optional(),
    has_more: z.boolean(),
    data: z.array(item),
  });

/** Numbers that no JSON number of JavaScript's holds come as text. */
const id = z.union([z.int(), z.string()]).nullable();

const object = z.record(z.string(), z.unknown());

const activity = z
  .strictObject({
    id: z.string(),
    uuid: z.string().nullable(),
    event_type: z.string().nullable(),
    signer_id: z.string().nullable(),
    contract: z.union([id, object]),
    contract_title: z.string().nullable(),
    version: z.union([z.string(), object]).nullable(),
    version_number: id,
    group: z.union([id, object]),
    group_key: z.string().nullable(),
    batch: z.string().nullable(),
    session: z.string().nullable(),
    site: z.union([id, object]),
    account: z.union([id, object]),
    created_time: instant.nullable(),
    event_time: instant.nullable(),
    execution_method: z.string().nullable(),
    connection_data: object,
    custom_data: object,
    render_data: object,
  })
  .partial()
  .meta({ id: 'IroncladActivity' });

export type ActivityAnswer = z.output<typeof activity>;

const byId = z.object({ id: z.string() });

export const extractSchemas = {
  create: {
    ...KEYED,
    tags: ['Extraction'],
    operationId: 'post_extract-evidence',
    summary: 'Create an export',
    body: exportBody,
    response: { 201: answer('Created', job, POLL), ...REFUSALS },
  },
  list: {
    ...KEYED,
    tags: ['Extraction'],
    operationId: 'get_extract-evidence',
    summary: 'Exports of the site, newest first',
    querystring: z.object(paging),
    response: { 200: answer('A page', collection(job)), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['Extraction'],
    operationId: 'get_extract-evidence-id',
    summary: 'Look at an export',
    params: byId,
    response: { 200: answer('The export', job, POLL), ...REFUSALS },
  },
  urls: {
    ...KEYED,
    tags: ['Extraction'],
    operationId: 'get_extract-evidence-id-urls',
    summary: 'Fresh URLs of the files of an export; they need no token',
    params: byId,
    response: { 200: answer('By export type, and all in one list', urls), ...REFUSALS },
  },
};

export const taskSchemas = {
  create: {
    ...KEYED,
    tags: ['Tasks'],
    operationId: 'post_tasks-export-activity',
    summary: 'Create an export, the older way',
    querystring: z.object({
      filter: z.string().optional(),
      fields: z.string().max(10_000).optional(),
      no_count: flag,
      lean: flag,
    }),
    response: { 201: answer('Created', task, POLL), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['Tasks'],
    operationId: 'get_tasks-export-id',
    summary: 'Look at an export, the older way',
    params: byId,
    response: { 200: answer('The export; links once it succeeded', task, POLL), ...REFUSALS },
  },
};

const shown = { expand: z.string().max(1000).optional(), fields: z.string().max(10_000).optional(), lean: flag };

export const activitySchemas = {
  list: {
    ...KEYED,
    tags: ['Activity'],
    operationId: 'get_activity',
    summary: 'Activities, newest first',
    querystring: z.object({ ...paging, ...shown, filter: z.string().optional(), no_count: flag }),
    response: { 200: answer('A page', collection(activity)), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['Activity'],
    operationId: 'get_activity-id',
    summary: 'An activity',
    params: byId,
    querystring: z.object(shown),
    response: { 200: answer('The activity', activity), ...REFUSALS },
  },
  exportFields: {
    ...KEYED,
    tags: ['Sites'],
    operationId: 'get_sites-id-exportFields',
    summary: 'Fields that exports of the site may have',
    params: byId,
    response: {
      200: answer(
        'By group; custom and render are the keys in use',
        z.strictObject({
          standard: z.array(z.string()),
          connection: z.array(z.string()),
          custom: z.array(z.string()),
          render: z.array(z.string()),
        }),
      ),
      ...REFUSALS,
    },
  },
};

const pdf = {
  200: answerAs(
    { 'application/pdf': { schema: z.any().meta({ type: 'string', format: 'binary' }) } },
    'A PDF, with its record attached as record.json',
  ),
};

export const recordSchemas = {
  activity: {
    ...KEYED,
    tags: ['Activity'],
    operationId: 'get_activity-id-record',
    summary: 'The document of an activity',
    params: byId,
    querystring: z.object({ filename: z.string().max(200).optional() }),
    response: { ...pdf, ...REFUSALS },
  },
  session: {
    ...KEYED,
    tags: ['Activity'],
    operationId: 'get_activity-record-session-id',
    summary: 'The document of all activities of a session',
    params: byId,
    querystring: z.object({ filename: z.string().max(200).optional() }),
    response: { ...pdf, ...REFUSALS },
  },
};
