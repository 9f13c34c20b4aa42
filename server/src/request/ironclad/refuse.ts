import type { Fault, FaultCode } from '../../base/errors.ts';
import type { Refusal, RefusalAsk } from '../dialect.ts';
import { jsonRefusal } from '../refusal.ts';

interface Answer {
  readonly status: number;
  /** Said in place of the fault's own words. */
  readonly text?: string;
  /** For faults that tell no time to wait. */
  readonly retryAfterS?: number;
}

const BAD: Answer = { status: 400 };
const UNAUTHORIZED: Answer = { status: 401 };
const FORBIDDEN: Answer = { status: 403 };
const NOT_FOUND: Answer = { status: 404 };
const NO_JOB: Answer = { status: 404, text: 'There is no such export job.' };
const CONFLICT: Answer = { status: 409 };
const LIMITED: Answer = { status: 429, retryAfterS: 60 };
const OURS: Answer = { status: 500, text: 'Something went wrong on our side; try again later.' };
const AWAY: Answer = { status: 503, text: 'Not available at the moment; try again later.', retryAfterS: 60 };

/** The vendor publishes 400, 401, 403, 404 and 429; the others are for what it does not speak of. */
const ANSWERS = {
  'request.malformed': BAD,
  'request.invalid': BAD,
  'request.too_large': BAD,
  'request.type': BAD,
  'route.unknown': NOT_FOUND,
  'method.refused': NOT_FOUND,
  'auth.missing': UNAUTHORIZED,
  'auth.unknown': UNAUTHORIZED,
  'auth.forbidden': FORBIDDEN,
  'tier.format': FORBIDDEN,
  'tier.range': FORBIDDEN,
  'tier.dialect': { ...FORBIDDEN, text: 'Evidence exports are not part of your plan.' },
  'tier.destination': FORBIDDEN,
  'tier.bytes': FORBIDDEN,
  'tier.queue': LIMITED,
  'rate.limited': LIMITED,
  'conflict.running': CONFLICT,
  'idempotency.mismatch': CONFLICT,
  'job.unknown': NO_JOB,
  'run.unknown': NO_JOB,
  'run.final': CONFLICT,
  'run.cancelled': { ...CONFLICT, text: 'The export was cancelled; create it again.' },
  'run.memory': OURS,
  'run.short': OURS,
  'dataset.unknown': { ...NOT_FOUND, text: 'This is not offered here.' },
  'file.expired': { ...NOT_FOUND, text: 'This URL has expired; ask for the URLs of the export again.' },
  'link.invalid': { ...FORBIDDEN, text: 'This URL is not valid; ask for the URLs of the export again.' },
  'value.refused': OURS,
  'source.refused': OURS,
  'source.unreachable': AWAY,
  'source.changed': OURS,
  'source.busy': { ...AWAY, retryAfterS: 5 },
  'destination.denied': OURS,
  'destination.unreachable': OURS,
  'destination.full': OURS,
  'disk.low': AWAY,
  maintenance: AWAY,
  internal: OURS,
} as const satisfies Record<FaultCode, Answer>;

const NAMES: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  401: 'UnauthorizedError',
  403: 'ForbiddenError',
  404: 'NotFoundError',
  409: 'ConflictError',
  429: 'RateLimitExceededError',
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
};

/** `{error: {message, status, name, code}}`; the code is the status as text. */
export function refuse({ fault }: RefusalAsk): Refusal {
  const { status, retryAfterS, text }: Answer = ANSWERS[fault.code];
  const error = { message: text ?? withField(fault), status, name: NAMES[status], code: String(status) };
  return jsonRefusal({ status, body: { error }, fault, retryAfterS, challenge: 'Bearer' });
}

/** Why an export failed, in the words of a refusal. */
export function explain({ code, message }: { readonly code: FaultCode; readonly message: string }): string {
  const { text }: Answer = ANSWERS[code];
  return text ?? message;
}

/** Where the job we make of a request holds what came in by another name. */
const FIELDS: readonly (readonly [ours: string, theirs: string])[] = [
  ['/window/end', 'end_date'],
  ['/window', 'start_date'],
  ['/columns', 'select'],
  ['/outputs', 'export_types'],
];

/** `/select/custom/0` is named `select.custom[0]`, unless the message names it already. */
function withField({ pointer, message, isMissing }: Fault): string {
  if (!pointer || isMissing) return message;
  const known = FIELDS.find(([ours]) => pointer === ours || pointer.startsWith(`${ours}/`));
  return `${known ? known[1] : fieldOf(pointer)}: ${message}`;
}

/** What of a place is said: names in it may be as long as a body. */
const MAX_FIELD = 1000;

function fieldOf(pointer: string): string {
  const [, name = '', ...rest] = pointer.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const field = `${name}${rest.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join('')}`;
  return field.length > MAX_FIELD ? `${field.slice(0, MAX_FIELD).toWellFormed()}…` : field;
}
