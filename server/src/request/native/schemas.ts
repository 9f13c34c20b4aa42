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
import { answer, answerAs, empty, header, KEYED, POLL, refusals } from '../answers.ts';
import { jobBody } from './read.ts';

const LOCATION = { location: header('Path of what was made') };

/** What every route may answer. */
const REFUSALS = refusals({
  schema: problemSchema,
  mediaType: 'application/problem+json',
  refused: 'Refused: what was asked, or who asked; `code` says which',
  failed: 'Failed on our side, or at the source; `code` says which',
  headers: {
    'www-authenticate': header('With 401: how to say who you are'),
    allow: header('With 405: the methods there are'),
  },
});

const byId = z.object({ id: z.string().meta({ description: 'As it was given; opaque' }) });

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
    operationId: 'listDatasets',
    summary: 'List datasets',
    response: { 200: answer('Every dataset', pageOf(datasetSchema)), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['datasets'],
    operationId: 'getDataset',
    summary: 'Look at a dataset',
    params: z.object({ dataset: z.string().meta({ description: 'Its name' }) }),
    response: { 200: answer('The dataset', datasetSchema), ...REFUSALS },
  },
};

export const jobSchemas = {
  create: {
    ...KEYED,
    tags: ['jobs'],
    operationId: 'createJob',
    summary: 'Create a job; its first run begins as soon as there is room',
    headers: idempotency,
    body: jobBody,
    response: { 202: answer('Accepted', jobSchema, { ...LOCATION, ...POLL }), ...REFUSALS },
  },
  list: {
    ...KEYED,
    tags: ['jobs'],
    operationId: 'listJobs',
    summary: 'List jobs, newest first',
    querystring: jobListQuery,
    response: { 200: answer('A page of jobs', pageOf(jobSchema)), ...REFUSALS },
  },
  one: {
    ...KEYED,
    tags: ['jobs'],
    operationId: 'getJob',
    summary: 'Look at a job and its newest run',
    params: byId,
    response: { 200: answer('The job', jobSchema, POLL), ...REFUSALS },
  },
  remove: {
    ...KEYED,
    tags: ['jobs'],
    operationId: 'deleteJob',
    summary: 'Delete a job; what runs is cancelled, files are kept until they expire',
    params: byId,
    response: { 204: empty('Deleted'), ...REFUSALS },
  },
  again: {
    ...KEYED,
    tags: ['jobs', 'runs'],
    operationId: 'runJobAgain',
    summary: 'Run a job again over the same window',
    headers: idempotency,
    params: byId,
    response: { 202: answer('Accepted', runSchema, { ...LOCATION, ...POLL }), ...REFUSALS },
  },
  runs: {
    ...KEYED,
    tags: ['jobs', 'runs'],
    operationId: 'listRuns',
    summary: 'List the runs of a job, newest first',
    params: byId,
    querystring: pageQuery,
    response: { 200: answer('A page of runs', pageOf(runSchema)), ...REFUSALS },
  },
};

/** What clients may count on; the whole of it is in docs/manifest.md. */
const manifest = z.looseObject({
  version: z.literal(1),
  run: z.string(),
  job: z.string(),
  tenant: z.string().nullable(),
  dataset: z.string(),
  window: z.looseObject({ start: z.string().nullable(), end: z.string().nullable() }),
  outputs: z.array(z.looseObject({ format: z.string(), compression: z.string() })),
  key: z.looseObject({ id: z.string() }),
  signature: z.string(),
});

export const runSchemas = {
  one: {
    ...KEYED,
    tags: ['runs'],
    operationId: 'getRun',
    summary: 'Look at a run; Retry-After is there until it is final',
    params: byId,
    response: { 200: answer('The run', runSchema, POLL), ...REFUSALS },
  },
  cancel: {
    ...KEYED,
    tags: ['runs'],
    operationId: 'cancelRun',
    summary: 'Cancel a run that is not final',
    params: byId,
    response: { 200: answer('The run as it is now; what runs ends soon', runSchema), ...REFUSALS },
  },
  manifest: {
    ...KEYED,
    tags: ['runs'],
    operationId: 'getManifest',
    summary: 'The signed manifest of a run that succeeded',
    params: byId,
    response: { 200: answer('The manifest', manifest), ...REFUSALS },
  },
  log: {
    ...KEYED,
    tags: ['runs'],
    operationId: 'getLog',
    summary: 'What happened, attempt by attempt',
    params: byId,
    response: { 200: answer('Every entry', pageOf(logEntrySchema)), ...REFUSALS },
  },
};

const MEDIA_TYPES = [
  'text/csv',
  'application/json',
  'application/x-ndjson',
  'application/vnd.apache.parquet',
  'application/xml',
  'application/vnd.apache.avro',
  'application/zip',
  'application/gzip',
  'application/zstd',
];

const FILE_HEADERS = {
  etag: header('The sha-256 of the file, in quotes'),
  'accept-ranges': header('bytes'),
  'content-disposition': header('With the name of the file'),
  'repr-digest': header('The sha-256 of the file, by RFC 9530'),
};

const RANGE_HEADERS = { ...FILE_HEADERS, 'content-range': header('What of how many bytes, by RFC 9110') };

const bytes = z.any().meta({ type: 'string', format: 'binary' });

const BYTES = Object.fromEntries(MEDIA_TYPES.map((type) => [type, { schema: bytes }]));

const ofLink = z.string().optional().meta({ description: 'As the link has it' });

/** The query is checked by its signature alone, and a Range that says nothing is one that is not there. */
export const fileSchemas = {
  tags: ['files'],
  operationId: 'downloadFile',
  summary: 'Download a file by a link of a run; needs no key',
  params: z.object({ id: z.string(), name: z.string() }),
  querystring: z.looseObject({ expires: ofLink, key: ofLink, signer: ofLink, signature: ofLink }),
  headers: z.looseObject({
    range: z.string().optional().meta({ description: 'One range of bytes' }),
    'if-range': z.string().optional().meta({ description: 'The ETag the range is of' }),
    'if-none-match': z.string().optional().meta({ description: 'ETags that are there already' }),
  }),
  response: {
    200: answerAs(BYTES, 'The whole file', FILE_HEADERS),
    206: answerAs(BYTES, 'The range that was asked for', RANGE_HEADERS),
    304: empty('As the caller has it', FILE_HEADERS),
    416: empty('The range lies outside the file', RANGE_HEADERS),
    ...REFUSALS,
  },
};

export const healthSchemas = {
  health: {
    tags: ['server'],
    operationId: 'getHealth',
    summary: 'Whether the server is up',
    response: { 200: answer('It is', z.strictObject({ status: z.literal('ok') })), ...REFUSALS },
  },
  ready: {
    tags: ['server'],
    operationId: 'getReady',
    summary: 'Whether requests can be served',
    response: { 200: answer('They can', z.strictObject({ status: z.literal('ready') })), ...REFUSALS },
  },
  manifestKey: {
    tags: ['server'],
    operationId: 'getManifestKey',
    summary: 'The public key manifests are signed with',
    response: {
      200: answer('The key', z.strictObject({ id: z.string(), algorithm: z.literal('ed25519'), public: z.string() })),
      ...REFUSALS,
    },
  },
};
