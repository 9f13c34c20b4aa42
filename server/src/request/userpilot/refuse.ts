import type { Fault, FaultCode } from '../../base/errors.ts';
import type { Refusal, RefusalAsk } from '../dialect.ts';
import { STATUS_CODES } from '../node-http.ts';
import { jsonRefusal } from '../refusal.ts';

const UNAUTHORIZED = [401, 'unauthorized'] as const;
const INVALID = [400, 'invalid_parameter'] as const;
const JOB_UNKNOWN = [404, 'job_not_found'] as const;
const UNKNOWN = [404, 'not_found'] as const;
const CONFLICT = [409, 'export_job_in_progress'] as const;
const TOO_MANY = [429, 'too_many_requests'] as const;
const LINK_DEAD = [403, 'url_expired'] as const;
const FAILED = [500, 'internal_error'] as const;
const UNAVAILABLE = [503, 'service_unavailable'] as const;

/** Status and `error_code` of every fault. The vendor names 400, 401, 404 and 409; a plan too low is a 401 there. */
const ANSWERS = {
  'request.malformed': INVALID,
  'request.invalid': INVALID,
  'request.too_large': INVALID,
  'request.type': INVALID,
  'route.unknown': UNKNOWN,
  'method.refused': [405, 'method_not_allowed'],
  'auth.missing': UNAUTHORIZED,
  'auth.unknown': UNAUTHORIZED,
  'auth.forbidden': UNAUTHORIZED,
  'tier.format': UNAUTHORIZED,
  'tier.range': UNAUTHORIZED,
  'tier.dialect': UNAUTHORIZED,
  'tier.destination': UNAUTHORIZED,
  'tier.bytes': [429, 'quota_exceeded'],
  'tier.queue': TOO_MANY,
  'rate.limited': TOO_MANY,
  'conflict.running': CONFLICT,
  'idempotency.mismatch': CONFLICT,
  'job.unknown': JOB_UNKNOWN,
  'run.unknown': JOB_UNKNOWN,
  'run.final': CONFLICT,
  'run.cancelled': CONFLICT,
  'run.memory': FAILED,
  'run.short': FAILED,
  'dataset.unknown': UNKNOWN,
  'file.expired': LINK_DEAD,
  'link.invalid': [403, 'url_invalid'],
  'value.refused': FAILED,
  'source.refused': FAILED,
  'source.unreachable': UNAVAILABLE,
  'source.changed': UNAVAILABLE,
  'source.busy': UNAVAILABLE,
  'destination.denied': FAILED,
  'destination.unreachable': UNAVAILABLE,
  'destination.full': UNAVAILABLE,
  'disk.low': UNAVAILABLE,
  maintenance: UNAVAILABLE,
  internal: FAILED,
} as const satisfies Record<FaultCode, readonly [status: number, code: string]>;

/** Codes whose messages speak of what this dialect has no word for, or must not tell. */
const MESSAGES: Partial<Record<FaultCode, string>> = {
  'auth.missing': 'The Authorization header is missing or malformed; allowed is: Token <API_KEY>.',
  'auth.unknown': 'Invalid API key or insufficient permissions.',
  'auth.forbidden': 'Invalid API key or insufficient permissions.',
  'tier.dialect': 'Invalid API key or insufficient permissions: your plan has no bulk export.',
  'job.unknown': 'There is no such export job.',
  'run.unknown': 'There is no such export job.',
  'dataset.unknown': 'This is not offered here.',
  'file.expired': 'This URL has expired.',
  'link.invalid': 'This URL is not valid; look at the export job again for a new one.',
  maintenance: 'Under maintenance; try again later.',
};

/** Of what is not there, only a segment was asked for by name. */
const SEGMENT = '/segment_id';

/** Seconds to wait where the fault names none. */
const RETRY_AFTER_S: Partial<Record<number, number>> = { 429: 3600, 503: 60 };

/** `{errors: [{error, error_code, message, details}]}`, all of them text. */
export function refuse({ fault, requestId }: RefusalAsk): Refusal {
  const [status, code] = ANSWERS[fault.code];
  const error = STATUS_CODES[status] ?? 'Error';
  const said = { error, error_code: code, message: messageOf(fault, status), details: `Request ${requestId}` };
  return jsonRefusal({
    status,
    body: { errors: [said] },
    fault,
    retryAfterS: RETRY_AFTER_S[status],
    challenge: 'Token',
  });
}

/** What failed on our side says nothing of itself. */
function messageOf({ code, message, pointer }: Fault, status: number): string {
  const own = code === 'dataset.unknown' && pointer === SEGMENT ? undefined : MESSAGES[code];
  if (own !== undefined) return own;
  if (status >= 500)
    return status === 503 ? 'Not available at the moment; try again.' : 'Something went wrong on our side.';
  return pointer ? `${fieldOf(pointer)}: ${message}` : message;
}

/** Where the job we make of a request holds what came in by another name. */
const FIELDS: Readonly<Record<string, string>> = {
  '/window': 'from, to',
  '/window/start': 'from',
  '/window/end': 'to',
  '/columns': 'exclusions',
};

/** `/event_type/0` → `event_type[0]`. */
function fieldOf(pointer: string): string {
  const known = FIELDS[pointer];
  if (known !== undefined) return known;
  const [, name = '', ...rest] = pointer.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return `${name}${rest.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join('')}`;
}
