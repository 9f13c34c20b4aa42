import type { Selectable } from 'kysely';

/**
 * Our tables, alike in SQLite and PostgreSQL: instants are ISO 8601 text in UTC with milliseconds,
 * counters are integers, structures are JSON text.
 */
export interface Tables {
  tenants: { id: string; tier: string; created_at: string };
  tenant_uses: {
    tenant_id: string;
    queued_runs: number;
    /** Runs in `running` or `committing`. */
    active_runs: number;
    stored_bytes: number;
    /** When a run of the tenant was last claimed; fair order goes by it. */
    served_at: string;
  };
  principals: {
    id: number;
    name: string;
    /** sha-256 of the API key in hex; the key itself is stored nowhere. */
    key_hash: string;
    dialects: string;
    rights: string;
    created_at: string;
    revoked_at: string | null;
  };
  principal_tenants: { principal_id: number; tenant_id: string };
  jobs: {
    id: string;
    tenant_id: string;
    principal_id: number;
    dialect: string;
    dataset: string;
    /** What was asked, in our own words. */
    ask: string;
    /** What was asked, as the dialect shows it again. */
    request: string;
    created_at: string;
    deleted_at: string | null;
    /** The id its dialect's clients know it by, where that is not ours. */
    reference: string | null;
  };
  runs: RunTable;
  recipes: {
    run_id: string;
    /** While the run is not final. */
    plan: string | null;
    /** From its commit on. */
    manifest: string | null;
  };
  attempts: {
    run_id: string;
    attempt: number;
    worker: string;
    started_at: string;
    finished_at: string | null;
    /** Null while it goes on. */
    ending: string | null;
    fault_code: string | null;
    fault_message: string | null;
    /** What lay behind the fault; never shown to a customer. */
    fault_detail: string | null;
    /** JSON array of entries. */
    log: string;
  };
  outputs: {
    run_id: string;
    position: number;
    format: string;
    compression: string;
    rows_planned: number | null;
    rows_read: number;
    rows_written: number;
  };
  files: {
    id: string;
    run_id: string;
    position: number;
    tenant_id: string;
    path: string;
    media_type: string;
    rows: number;
    bytes: number;
    sha256: string;
    expires_at: string;
    /** When its bytes were deleted. */
    removed_at: string | null;
  };
  deliveries: {
    run_id: string;
    position: number;
    destination: string;
    state: string;
    attempts: number;
    delivered_at: string | null;
  };
  notices: {
    id: string;
    run_id: string;
    tenant_id: string;
    /** Who is told by e-mail that the run succeeded. */
    address: string;
    state: string;
    attempts: number;
    /** Nobody else sends it before. */
    due_at: string;
    sent_at: string | null;
    /** Why the last attempt failed; safe to show. */
    error: string | null;
  };
  idempotency_keys: {
    tenant_id: string;
    key: string;
    body_hash: string;
    job_id: string;
    run_id: string;
    created_at: string;
  };
  audit: {
    id: string;
    at: string;
    tenant_id: string;
    principal_id: number | null;
    action: string;
    subject: string;
    request_id: string | null;
  };
}

interface RunTable {
  id: string;
  job_id: string;
  tenant_id: string;
  state: string;
  window_start: string | null;
  window_end: string | null;
  /** Counts claims; what a worker writes counts only while it is the current one. */
  attempt: number;
  failures: number;
  deaths: number;
  /** No two unfinished runs of a tenant have the same. */
  exclusive: string | null;
  due_at: string;
  worker: string | null;
  lease_until: string | null;
  rows_planned: number | null;
  rows_written: number | null;
  progress_rows: number;
  progress_bytes: number;
  progress_fraction: number | null;
  error_code: string | null;
  error_message: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

/** Rows as they are read. */
export type JobRow = Selectable<Tables['jobs']>;
export type RunRow = Selectable<Tables['runs']>;
export type FileRow = Selectable<Tables['files']>;
