-- What all migrations make of an empty SQLite file; PostgreSQL's tables are alike.
-- Written by DRAYAGE_WRITE_SCHEMA=1 node --test server/test/schema.test.ts, which also holds it to the migrations.

CREATE TABLE "tenants" (
  "id" text not null primary key,
  "tier" text not null,
  "created_at" text not null
);

CREATE TABLE "tenant_uses" (
  "tenant_id" text not null primary key references "tenants" ("id"),
  "queued_runs" bigint default 0 not null check (queued_runs >= 0),
  "active_runs" bigint default 0 not null check (active_runs >= 0),
  "stored_bytes" bigint default 0 not null check (stored_bytes >= 0),
  "served_at" text not null
);

CREATE TABLE "principals" (
  "id" bigint not null primary key,
  "name" text not null,
  "key_hash" text not null unique,
  "dialects" text not null,
  "rights" text not null,
  "created_at" text not null,
  "revoked_at" text
);

CREATE TABLE "principal_tenants" (
  "principal_id" bigint not null references "principals" ("id"),
  "tenant_id" text not null references "tenants" ("id"),
  constraint "principal_tenants_pk" primary key ("principal_id", "tenant_id")
);

CREATE TABLE "jobs" (
  "id" text not null primary key,
  "tenant_id" text not null references "tenants" ("id"),
  "principal_id" bigint not null references "principals" ("id"),
  "dialect" text not null,
  "dataset" text not null,
  "ask" text not null,
  "request" text not null,
  "created_at" text not null,
  "deleted_at" text,
  "reference" text
);

CREATE TABLE "runs" (
  "id" text not null primary key,
  "job_id" text not null references "jobs" ("id"),
  "tenant_id" text not null references "tenants" ("id"),
  "state" text not null check (state in ('queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled')),
  "window_start" text,
  "window_end" text,
  "attempt" bigint default 0 not null,
  "failures" bigint default 0 not null,
  "deaths" bigint default 0 not null,
  "due_at" text not null,
  "worker" text,
  "lease_until" text,
  "rows_planned" bigint,
  "rows_written" bigint,
  "progress_rows" bigint default 0 not null,
  "progress_bytes" bigint default 0 not null,
  "progress_fraction" double precision,
  "error_code" text,
  "error_message" text,
  "created_at" text not null,
  "started_at" text,
  "finished_at" text,
  "exclusive" text
);

CREATE TABLE "recipes" (
  "run_id" text not null primary key references "runs" ("id"),
  "plan" text,
  "manifest" text
);

CREATE TABLE "attempts" (
  "run_id" text not null references "runs" ("id"),
  "attempt" bigint not null,
  "worker" text not null,
  "started_at" text not null,
  "finished_at" text,
  "ending" text check (ending in ('succeeded', 'failed', 'died', 'released', 'cancelled')),
  "fault_code" text,
  "fault_message" text,
  "fault_detail" text,
  "log" text not null,
  constraint "attempts_pk" primary key ("run_id", "attempt")
);

CREATE TABLE "outputs" (
  "run_id" text not null references "runs" ("id"),
  "position" bigint not null,
  "format" text not null,
  "compression" text not null,
  "rows_planned" bigint,
  "rows_read" bigint not null,
  "rows_written" bigint not null,
  constraint "outputs_pk" primary key ("run_id", "position")
);

CREATE TABLE "files" (
  "id" text not null primary key,
  "run_id" text not null references "runs" ("id"),
  "position" bigint not null,
  "tenant_id" text not null references "tenants" ("id"),
  "path" text not null,
  "media_type" text not null,
  "rows" bigint not null,
  "bytes" bigint not null,
  "sha256" text not null,
  "expires_at" text not null,
  "removed_at" text
);

CREATE TABLE "deliveries" (
  "run_id" text not null references "runs" ("id"),
  "position" bigint not null,
  "destination" text not null,
  "state" text not null check (state in ('pending', 'delivered', 'failed')),
  "attempts" bigint default 0 not null,
  "delivered_at" text,
  constraint "deliveries_pk" primary key ("run_id", "position")
);

CREATE TABLE "idempotency_keys" (
  "tenant_id" text not null references "tenants" ("id"),
  "key" text not null,
  "body_hash" text not null,
  "job_id" text not null references "jobs" ("id"),
  "run_id" text not null references "runs" ("id"),
  "created_at" text not null,
  constraint "idempotency_keys_pk" primary key ("tenant_id", "key")
);

CREATE TABLE "audit" (
  "id" text not null primary key,
  "at" text not null,
  "tenant_id" text not null references "tenants" ("id"),
  "principal_id" bigint,
  "action" text not null,
  "subject" text not null,
  "request_id" text
);

CREATE TABLE "notices" (
  "id" text not null primary key,
  "run_id" text not null references "runs" ("id"),
  "tenant_id" text not null references "tenants" ("id"),
  "address" text not null,
  "state" text not null check (state in ('pending', 'sent', 'failed')),
  "attempts" bigint default 0 not null,
  "due_at" text not null,
  "sent_at" text,
  "error" text
);

CREATE INDEX "jobs_by_tenant" on "jobs" ("tenant_id", "id") where "deleted_at" is null;

CREATE INDEX "jobs_by_dataset" on "jobs" ("tenant_id", "dataset", "id") where "deleted_at" is null;

CREATE INDEX "runs_queued" on "runs" ("tenant_id", "due_at", "id") where "state" = 'queued';

CREATE INDEX "runs_active" on "runs" ("lease_until") where "state" in ('running', 'committing');

CREATE INDEX "runs_by_state" on "runs" ("tenant_id", "state", "job_id");

CREATE INDEX "runs_by_job" on "runs" ("job_id", "id");

CREATE INDEX "files_by_run" on "files" ("run_id", "position");

CREATE INDEX "files_kept" on "files" ("expires_at") where "removed_at" is null;

CREATE INDEX "idempotency_keys_by_age" on "idempotency_keys" ("created_at");

CREATE INDEX "audit_by_tenant" on "audit" ("tenant_id", "id");

CREATE UNIQUE INDEX "jobs_by_reference" on "jobs" ("dialect", "reference") where "reference" is not null;

CREATE INDEX "jobs_by_dialect" on "jobs" ("tenant_id", "dialect", "id");

CREATE UNIQUE INDEX "runs_exclusive" on "runs" ("tenant_id", "exclusive") where exclusive is not null and state in ('queued', 'running', 'committing');

CREATE INDEX "notices_pending" on "notices" ("due_at") where "state" = 'pending';

CREATE INDEX "notices_by_run" on "notices" ("run_id");

CREATE INDEX "idempotency_keys_by_run" on "idempotency_keys" ("run_id");

CREATE INDEX "idempotency_keys_by_job" on "idempotency_keys" ("job_id");
