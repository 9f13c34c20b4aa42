import type { Fault, FaultCode } from '../../base/errors.ts';
import type { Refusal, RefusalAsk } from '../dialect.ts';
import { jsonRefusal } from '../refusal.ts';

interface Answer {
  readonly status: number;
  /** The vendor's. */
  readonly code: number;
  readonly name: string;
  /** Said in place of the fault's own words. */
  readonly text?: string;
  /** For faults that tell no time to wait. */
  readonly retryAfterS?: number;
}

const SERVER_ERROR: Answer = {
  status: 500,
  code: 1,
  name: 'SERVER_ERROR',
  text: 'This failed for a reason on our side; try again later.',
};
const MAINTENANCE: Answer = {
  status: 503,
  code: 2,
  name: 'MAINTENANCE_ERROR',
  text: 'Exports are not available at the moment; try again later.',
  retryAfterS: 60,
};
const AUTHENTICATION: Answer = { status: 401, code: 10, name: 'AUTHENTICATION_INVALID' };
const MISUSE: Answer = { status: 403, code: 12, name: 'API_MISUSE' };
const NOT_FOUND: Answer = { status: 404, code: 20, name: 'ROUTE_NOT_FOUND' };
const UNKNOWN_REQUEST: Answer = { ...NOT_FOUND, text: 'There is no such request.' };
const DEAD_LINK: Answer = {
  ...NOT_FOUND,
  text: 'This link is not valid, or its time is over; ask the file_url of the request for a new one.',
};
const MISSING: Answer = { status: 400, code: 30, name: 'MISSING_PARAMETER' };
const MALFORMED: Answer = { status: 400, code: 31, name: 'MALFORMED_PARAMETER' };
const BAD_BODY: Answer = { status: 400, code: 32, name: 'MALFORMED_JSON_BODY' };
// The vendor documents 409 without a code or name, and no 429.
const CONFLICT: Answer = { status: 409, code: 60, name: 'CONFLICT' };
const TOO_MANY: Answer = { status: 429, code: 61, name: 'TOO_MANY_REQUESTS' };

const ANSWERS = {
  'request.malformed': BAD_BODY,
  'request.invalid': MALFORMED,
  'request.too_large': BAD_BODY,
  'request.type': BAD_BODY,
  'route.unknown': NOT_FOUND,
  'method.refused': NOT_FOUND,
  'auth.missing': AUTHENTICATION,
  'auth.unknown': AUTHENTICATION,
  'auth.forbidden': AUTHENTICATION,
  'tier.format': MISUSE,
  'tier.range': MISUSE,
  'tier.dialect': { ...MISUSE, text: 'The Export API is not part of your plan; it needs the Enterprise plan.' },
  'tier.destination': MISUSE,
  'tier.bytes': MISUSE,
  'tier.queue': TOO_MANY,
  'rate.limited': TOO_MANY,
  'conflict.running': CONFLICT,
  'idempotency.mismatch': CONFLICT,
  'job.unknown': UNKNOWN_REQUEST,
  'run.unknown': UNKNOWN_REQUEST,
  'run.final': CONFLICT,
  'run.cancelled': { ...SERVER_ERROR, text: 'The export was cancelled; request it again.' },
  'run.memory': SERVER_ERROR,
  'run.short': SERVER_ERROR,
  'dataset.unknown': { ...NOT_FOUND, text: 'This export is not offered here.' },
  'file.expired': DEAD_LINK,
  'link.invalid': DEAD_LINK,
  'value.refused': SERVER_ERROR,
  'source.refused': SERVER_ERROR,
  'source.unreachable': MAINTENANCE,
  'source.changed': SERVER_ERROR,
  'source.busy': MAINTENANCE,
  'destination.denied': SERVER_ERROR,
  'destination.unreachable': SERVER_ERROR,
  'destination.full': SERVER_ERROR,
  'disk.low': MAINTENANCE,
  maintenance: MAINTENANCE,
  internal: SERVER_ERROR,
} as const satisfies Record<FaultCode, Answer>;

/** The vendor's numeric code, and a message that begins with the code's name. */
export function refuse({ fault, path }: RefusalAsk): Refusal {
  const answer = answerTo(fault, path);
  const { status, code, retryAfterS } = answer;
  const body = { code, message: sayIt(answer, fault.message, fault.pointer) };
  return jsonRefusal({ status, body, fault, retryAfterS });
}

/** Why an export failed, in the words of a refusal. */
export function explain({ code, message }: { readonly code: FaultCode; readonly message: string }): string {
  return sayIt(ANSWERS[code], message);
}

function answerTo({ code, pointer, isMissing }: Fault, path: string): Answer {
  if (code === 'request.malformed' && !isReadable(path)) return NOT_FOUND;
  // What is wrong with the whole of a body is no parameter's fault.
  if (code === 'request.invalid' && !pointer) return BAD_BODY;
  return code === 'request.invalid' && isMissing ? MISSING : ANSWERS[code];
}

function isReadable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** `/ids/0` is named `ids[0]`, unless the message names it already. */
function sayIt({ name, text }: Answer, message: string, pointer = ''): string {
  const field = pointer.slice(1).replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]');
  const place = field === '' || message.startsWith(`"${field}"`) ? '' : `${field}: `;
  return `${name}: ${text ?? `${place}${message}`}`;
}
