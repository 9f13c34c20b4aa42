import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';

/**
 * The vendor's page of the create call, given as file 001, transcribed: `001:118` is its line. What other
 * pages of theirs say is marked with where it stands there.
 */

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const whole = { type: 'integer' };
const yesOrNo = { type: 'boolean' };
const instant = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' };
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const list = (items: object) => ({ type: 'array', items });

/** All of it must be there, and nothing else. */
function object(properties: Readonly<Record<string, object>>) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const PROPERTY = {
  id: whole, // OpenAPI of the lookups, user_properties
  type: text, // the same, and so the next
  key: text,
  display_name: text,
  data_type: text,
  is_auto_property: yesOrNo,
};
const KEYED = { display_name: text, key: text, data_type: text }; // OpenAPI of the lookups, features_events
const TITLED = { id: whole, title: text }; // OpenAPI of the lookups, flows

const pageOf = (item: object) =>
  object({
    data: list(item), // OpenAPI of the lookups, segments, and so the next
    metadata: object({
      cursor: object({ after: orNull(text), before: orNull(text) }),
      limit: whole,
      total_count: whole,
    }),
  });

const CONTRACT = {
  /** What may be asked; nothing of it is required. */
  request: {
    type: 'object', // 001:72
    properties: {
      from: text, // 001:74
      to: text, // 001:76
      emails: texts, // 001:78
      event_type: texts, // 001:82
      user_id: texts, // 001:86
      company_id: texts, // 001:90
      segment_id: text, // 001:94
      format: { type: 'string', enum: ['avro', 'csv', 'ndjson', 'parquet'] }, // 001:96
      exclusions: text, // 001:103
    },
    additionalProperties: false,
  },
  created: object({
    environment_app_token: text, // 001:118
    environment_name: text, // 001:122
    job_id: text, // 001:126
    links: text, // 001:130
    start_time: instant, // 001:133; its form: example of the older status page
    status: text, // example of the older create page
  }),
  refusal: object({
    errors: {
      type: 'array', // 001:148, 001:173
      minItems: 1,
      items: object({
        details: text, // 001:153, 001:178
        error: text, // 001:155, 001:180
        error_code: text, // 001:157, 001:182
        message: text, // 001:159, 001:184
      }),
    },
  }),
  detail: object({
    app_token: text, // OpenAPI, JobDetail, and so the next
    job_id: text,
    type: text,
    status: text,
    progress: { type: 'string', pattern: '^\\d{1,3}%$' },
    start_time: instant,
    end_time: orNull(instant),
    all_chunks: texts,
    completed_chunks: texts,
    current_chunk: text,
    presigned_urls: list(object({ filename: text, url: text })),
  }),
  list: list(
    object({
      job_id: text, // OpenAPI, JobSummary, and so the next
      status: text,
      progress: text,
      start_time: instant,
      end_time: orNull(instant),
      elapsed_time: { type: 'string', pattern: '^\\d{2,}:[0-5]\\d:[0-5]\\d$' },
      elapsed_time_seconds: { type: 'string', pattern: '^\\d+$' },
    }),
  ),
  user_properties: list(object(PROPERTY)),
  company_properties: list(object(PROPERTY)),
  features_events: list(object(KEYED)),
  resource_center_modules: list(object(KEYED)),
  checklists: list(object(KEYED)),
  flows: list(object(TITLED)),
  banners: list(object(TITLED)),
  spotlights: list(object(TITLED)),
  embeds: list(object({ ...TITLED, type: text })), // OpenAPI of the lookups, embeds
  surveys: list(
    object({
      ...TITLED,
      platform: text, // OpenAPI of the lookups, surveys, and so the next
      modules: list(object({ id: whole, order: whole, type: text, question: text })),
    }),
  ),
  segments: pageOf(
    object({
      ...TITLED,
      usage: whole, // OpenAPI of the lookups, segments, and so the next
      category: text,
      is_hidden: yesOrNo,
      is_protected: yesOrNo,
      status: text,
    }),
  ),
  events_properties: pageOf(
    object({
      id: whole, // OpenAPI of the lookups, events_properties, and so the next
      key: text,
      display_name: text,
      is_auto_property: yesOrNo,
      is_mobile_auto_property: yesOrNo,
      data_type: text,
      category: text,
      description: text,
      is_archived: yesOrNo,
      event: orNull(object({ id: text, display_name: text })),
      inserted_at: instant,
      last_seen: instant,
    }),
  ),
};

export type ContractName = keyof typeof CONTRACT;

/** Lookups by the last part of their path. */
export const LISTS = [
  ...(['user_properties', 'company_properties', 'features_events', 'resource_center_modules'] as const),
  ...(['checklists', 'flows', 'banners', 'spotlights', 'embeds', 'surveys'] as const),
];
export const PAGES = ['segments', 'events_properties'] as const;

const ajv = new Ajv2020({ allErrors: true, strict: false });

/** What is wrong with an answer, or null. */
export function flawOf(name: ContractName, value: unknown): string | null {
  const validate = ajv.getSchema(name) ?? ajv.addSchema(CONTRACT[name], name).getSchema(name);
  assert.ok(validate);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

/** Throws unless the answer is as it was published. */
export function hold(name: ContractName, value: unknown): void {
  const flaw = flawOf(name, value);
  assert.equal(flaw, null, `${name}: ${flaw}: ${JSON.stringify(value)}`);
}

/** The same value without each of its members in turn, wherever one stands, beside where it stood. */
export function* withoutEach(value: unknown, place = ''): Generator<[place: string, rest: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [inner, rest] of withoutEach(value[0], `${place}/0`)) yield [inner, [rest, ...value.slice(1)]];
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const { [name]: _, ...others } = value as Record<string, unknown>;
    yield [`${place}/${name}`, others];
    for (const [inner, rest] of withoutEach(member, `${place}/${name}`)) yield [inner, { ...others, [name]: rest }];
  }
}
