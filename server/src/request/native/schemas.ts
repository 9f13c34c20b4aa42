import {
  datasetSchema,
  jobListQuery,
  jobSchema,
  logEntrySchema,
  pageOf,
  pageQuery,
  problemSchema,
  runSchema,
} from '@drayage/sdk/wire';
import { z } from 'zod';
import { jobBody } from './read.ts';

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
});

/** What every route with a key may answer. */
const REFUSALS = {
  '4xx': problem('Refused: what was asked, or who asked; `code` says which'),
  '5xx': problem('Failed on our side, or at the source; `code` says which'),
};

const KEYED = { security: [{ key: [] }] };

const byId = z.object({ id: z.string() });

const idempotency = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Allowed are up to 255 visible ASCII characters')
    .optional()
    .meta({ description: 'Within 24 hours the same key and body give the same answer, and one job' }),
});

export const datasetSchemas = {
  list: {
    ...KEYED,
    tags: ['datasets'],
    summary: 'List datasets',
    response: { 200: pageOf(datasetSchema), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['datasets'],
    summary: 'Look at a dataset',
    params: z.object({ name: z.string() }),
    response: { 200: datasetSchema, ...REFUSALS },
  },
};

export const jobSchemas = {
  create: {
    ...KEYED,
    tags: ['jobs'],
    summary: 'Create a job; its first run begins as soon as there is room',
    headers: idempotency,
    body: jobBody,
    response: { 202: jobSchema, ...REFUSALS },
  },
  list: {
    ...KEYED,
    tags: ['jobs'],
    summary: 'List jobs, newest first',
    querystring: jobListQuery,
    response: { 200: pageOf(jobSchema), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['jobs'],
    summary: 'Look at a job and its newest run',
    params: byId,
    response: { 200: jobSchema, ...REFUSALS },
  },
  remove: {
    ...KEYED,
    tags: ['jobs'],
    summary: 'Delete a job; what runs is cancelled, files are kept until they expire',
    params: byId,
    response: { 204: z.null().meta({ description: 'Deleted' }), ...REFUSALS },
  },
  again: {
    ...KEYED,
    tags: ['jobs', 'runs'],
    summary: 'Run a job again over the same window',
    params: byId,
    response: { 202: runSchema, ...REFUSALS },
  },
  runs: {
    ...KEYED,
    tags: ['jobs', 'runs'],
    summary: 'List the runs of a job, newest first',
    params: byId,
    querystring: pageQuery,
    response: { 200: pageOf(runSchema), ...REFUSALS },
  },
};

export const runSchemas = {
  one: {
    ...KEYED,
    tags: ['runs'],
    summary: 'Look at a run; Retry-After is there until it is final',
    params: byId,
    response: { 200: runSchema, ...REFUSALS },
  },
  cancel: {
    ...KEYED,
    tags: ['runs'],
    summary: 'Cancel a run that is not final',
    params: byId,
    response: { 200: runSchema, ...REFUSALS },
  },
  manifest: {
    ...KEYED,
    tags: ['runs'],
    summary: 'The signed manifest of a run that succeeded',
    params: byId,
    response: { 200: z.looseObject({}).meta({ description: 'See docs/manifest.md' }), ...REFUSALS },
  },
  log: {
    ...KEYED,
    tags: ['runs'],
    summary: 'What happened, attempt by attempt',
    params: byId,
    response: { 200: pageOf(logEntrySchema), ...REFUSALS },
  },
};

const bytes = { 'application/octet-stream': { schema: z.any().meta({ type: 'string', format: 'binary' }) } };

/** The query is checked by its signature alone. */
export const fileSchemas = {
  tags: ['files'],
  summary: 'Download a file by a link of a run; needs no key',
  params: z.object({ id: z.string(), name: z.string() }),
  querystring: z.looseObject({
    expires: z.string().optional(),
    key: z.string().optional(),
    signer: z.string().optional(),
    signature: z.string().optional(),
  }),
  response: {
    200: { description: 'The whole file', content: bytes },
    206: { description: 'The range that was asked for', content: bytes },
    304: z.null().meta({ description: 'As the caller has it' }),
    416: z.null().meta({ description: 'The range lies outside the file' }),
    ...REFUSALS,
  },
};

export const healthSchemas = {
  health: {
    tags: ['server'],
    summary: 'Whether the server is up',
    response: { 200: z.strictObject({ status: z.literal('ok') }) },
  },
  ready: {
    tags: ['server'],
    summary: 'Whether requests can be served',
    response: { 200: z.strictObject({ status: z.literal('ready') }), '5xx': problem('Not at the moment') },
  },
  manifestKey: {
    tags: ['server'],
    summary: 'The public key manifests are signed with',
    response: { 200: z.strictObject({ id: z.string(), algorithm: z.literal('ed25519'), public: z.string() }) },
  },
};
