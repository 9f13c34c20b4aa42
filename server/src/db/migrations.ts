import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Forward only, in the order of their names, each in one transaction. What a released version has
 * run is never changed: add another.
 */
export const migrations: Record<string, Migration> = {
  '0001_tenants': { up: tenants },
  '0002_jobs': { up: jobs },
  '0003_runs': { up: runs },
  '0004_recipes': { up: recipes },
  '0005_attempts': { up: attempts },
  '0006_files': { up: files },
  '0007_deliveries': { up: deliveries },
  '0008_records': { up: records },
  '0009_references': { up: references },
  '0010_notices': { up: notices },
  '0011_history': { up: history },
};

async function tenants(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tenants')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tier', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('tenant_uses')
    .addColumn('tenant_id', 'text', (column) => column.primaryKey().notNull().references('tenants.id'))
    .addColumn('queued_runs', 'bigint', (column) => column.notNull().defaultTo(0).check(sql`queued_runs >= 0`))
    .addColumn('active_runs', 'bigint', (column) => column.notNull().defaultTo(0).check(sql`active_runs >= 0`))
    .addColumn('stored_bytes', 'bigint', (column) => column.notNull().defaultTo(0).check(sql`stored_bytes >= 0`))
    .addColumn('served_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('principals')
    .addColumn('id', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('key_hash', 'text', (column) => column.notNull().unique())
    .addColumn('dialects', 'text', (column) => column.notNull())
    .addColumn('rights', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text')
    .execute();
  await db.schema
    .createTable('principal_tenants')
    .addColumn('principal_id', 'bigint', (column) => column.notNull().references('principals.id'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addPrimaryKeyConstraint('principal_tenants_pk', ['principal_id', 'tenant_id'])
    .execute();
}

async function jobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('principal_id', 'bigint', (column) => column.notNull().references('principals.id'))
    .addColumn('dialect', 'text', (column) => column.notNull())
    .addColumn('dataset', 'text', (column) => column.notNull())
    .addColumn('ask', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .execute();
  // Lists of a tenant's jobs, newest first.
  await db.schema
    .createIndex('jobs_by_tenant')
    .on('jobs')
    .columns(['tenant_id', 'id'])
    .where(sql.ref('deleted_at'), 'is', null)
    .execute();
  await db.schema
    .createIndex('jobs_by_dataset')
    .on('jobs')
    .columns(['tenant_id', 'dataset', 'id'])
    .where(sql.ref('deleted_at'), 'is', null)
    .execute();
}

async function runs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('state', 'text', (column) =>
      column.notNull().check(sql`state in ('queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled')`),
    )
    .addColumn('window_start', 'text')
    .addColumn('window_end', 'text')
    .addColumn('attempt', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('failures', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('deaths', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('due_at', 'text', (column) => column.notNull())
    .addColumn('worker', 'text')
    .addColumn('lease_until', 'text')
    .addColumn('rows_planned', 'bigint')
    .addColumn('rows_written', 'bigint')
    .addColumn('progress_rows', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('progress_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('progress_fraction', 'double precision')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text')
    .addColumn('finished_at', 'text')
    .execute();
  await runIndexes(db);
}

async function runIndexes(db: Kysely<unknown>): Promise<void> {
  // The claim: the oldest due run of a tenant.
  await db.schema
    .createIndex('runs_queued')
    .on('runs')
    .columns(['tenant_id', 'due_at', 'id'])
    .where(sql.ref('state'), '=', sql.lit('queued'))
    .execute();
  // The sweeper: leases that ran out.
  await db.schema
    .createIndex('runs_active')
    .on('runs')
    .columns(['lease_until'])
    .where(sql.ref('state'), 'in', sql`('running', 'committing')`)
    .execute();
  // Jobs whose newest run is in a state.
  await db.schema.createIndex('runs_by_state').on('runs').columns(['tenant_id', 'state', 'job_id']).execute();
  // The newest run of a job, and its history.
  await db.schema.createIndex('runs_by_job').on('runs').columns(['job_id', 'id']).execute();
}

/** Apart from the runs, whose rows are written again and again while they are at work. */
async function recipes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('recipes')
    .addColumn('run_id', 'text', (column) => column.primaryKey().notNull().references('runs.id'))
    .addColumn('plan', 'text')
    .addColumn('manifest', 'text')
    .execute();
}

async function attempts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('attempts')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('attempt', 'bigint', (column) => column.notNull())
    .addColumn('worker', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('ending', 'text', (column) =>
      column.check(sql`ending in ('succeeded', 'failed', 'died', 'released', 'cancelled')`),
    )
    .addColumn('fault_code', 'text')
    .addColumn('fault_message', 'text')
    .addColumn('fault_detail', 'text')
    .addColumn('log', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('attempts_pk', ['run_id', 'attempt'])
    .execute();
}

async function files(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outputs')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('compression', 'text', (column) => column.notNull())
    .addColumn('rows_planned', 'bigint')
    .addColumn('rows_read', 'bigint', (column) => column.notNull())
    .addColumn('rows_written', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('outputs_pk', ['run_id', 'position'])
    .execute();
  await db.schema
    .createTable('files')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('path', 'text', (column) => column.notNull())
    .addColumn('media_type', 'text', (column) => column.notNull())
    .addColumn('rows', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('removed_at', 'text')
    .execute();
  await db.schema.createIndex('files_by_run').on('files').columns(['run_id', 'position']).execute();
  // The sweeper: files whose life is over.
  await db.schema
    .createIndex('files_kept')
    .on('files')
    .columns(['expires_at'])
    .where(sql.ref('removed_at'), 'is', null)
    .execute();
}

async function deliveries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deliveries')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull().check(sql`state in ('pending', 'delivered', 'failed')`))
    .addColumn('attempts', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('delivered_at', 'text')
    .addPrimaryKeyConstraint('deliveries_pk', ['run_id', 'position'])
    .execute();
}

async function records(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('idempotency_keys')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('body_hash', 'text', (column) => column.notNull())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id'))
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_pk', ['tenant_id', 'key'])
    .execute();
  // The sweeper: keys older than a day.
  await db.schema.createIndex('idempotency_keys_by_age').on('idempotency_keys').columns(['created_at']).execute();
  await db.schema
    .createTable('audit')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('principal_id', 'bigint')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text')
    .execute();
  // A tenant's trail, newest first.
  await db.schema.createIndex('audit_by_tenant').on('audit').columns(['tenant_id', 'id']).execute();
}

async function references(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('reference', 'text').execute();
  // A dialect's id to ours.
  await db.schema
    .createIndex('jobs_by_reference')
    .unique()
    .on('jobs')
    .columns(['dialect', 'reference'])
    .where(sql.ref('reference'), 'is not', null)
    .execute();
  // What a tenant made by a dialect, newest first.
  await db.schema.createIndex('jobs_by_dialect').on('jobs').columns(['tenant_id', 'dialect', 'id']).execute();
  await db.schema.alterTable('runs').addColumn('exclusive', 'text').execute();
  // One at a time, whoever asks.
  await db.schema
    .createIndex('runs_exclusive')
    .unique()
    .on('runs')
    .columns(['tenant_id', 'exclusive'])
    .where(sql<boolean>`exclusive is not null and state in ('queued', 'running', 'committing')`)
    .execute();
}

async function notices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notices')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id'))
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull().check(sql`state in ('pending', 'sent', 'failed')`))
    .addColumn('attempts', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('due_at', 'text', (column) => column.notNull())
    .addColumn('sent_at', 'text')
    .addColumn('error', 'text')
    .execute();
  // The notifier: the oldest due notices.
  await db.schema
    .createIndex('notices_pending')
    .on('notices')
    .columns(['due_at'])
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
}

/** Rows are removed by their run, and what points at a run or job is looked for. */
async function history(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('notices_by_run').on('notices').columns(['run_id']).execute();
  await db.schema.createIndex('idempotency_keys_by_run').on('idempotency_keys').columns(['run_id']).execute();
  await db.schema.createIndex('idempotency_keys_by_job').on('idempotency_keys').columns(['job_id']).execute();
}
