import type { FaultCode } from '../base/errors.ts';

/** `queued → running → committing → succeeded`, or failed, or cancelled; a retry goes back to queued. */
export type RunState = 'queued' | 'running' | 'committing' | 'succeeded' | 'failed' | 'cancelled';

export const RUN_STATES: readonly RunState[] = ['queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled'];

/** Nothing changes a run in one of these any more. */
export function isFinal(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/** A finished file of a run. */
export interface RunFile {
  readonly id: string;
  /** Name, free of folders. */
  readonly path: string;
  readonly mediaType: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly expiresAt: string;
  readonly isRemoved: boolean;
}

/** One due carrying-out of a job. */
export interface Run {
  readonly id: string;
  readonly jobId: string;
  readonly tenant: string;
  readonly state: RunState;
  /** Half-open, as it was when the run was made; null is an open side. */
  readonly window: { readonly start: string | null; readonly end: string | null };
  readonly attempt: number;
  readonly progress: { readonly rows: number; readonly bytes: number; readonly fraction: number | null };
  readonly rowsPlanned: number | null;
  readonly rowsWritten: number | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Why it failed; after a retry is due, why the last attempt failed. */
  readonly error: { readonly code: FaultCode; readonly message: string } | null;
  /** Empty until it succeeded. */
  readonly files: readonly RunFile[];
}

/** A line of an attempt's log, safe to show its tenant. */
export interface LogEntry {
  readonly at: string;
  readonly attempt: number;
  readonly event: string;
  readonly text: string;
}
