/** Who has to act for the failure to go away. */
type Blame = 'caller' | 'source' | 'destination' | 'us';

interface FaultKind {
  readonly blame: Blame;
  /** Whether the same run may succeed when tried again unchanged. */
  readonly retry: boolean;
  /** HTTP status of the native API. */
  readonly status: number;
}

/** Every way to fail that has a name. Published: clients match on these codes. */
const FAULTS = {
  'request.malformed': { blame: 'caller', retry: false, status: 400 },
  'request.invalid': { blame: 'caller', retry: false, status: 400 },
  'request.too_large': { blame: 'caller', retry: false, status: 400 },
  'request.type': { blame: 'caller', retry: false, status: 400 },
  'route.unknown': { blame: 'caller', retry: false, status: 404 },
  'method.refused': { blame: 'caller', retry: false, status: 405 },
  'auth.missing': { blame: 'caller', retry: false, status: 401 },
  'auth.unknown': { blame: 'caller', retry: false, status: 401 },
  'auth.forbidden': { blame: 'caller', retry: false, status: 403 },
  'tier.format': { blame: 'caller', retry: false, status: 403 },
  'tier.range': { blame: 'caller', retry: false, status: 403 },
  'tier.dialect': { blame: 'caller', retry: false, status: 403 },
  'tier.destination': { blame: 'caller', retry: false, status: 403 },
  'tier.bytes': { blame: 'caller', retry: false, status: 403 },
  'tier.queue': { blame: 'caller', retry: true, status: 429 },
  'rate.limited': { blame: 'caller', retry: true, status: 429 },
  'conflict.running': { blame: 'caller', retry: true, status: 409 },
  'idempotency.mismatch': { blame: 'caller', retry: false, status: 422 },
  'job.unknown': { blame: 'caller', retry: false, status: 404 },
  'run.unknown': { blame: 'caller', retry: false, status: 404 },
  'run.final': { blame: 'caller', retry: false, status: 409 },
  'run.cancelled': { blame: 'caller', retry: false, status: 409 },
  /** Told by the limit, which the next attempt would meet as well. */
  'run.memory': { blame: 'us', retry: false, status: 500 },
  'run.short': { blame: 'us', retry: true, status: 500 },
  'dataset.unknown': { blame: 'caller', retry: false, status: 404 },
  'file.expired': { blame: 'caller', retry: false, status: 410 },
  'link.invalid': { blame: 'caller', retry: false, status: 403 },
  'value.refused': { blame: 'source', retry: false, status: 422 },
  'source.refused': { blame: 'source', retry: false, status: 422 },
  'source.unreachable': { blame: 'source', retry: true, status: 502 },
  'source.changed': { blame: 'source', retry: true, status: 409 },
  'source.busy': { blame: 'source', retry: true, status: 503 },
  'destination.denied': { blame: 'destination', retry: false, status: 422 },
  'destination.unreachable': { blame: 'destination', retry: true, status: 502 },
  'destination.full': { blame: 'destination', retry: true, status: 507 },
  'disk.low': { blame: 'us', retry: true, status: 507 },
  maintenance: { blame: 'us', retry: true, status: 503 },
  internal: { blame: 'us', retry: true, status: 500 },
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof FAULTS;

/** Every code, in the order they are documented in. */
export const FAULT_CODES = Object.keys(FAULTS) as readonly FaultCode[];

interface FaultDetail {
  /** Where in the request the fault lies, as an RFC 6901 pointer: `/filter/amount/gte`. */
  readonly pointer?: string;
  /** Whether what the pointer names was not sent at all. */
  readonly isMissing?: boolean;
  /** How long to wait before asking again, where that is known. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The only error that crosses a folder's edge. `message` is safe to show a customer: it names the
 * field, what was wrong and what is allowed, and carries no secret, SQL or stack. The rest is in `cause`.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly pointer: string | undefined;
  readonly isMissing: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: FaultCode, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'Fault';
    this.code = code;
    this.pointer = detail.pointer;
    this.isMissing = detail.isMissing ?? false;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** Who is to blame, whether a retry may help, and the native API's status. */
export function kindOf(code: FaultCode): FaultKind {
  return FAULTS[code];
}

/** A refusal of something the caller sent. `pointer` is RFC 6901. */
export function refuse(pointer: string, message: string): Fault {
  return new Fault('request.invalid', message, { pointer });
}

/** A fault as plain data, for a channel or a log. */
export interface FaultRecord {
  readonly code: FaultCode;
  readonly message: string;
  readonly pointer?: string;
  /** What lay behind it; for the log only, never shown to a customer. */
  readonly detail?: string;
}

/** Turns anything thrown into a record. What is not a Fault is our bug and shows as `internal`. */
export function recordOf(error: unknown): FaultRecord {
  if (error instanceof Fault) {
    const detail = error.cause === undefined ? undefined : textOf(error.cause);
    return {
      code: error.code,
      message: error.message,
      ...(error.pointer === undefined ? {} : { pointer: error.pointer }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  return { code: 'internal', message: 'The export failed for a reason on our side.', detail: textOf(error) };
}

/** The fault a record was made of. */
export function faultOf(record: FaultRecord): Fault {
  return new Fault(record.code, record.message, {
    ...(record.pointer === undefined ? {} : { pointer: record.pointer }),
    ...(record.detail === undefined ? {} : { cause: record.detail }),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** True for an error of node's own with this system code, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
