import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyExport } from '../src/run/verify.ts';
import type { JobClient, JobRequest } from './service-client.ts';
import type { ServiceYard } from './service-process.ts';

/** What a request gives when nothing happens to the server. */
export type Undisturbed = ReadonlyMap<JobRequest, { rows: number; bytes: number; sha256: string }>;

/** Everything that may stand in a data folder when no server runs. */
const OWN = ['drayage.db', 'drayage.db-shm', 'drayage.db-wal', 'files', 'keys', 'server.lock', 'server.pid', 'stage'];

/**
 * Every job that was promised succeeded once with the bytes of an undisturbed run; tables, counters and
 * disk agree to the last file. Gives the figures.
 */
export async function assertNothingLost(
  yard: ServiceYard,
  client: JobClient,
  undisturbed: Undisturbed,
): Promise<string> {
  assert.deepEqual(
    client.asked.filter(({ job }) => job === null),
    [],
    'a job was never answered',
  );
  assertJobs(yard, client);
  assertRuns(yard);
  assertFiles(yard, client, undisturbed);
  assertCounters(yard);
  await assertDisk(yard);
  const [sum] = yard.rows('select count(*) as runs, sum(attempt) as attempts, max(attempt) as most from runs');
  return `${sum?.runs} jobs succeeded once, ${sum?.attempts} attempts, at most ${sum?.most} for a run`;
}

function assertJobs(yard: ServiceYard, { asked }: JobClient): void {
  const promised = asked.map(({ job, run }) => `${job} ${run}`).sort();
  const made = yard.rows('select job_id, id from runs').map((row) => `${row.job_id} ${row.id}`);
  assert.deepEqual(made.sort(), promised);
  assert.deepEqual(
    yard
      .rows('select id from jobs')
      .map(({ id }) => id)
      .sort(),
    asked.map(({ job }) => job).sort(),
  );
  assert.equal(yard.rows('select key from idempotency_keys').length, asked.length);
}

function assertRuns(yard: ServiceYard): void {
  assert.deepEqual(yard.rows(`select * from runs where state != 'succeeded' or worker is not null`), []);
  const attempts = yard.rows(`select runs.id, runs.attempt, failures, deaths, count(*) as claims,
    max(attempts.attempt) as last, sum(ending = 'succeeded') as successes, sum(ending = 'died') as died,
    max(case when ending = 'succeeded' then attempts.attempt end) as winner
    from runs join attempts on run_id = runs.id group by runs.id`);
  assert.equal(attempts.length, yard.rows('select id from runs').length, 'a run succeeded without an attempt');
  for (const run of attempts) {
    const { attempt = 0, claims, last, successes, winner, died, deaths, failures } = run;
    const told = JSON.stringify(run);
    assert.deepEqual(
      { claims, last, winner, successes },
      { claims: attempt, last: attempt, winner: attempt, successes: 1 },
      told,
    );
    assert.deepEqual({ died, deaths, failures }, { died: attempt - 1, deaths: attempt - 1, failures: 0 }, told);
  }
  const delivered = `select run_id from deliveries where state = 'delivered' and attempts = 1`;
  assert.equal(yard.rows(delivered).length, attempts.length);
  assert.equal(yard.rows('select run_id from outputs').length, attempts.length);
}

function assertFiles(yard: ServiceYard, { asked }: JobClient, undisturbed: Undisturbed): void {
  const requests = new Map(asked.map(({ run, request }) => [run, request]));
  const files = yard.rows('select run_id, rows, bytes, sha256 from files');
  assert.equal(files.length, asked.length, 'a run has another number of files than one');
  for (const { run_id, rows, bytes, sha256 } of files) {
    const request = requests.get(String(run_id));
    assert.ok(request);
    assert.deepEqual({ rows, bytes, sha256 }, undisturbed.get(request), JSON.stringify(request));
  }
}

function assertCounters(yard: ServiceYard): void {
  const uses = yard.rows(`select tenant_id, queued_runs, active_runs, stored_bytes,
    (select count(*) from runs where runs.tenant_id = uses.tenant_id and state = 'queued') as queued,
    (select count(*) from runs where runs.tenant_id = uses.tenant_id and state in ('running', 'committing')) as active,
    (select coalesce(sum(bytes), 0) from files where files.tenant_id = uses.tenant_id and removed_at is null) as stored
    from tenant_uses uses`);
  for (const { tenant_id, queued_runs, active_runs, stored_bytes, queued, active, stored } of uses)
    assert.deepEqual([queued_runs, active_runs, stored_bytes], [queued, active, stored], String(tenant_id));
}

async function assertDisk(yard: ServiceYard): Promise<void> {
  const { dataFolder } = yard;
  assert.deepEqual(
    namesIn(dataFolder).filter((name) => !OWN.includes(name)),
    [],
  );
  assert.deepEqual(namesIn(join(dataFolder, 'stage')), []);
  const kept = yard.rows(
    'select run_id, path, manifest from files join recipes using (run_id) where removed_at is null',
  );
  assert.deepEqual(namesIn(join(dataFolder, 'files')).sort(), kept.map(({ run_id }) => String(run_id)).sort());
  for (const { run_id, path, manifest } of kept) {
    const folder = join(dataFolder, 'files', String(run_id));
    assert.deepEqual(namesIn(folder).sort(), [String(path), 'manifest.json'].sort());
    assert.equal(readFileSync(join(folder, 'manifest.json'), 'utf8'), manifest);
    const { isIntact, isOwnSigner, files } = await verifyExport(folder, dataFolder);
    assert.ok(isIntact && isOwnSigner, JSON.stringify(files));
  }
}

/** Names in a folder; none when it is not there. */
export function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
