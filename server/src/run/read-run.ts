import type { FaultCode } from '../base/errors.ts';
import type { FileRow, RunRow } from '../db/tables.ts';
import { isFinal, type Run, type RunFile, type RunState } from './run.ts';

/** A run as its row and its files' rows tell it. Files show once it succeeded, never before. */
export function readRun(row: RunRow, files: readonly FileRow[]): Run {
  const state = row.state as RunState;
  const hasError = row.error_code !== null && (state === 'failed' || !isFinal(state));
  return {
    id: row.id,
    jobId: row.job_id,
    tenant: row.tenant_id,
    state,
    window: { start: row.window_start, end: row.window_end },
    attempt: row.attempt,
    progress: { rows: row.progress_rows, bytes: row.progress_bytes, fraction: row.progress_fraction },
    rowsPlanned: row.rows_planned,
    rowsWritten: row.rows_written,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: hasError ? { code: row.error_code as FaultCode, message: row.error_message ?? '' } : null,
    files: state === 'succeeded' ? files.map(readFile) : [],
  };
}

export function readFile(row: FileRow): RunFile {
  return {
    id: row.id,
    path: row.path,
    mediaType: row.media_type,
    rows: row.rows,
    bytes: row.bytes,
    sha256: row.sha256,
    expiresAt: row.expires_at,
    isRemoved: row.removed_at !== null,
  };
}
