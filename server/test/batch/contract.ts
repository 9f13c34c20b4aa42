import assert from 'node:assert/strict';
import { checkAnswer, object } from '../dialect-ground.ts';
import type { Answer } from '../server-ground.ts';

/** Transcribed from doc.batch.com; `004:280` is line 280 of its page "POST - Create request", `status` its page "GET - Status". */

const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }; // 004:280
const moment = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d$' }; // 004:31
const side = { anyOf: [{ const: 'now' }, moment] }; // 004:31
const url = { type: 'string', pattern: '^https?://[^/]+/.*\\.csv$' }; // status: file_url
const nothing = { type: 'null' };

const ids = { type: 'array', items: { enum: ['install_id', 'custom_id', 'advertising_id'] } }; // 004:31
const pushEvents = { type: 'array', items: { enum: ['push_sent', 'push_open', 'push_error'] } }; // 004:41, 004:93
const inappEvents = { type: 'array', items: { enum: ['inapp_shown', 'inapp_clicked', 'inapp_closed'] } }; // 004:145

/** A request as its kind takes it. */
const REQUESTS = {
  push: object({ from: side, to: side, events: pushEvents, ids }), // 004:31
  inapp: object({ from: side, to: side, events: inappEvents, ids }), // 004:31
  reachability: object({ from: side, to: side, ids }), // 004:227
  userbase: object({ ids }), // 004:262
} as const;

export type RequestKind = keyof typeof REQUESTS;

/** What differs by how far a request has come. */
const STATES = {
  open: { status: { enum: ['CREATED', 'PENDING'] }, file_url: nothing, completion_date: nothing }, // status
  success: { status: { const: 'SUCCESS' }, file_url: url, completion_date: moment }, // status
  expired: { status: { const: 'EXPIRED' }, file_url: nothing, completion_date: moment }, // status
  error: {
    status: { const: 'ERROR' }, // status
    file_url: nothing, // status
    completion_date: nothing, // status
    error_msg: { type: 'string', minLength: 1 }, // status: only with ERROR
  },
} as const;

type State = keyof typeof STATES;

const status = (kind: RequestKind, state: State): object =>
  object({
    id: uuid, // status
    uri: { type: 'string', pattern: '^(/[^/]+)*/1\\.0/[^/]+/' }, // status
    request_date: moment, // status
    request: REQUESTS[kind], // status
    ...STATES[state],
  });

/** Status and code of every refusal, and what its message begins with. */
const REFUSALS: Readonly<Record<string, readonly [number, number]>> = {
  AUTHENTICATION_INVALID: [401, 10], // 004:291
  API_MISUSE: [403, 12], // 004:292
  ROUTE_NOT_FOUND: [404, 20], // 004:293
  MISSING_PARAMETER: [400, 30], // 004:294
  MALFORMED_PARAMETER: [400, 31], // 004:295
  MALFORMED_JSON_BODY: [400, 32], // 004:296
  SERVER_ERROR: [500, 1], // 004:297
  MAINTENANCE_ERROR: [503, 2], // 004:298
  CONFLICT: [409, 60], // 004:287; code and name are not published
  TOO_MANY_REQUESTS: [429, 61], // not published
};

const refusal = (code: number): object => object({ code: { const: code }, message: { type: 'string' } });

export const schemas = {
  created: object({ requestId: uuid }), // 004:280
  status,
};

/** Throws unless it is the refusal of that name; gives the words behind it. */
export function checkRefusal(answer: Answer, name: string): string {
  const [status = 0, code = 0] = REFUSALS[name] ?? [];
  checkAnswer(answer, status, refusal(code));
  const { message } = answer.json;
  assert.ok(message.startsWith(`${name}: `), message);
  assert.equal(answer.headers.has('retry-after'), [409, 429, 503].includes(status), `${status} Retry-After`);
  assert.doesNotMatch(answer.text, /\b(job|run|req|file)_[0-9a-z]{20}|\bat .*\.ts:|select |tenant|principal/i);
  return message.slice(name.length + 2);
}
