import type { Run } from './wire.ts';

interface ErrorDetail {
  readonly status: number | null;
  readonly code: string;
  readonly pointer?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A request that was refused or did not come through. */
export class DrayageError extends Error {
  /** HTTP status; null where there was no answer to take it from. */
  readonly status: number | null;
  /**
   * Stable: match on this. One of the server's, such as `request.invalid`, or of the client's own:
   * `client.network` (no answer, or half of one), `client.answer` (not an answer of Drayage) and
   * `client.damaged` (a downloaded file is not the one the run wrote).
   */
  readonly code: string;
  /** RFC 6901 pointer of the field that was refused. */
  readonly pointer: string | undefined;
  /** To be named when asking the operator. */
  readonly requestId: string | undefined;
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, detail: ErrorDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'DrayageError';
    this.status = detail.status;
    this.code = detail.code;
    this.pointer = detail.pointer;
    this.requestId = detail.requestId;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** A run that was waited for and ended as `failed` or `cancelled`. */
export class RunFailedError extends Error {
  /** As in `run.error`; `run.failed` or `run.cancelled` where the run gives none. */
  readonly code: string;
  readonly run: Run;

  constructor(run: Run) {
    super(run.error?.message ?? `The run ${run.id} ${run.state === 'cancelled' ? 'was cancelled' : 'failed'}.`);
    this.name = 'RunFailedError';
    this.code = run.error?.code ?? `run.${run.state}`;
    this.run = run;
  }
}

/** The error of an answer that is no success, from its problem details where it has them. */
export function errorOfAnswer({ status, headers }: Response, text: string): DrayageError {
  const { detail, code, pointer, requestId } = textsOf(text);
  return new DrayageError(detail ?? `The server answered with status ${status}.`, {
    status,
    code: code ?? 'client.answer',
    pointer,
    requestId: requestId ?? headers.get('x-request-id') ?? undefined,
    retryAfterMs: retryAfterOf(headers),
  });
}

export function networkError(cause: unknown): DrayageError {
  return new DrayageError('The connection to the server failed.', { status: null, code: 'client.network', cause });
}

/** Milliseconds until the time in `Retry-After`, which holds seconds or a date. */
export function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

/** What stands between the client and the server may answer with anything. */
function textsOf(text: string): Readonly<Record<string, string | undefined>> {
  try {
    const entries = Object.entries(JSON.parse(text) as object);
    return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}
