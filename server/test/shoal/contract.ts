import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answer } from '../server-ground.ts';

/** Transcribed from docs.shoal.xyz; `000:53` is line 53 of its page "Create Export Job", other pages by their names. */

const instant = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }; // 000:60, 000:70
const nullableInstant = { anyOf: [instant, { type: 'null' }] };
const nullableText = { type: ['string', 'null'] };

function object(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const requestedParams = object({
  since: nullableInstant, // 000:60
  until: nullableInstant, // 000:61
  category: nullableText, // 000:62
  includeEvidence: { type: 'boolean' }, // 000:63
  organizationIds: { type: 'array', items: { type: 'integer' } }, // 000:64
});

const job = object({
  id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }, // 000:53
  appUserId: { type: 'string' }, // 000:54
  apiKeyId: { type: 'integer' }, // 000:55
  scope: {
    enum: ['organizations.registry', 'radar.history', 'signal.history', 'replay.global', 'timeline.by-organization'],
  }, // 000:23, 000:56
  format: { enum: ['jsonl', 'csv', 'parquet'] }, // 000:24, 000:57
  status: { enum: ['requested', 'processing', 'completed', 'failed', 'expired'] }, // 000:58; later ones are not published
  requestedParams, // 000:59
  note: { type: ['string', 'null'], maxLength: 500 }, // 000:30, 000:66
  downloadUrl: nullableText, // 000:67
  expiresAt: nullableInstant, // 000:68
  error: nullableText, // 000:69
  createdAt: instant, // 000:70
  updatedAt: instant, // 000:71
});

const count = { type: 'integer', minimum: 0 };

const SCHEMAS = {
  job: object({ data: job }), // 000:52
  list: object({ limit: count, offset: count, data: { type: 'array', items: job } }), // export/list-jobs
  usage: object({
    data: object({
      today: count, // usage
      thisWeek: count, // usage
      thisMonth: count, // usage
      budget: object({ limit: count, used: count, remaining: count }), // usage
    }),
  }),
  error: object({ error: { type: 'string', minLength: 1 } }), // errors
  limited: object({ error: { type: 'string', minLength: 1 }, retryAfter: { type: 'integer', minimum: 1 } }), // errors, 429
  unrouted: object({ error: { const: 'Not Found' }, path: { type: 'string' }, method: { type: 'string' } }), // errors, 404
};

export type Shown = keyof typeof SCHEMAS;

const ajv = new Ajv2020();
const validators = Object.fromEntries(
  Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]),
) as Record<Shown, ValidateFunction>;

/** Whether a body is what the pages say, nothing left out and nothing besides. */
export function isAsDocumented(what: Shown, body: unknown): boolean {
  return validators[what](body);
}

/** Fails, naming the place, for a body that is not what the pages say. */
export function assertDocumented(what: Shown, body: unknown): void {
  assert.ok(isAsDocumented(what, body), `${ajv.errorsText(validators[what].errors)}: ${JSON.stringify(body)}`);
}

/** On every answer, whoever asked for whatever. */
const ALWAYS = { 'x-api-surface': /^export$/, 'x-access-layer': /^premium$/, 'x-credit-cost': /^[01]$/ };

/** Once the key is known. rate-limits */
const KEYED = {
  'x-ratelimit-limit': /^\d+$/,
  'x-ratelimit-remaining': /^\d+$/,
  'x-monthly-limit': /^\d+$/,
  'x-monthly-used': /^\d+$/,
  'x-monthly-remaining': /^\d+$/,
  'x-plan-tier': /^(free|growth|enterprise)$/,
  'x-endpoint-policy': /^(export\.jobs\.(create|list|get)|usage)$/,
};

/** Fails for an answer without the headers that belong on it. */
export function assertHeaders({ headers }: Answer, { isKeyed }: { isKeyed: boolean }): void {
  assert.match(headers.get('x-request-id') ?? '', /^req_/);
  for (const [name, form] of Object.entries({ ...ALWAYS, ...(isKeyed ? KEYED : {}) }))
    assert.match(headers.get(name) ?? 'none', form, name);
  if (isKeyed) return;
  for (const name of ['x-ratelimit-remaining', 'x-monthly-limit', 'x-monthly-used', 'x-plan-tier'])
    assert.equal(headers.get(name), null, name);
}
