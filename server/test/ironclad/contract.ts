import assert from 'node:assert/strict';
import { checkAnswer, object } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';

/** Transcribed from clickwrap-developer.ironcladapp.com; `003:171` is line 171 of its page "Create an Export", other pages by their names. */

const hexId = { type: 'string', pattern: '^[0-9a-f]{24}$' }; // 003:239
const instant = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }; // 003:237
const integer = { type: 'integer' };
const text = { type: 'string' };

const job = object({
  id: hexId, // 003:239, in the example alone
  job_name: text, // 003:171
  status: { enum: ['pending', 'scheduled', 'started', 'success', 'failed'] }, // 003:174
  source: { enum: ['manual', 'cron', 'api'] }, // 003:185
  account: integer, // 003:194
  site: integer, // 003:198
  created_by: integer, // 003:202
  active: { type: 'boolean' }, // 003:206
  message: text, // 003:209
  created_time: instant, // 003:212
  updated_time: instant, // 003:216
  data: { type: 'object' }, // 003:220
  retry_count: { type: 'integer', minimum: 0, maximum: 4 }, // 003:223
});

const count = { type: 'integer', minimum: 0 };

const collection = (item: object) => ({
  page: { type: 'integer', minimum: 1 }, // pagination
  per_page: { type: 'integer', minimum: 1, maximum: 100 }, // pagination
  count, // pagination
  total_count: count, // pagination
  has_more: { type: 'boolean' }, // pagination
  data: { type: 'array', items: item }, // pagination
});

const url = { type: 'string', pattern: '^https://exports\\.example\\.com/ironclad/files/' };
const urls = { type: 'array', items: url, minItems: 1 };

const nullable = (type: string) => ({ type: [type, 'null'] });

const activity = object({
  id: hexId, // get_activity
  uuid: hexId, // get_activity
  event_type: text, // get_activity
  signer_id: text, // get_activity
  contract: integer, // get_activity
  contract_title: text,
  version: hexId, // get_activity
  version_number: integer,
  group: nullable('integer'), // get_activity
  group_key: nullable('string'),
  batch: { type: 'string', pattern: '^\\d{13}$' }, // get_activity
  session: text,
  site: integer, // get_activity
  account: integer, // get_activity
  created_time: instant, // get_activity
  event_time: instant,
  execution_method: nullable('string'),
  custom_data: { type: 'object' }, // get_activity
  connection_data: { type: 'object' }, // get_activity
  render_data: { type: 'object' },
});

const task = object({
  id: hexId, // retrieving-data-in-bulk
  status: { enum: ['pending', 'scheduled', 'started', 'success', 'failed'] },
  job_name: { const: 'GenerateExportCSV' }, // retrieving-data-in-bulk
  data: { type: 'object', required: ['exportName', 'exportType', 'sendTo'] }, // retrieving-data-in-bulk
  links: { type: 'array', items: url }, // retrieving-data-in-bulk
});

const names = { type: 'array', items: text };

export const SCHEMAS = {
  job,
  jobs: object(collection(job)), // get_extract-evidence
  activity,
  activities: object(collection(activity)), // get_activity
  /** Both published forms: the schema's list, and the sample's keys. */
  urls: object(
    { presignedUrls: urls, clickwrap_activities: urls, clickwrap_activities_as_pdfs: urls }, // get_extract-evidence-id-urls
    ['presignedUrls'],
  ),
  failure: object({ presignedUrls: { type: 'array', maxItems: 0 }, error: { type: 'string', minLength: 1 } }), // get_extract-evidence-id-urls
  task: object({ data: task }), // retrieving-data-in-bulk
  exportFields: object({ standard: names, connection: names, custom: names, render: names }),
} as const;

/** Names by status. rate-limits has the envelope and 429's name. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'BadRequestError', // 003:244
  401: 'UnauthorizedError', // get_extract-evidence
  403: 'ForbiddenError', // 003:247
  404: 'NotFoundError', // get_extract-evidence-id
  409: 'ConflictError',
  429: 'RateLimitExceededError', // rate-limits
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
};

/** Throws unless it is a refusal of that status in the envelope; gives its words. */
export function checkRefusal(answer: Answer, status: number): string {
  const error = object({
    message: { type: 'string', minLength: 1 },
    status: { const: status },
    name: { const: REFUSALS[status] },
    code: { const: String(status) },
  });
  checkAnswer(answer, status, object({ error }));
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return answer.json.error.message;
}
