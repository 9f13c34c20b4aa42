import type { Fault, FaultCode } from '../../base/errors.ts';
import type { Refusal, RefusalAsk } from '../dialect.ts';
import { jsonRefusal, waitOf } from '../refusal.ts';
import { STANDING } from './headers.ts';

interface Answer {
  readonly status: number;
  /** Left out, the fault's own message with the field before it. */
  readonly text?: string;
  /** When to ask again, in seconds, where the fault does not say. */
  readonly retryAfterS?: number;
}

const OURS: Answer = { status: 500, text: 'Internal server error' };
const NO_JOB: Answer = { status: 404, text: 'Export job not found' };
const NO_ROUTE: Answer = { status: 404, text: 'Not Found' };
const BAD: Answer = { status: 400 };
const CONFLICT: Answer = { status: 409 };

/** Shoal documents 400, 401, 403, 404, 429 and 500; the others are for what it does not speak of. */
const ANSWERS = {
  'request.malformed': BAD,
  'request.invalid': BAD,
  'request.too_large': BAD,
  'request.type': BAD,
  'route.unknown': NO_ROUTE,
  'method.refused': NO_ROUTE,
  'auth.missing': { status: 401, text: 'Authorization header missing or malformed' },
  'auth.unknown': { status: 403, text: 'Invalid API key' },
  'auth.forbidden': { status: 403, text: 'This API key is not allowed to use this endpoint' },
  'tier.format': { status: 403 },
  'tier.range': { status: 403 },
  'tier.dialect': { status: 403, text: 'This endpoint requires the enterprise plan' },
  'tier.destination': { status: 403 },
  'tier.bytes': { status: 403 },
  'tier.queue': { status: 429 },
  'rate.limited': { status: 429 },
  'conflict.running': CONFLICT,
  'idempotency.mismatch': BAD,
  'job.unknown': NO_JOB,
  'run.unknown': NO_JOB,
  'run.final': CONFLICT,
  'run.cancelled': CONFLICT,
  'run.memory': OURS,
  'run.short': OURS,
  'dataset.unknown': { status: 400, text: 'scope: This scope is not available on this server' },
  'file.expired': { status: 410, text: 'This export has expired; request a new one' },
  'link.invalid': { status: 403, text: 'This link is not valid; look at the export job for a new one' },
  'value.refused': OURS,
  'source.refused': OURS,
  'source.unreachable': OURS,
  'source.changed': OURS,
  'source.busy': { status: 503, text: 'The server is busy; try again later', retryAfterS: 5 },
  'destination.denied': OURS,
  'destination.unreachable': OURS,
  'destination.full': OURS,
  'disk.low': { status: 503, text: 'No export is accepted at the moment; try again later', retryAfterS: 60 },
  maintenance: { status: 503, text: 'Under maintenance; try again later', retryAfterS: 60 },
  internal: OURS,
} satisfies Record<FaultCode, Answer>;

/** Why an export failed: our side's reasons are the operator's to know, which row could not be written is the client's. */
export function explain({ code, message }: { readonly code: FaultCode; readonly message: string }): string {
  const answer: Answer = ANSWERS[code];
  return code === 'value.refused' ? message : (answer.text ?? message);
}

/** `{"error": …}`, with when to come back where a limit was met and with the route where there is none. */
export function refuse({ fault, method, path }: RefusalAsk): Refusal {
  const { status, text, retryAfterS }: Answer = ANSWERS[fault.code];
  const retryAfter = waitOf(fault, retryAfterS);
  const body = {
    error: text ?? withField(fault),
    ...(status === 429 && retryAfter !== undefined ? { retryAfter } : {}),
    ...(ANSWERS[fault.code] === NO_ROUTE ? { path, method } : {}),
  };
  return jsonRefusal({ status, body, fault, retryAfterS, challenge: 'Bearer', headers: STANDING });
}

/** Where ours and theirs have different names. */
const FIELDS: readonly (readonly [ours: string, theirs: string])[] = [
  ['/window/end', 'until'],
  ['/window', 'since'],
  ['/filter/eventCategory', 'category'],
  ['/filter/organizationId', 'organizationIds'],
];

function withField({ pointer, message, isMissing }: Fault): string {
  if (!pointer || isMissing) return message;
  const theirs = FIELDS.find(([ours]) => pointer === ours || pointer.startsWith(`${ours}/`))?.[1];
  return `${theirs ?? pointer.slice(1).replaceAll('/', '.')}: ${message}`;
}
