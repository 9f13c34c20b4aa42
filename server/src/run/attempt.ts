import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { now } from '../base/clock.ts';
import { Fault, recordOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { scopeOf } from '../dataset/dataset.ts';
import { destinations } from '../destination/destinations.ts';
import { stageOf, syncStage } from '../destination/download.ts';
import { mediaTypeOf } from '../format/compression.ts';
import { formatOf } from '../format/formats.ts';
import type { Tiers } from '../tenant/tier.ts';
import type { Catalog, Described } from './catalog.ts';
import { filesFolder, type OutputResult } from './execution.ts';
import type { Signer } from './keys.ts';
import { keepLease, type Lease } from './lease.ts';
import { makeManifest, manifestText } from './manifest.ts';
import type { Ending } from './outcome.ts';
import { type Limits, makePlan, type Plan } from './plan.ts';
import type { Pool } from './pool.ts';
import type { LogEntry } from './run.ts';
import { adoptSegments } from './segment-record.ts';
import type { Claim } from './settle-queries.ts';
import type { ClaimedRun, CommittedFile, Work } from './work-queries.ts';
import type { Worker } from './worker.ts';

/** What all attempts of a server share. */
export interface AttemptGround {
  readonly dataFolder: string;
  readonly work: Work;
  readonly pool: Pool;
  readonly catalog: Catalog;
  readonly signer: Signer;
  readonly limits: Limits;
  readonly tiers: Tiers;
  readonly log: Log;
  /** Fires when the server gives its runs back. */
  readonly stopping: AbortSignal;
}

/** The record of one attempt, from claim to commit. */
interface Attempt extends AttemptGround {
  readonly claim: ClaimedRun;
  readonly stage: string;
  readonly lease: Lease;
  readonly entries: LogEntry[];
}

/** Carries a claimed run out, whatever becomes of it. Never rejects for what a run can do. */
export async function carryOut(claim: ClaimedRun, ground: AttemptGround): Promise<void> {
  const log = ground.log.child({ run: claim.run, attempt: claim.attempt, tenant: claim.tenant });
  const options = { dataFolder: ground.dataFolder, run: claim.run, attempt: claim.attempt };
  using lease = keepLease(claim, { work: ground.work, stopping: ground.stopping, log });
  const attempt: Attempt = { ...ground, log, claim, lease, entries: [], stage: stageOf(options) };
  note(attempt, 'claimed', `Attempt ${claim.attempt} began.`);
  try {
    await destinations.download.stage(options);
    const isCurrent = await commitAttempt(attempt);
    if (!isCurrent) return await abandon(attempt);
  } catch (error) {
    return await giveUp(attempt, error);
  }
  await rollForward(claim, attempt);
}

/** Publishes a committed run. Whatever interrupts this is made good by doing it again. */
export async function rollForward(
  claim: Claim,
  { work, dataFolder, log }: Pick<AttemptGround, 'work' | 'dataFolder' | 'log'>,
): Promise<void> {
  log.info('publishing');
  await destinations.download.publish(stageOf({ dataFolder, run: claim.run, attempt: claim.attempt }));
  log.info('published');
  if (await work.finish(claim)) log.info('succeeded');
}

/** False when the attempt is not the current one any more. */
async function commitAttempt(attempt: Attempt): Promise<boolean> {
  const { claim, work, signer, stage, tiers } = attempt;
  const executed = await attempt.pool.use((worker) => executeIn(worker, attempt));
  if (!executed) return false;
  const { plan, results } = executed;
  const manifest = manifestText(
    makeManifest({ plan, results, createdAt: now(), signer, run: claim.run, job: claim.job }),
  );
  await writeFile(join(filesFolder(stage), 'manifest.json'), manifest, { flush: true });
  await syncStage(stage);
  const files = results.flatMap(filesOf).map((file, position) => ({ ...file, position }));
  for (const { output, segments } of results)
    if (segments.reused > 0)
      note(attempt, 'resumed', `${output.path}: ${segments.reused} of ${segments.total} segments were there already.`);
  for (const { path, rows, bytes } of files) note(attempt, 'written', `${path}: ${rows} rows, ${bytes} bytes.`);
  note(attempt, 'committed', 'The counts agree; the files are committed.');
  const fileLifeMs = claim.ask.fileLifeMs ?? tiers[claim.tier]?.fileLife ?? 0;
  attempt.log.info('committing');
  return work.commit(claim, { results, files, manifest, fileLifeMs, log: attempt.entries });
}

async function executeIn(
  worker: Worker,
  attempt: Attempt,
): Promise<{ plan: Plan; results: readonly OutputResult[] } | null> {
  const { claim, stage, lease } = attempt;
  try {
    const plan = claim.plan ?? (await freezePlan(worker, attempt));
    if (!plan) return null;
    const isResumable = plan.live === null;
    if (claim.plan && isResumable) await adoptSegments(stage, earlierStages(attempt));
    // What processes of attempts long given up still write there is of no use to anybody.
    for (const earlier of earlierStages(attempt)) await destinations.download.discard(earlier).catch(() => {});
    if (claim.plan && !isResumable)
      note(attempt, 'anew', 'The source is live: what earlier attempts read is not used.');
    const results = await worker.execute({
      plan: { ...plan, limits: attempt.limits },
      access: attempt.catalog.access(claim.ask.dataset),
      stage,
      recovers: false,
      isResumable,
      signal: lease.signal,
      progress: (progress) => {
        if (lease.tell(progress)) attempt.log.info({ phase: progress.phase }, 'phase');
      },
    });
    return { plan, results };
  } catch (error) {
    throw worker.isAlive || lease.signal.aborted ? error : new ProcessDied(error);
  }
}

/** The stages of earlier attempts, newest first. */
function earlierStages({ dataFolder, claim: { run, attempt } }: Attempt): string[] {
  return Array.from({ length: attempt - 1 }, (_, at) => stageOf({ dataFolder, run, attempt: attempt - 1 - at }));
}

/** The process ended by itself: nobody asked it to. */
class ProcessDied extends Error {
  constructor(cause: unknown) {
    super('The export process died.', { cause });
  }
}

/** Makes the plan of the first attempt and stores it before a row is read. Null when the attempt is void. */
async function freezePlan(worker: Worker, attempt: Attempt): Promise<Plan | null> {
  const { claim, limits, work } = attempt;
  const { dataset, shape, engine } = await describe(worker, attempt);
  const plan = makePlan(claim.ask, {
    dataset,
    scope: scopeOf(dataset, claim.tenant),
    shape,
    engine,
    limits,
    now: claim.createdAt,
    window: claim.window,
    fileStem: claim.ask.fileStem ?? `${dataset.name}-${claim.run}`,
  });
  note(attempt, 'planned', `The plan is frozen: ${plan.source.inputs.length} input files.`);
  attempt.log.info('planned');
  return (await work.storePlan(claim, plan, attempt.entries)) ? plan : null;
}

/** What is wrong with a source is the operator's to know: its words name paths and columns nobody else may see. */
async function describe(worker: Worker, { claim, catalog, lease }: Attempt): Promise<Described> {
  // A source may never answer; then only the end of the process ends the wait.
  using _ = worker.endOn(lease.signal);
  try {
    return await catalog.describe(claim.ask.dataset, worker);
  } catch (error) {
    if (!(error instanceof Fault) || ['internal', 'run.memory', 'dataset.unknown'].includes(error.code)) throw error;
    const [code, message] =
      error.code === 'source.unreachable'
        ? (['source.unreachable', "The dataset's source is not there."] as const)
        : (['source.refused', "The dataset's source cannot be read as it is declared."] as const);
    throw new Fault(code, message, { cause: error });
  }
}

function filesOf({ output, files }: OutputResult): Omit<CommittedFile, 'position'>[] {
  const mediaType = mediaTypeOf(output.compression, formatOf(output.format).mediaType);
  return files.map((file) => ({ ...file, mediaType }));
}

/** The attempt is void: the run was cancelled, or went to another worker. */
async function abandon(attempt: Attempt): Promise<void> {
  attempt.log.info('abandoned');
  await clear(attempt);
}

/** A commit may have come through although its answer was lost; then the stage is not ours to remove. */
async function clear({ work, claim, stage }: Attempt): Promise<void> {
  if (!(await work.isLive(claim))) await destinations.download.discard(stage);
}

async function giveUp(attempt: Attempt, error: unknown): Promise<void> {
  const { claim, log, work, lease, stopping } = attempt;
  if (lease.isLost) return abandon(attempt);
  const ending = endingOf(error, lease, stopping);
  const { detail = '', message } = ending.is === 'failed' ? ending.fault : recordOf(error);
  note(attempt, ending.is, ending.is === 'failed' ? message : `The attempt ended: ${ending.is}.`);
  log.warn({ ending: ending.is, message, detail }, 'attempt ended');
  await work.settle(claim, ending, attempt.entries);
  // What an attempt wrote before it was cut off serves the next one; the sweeper takes it when the run is over.
  if (ending.is === 'failed') await clear(attempt);
}

function endingOf(error: unknown, lease: Lease, stopping: AbortSignal): Ending {
  if (lease.isStalled)
    return { is: 'failed', fault: recordOf(new Fault('source.busy', 'The export made no progress.')) };
  if (stopping.aborted && lease.signal.aborted) return { is: 'released' };
  // Cancelled, but not by its tenant: its process was ended, or nobody could say any more whose the run is.
  const isCancelled = error instanceof Fault && error.code === 'run.cancelled';
  if (error instanceof ProcessDied || isCancelled) return { is: 'died' };
  return { is: 'failed', fault: recordOf(error) };
}

function note({ claim, entries }: Attempt, event: string, text: string): void {
  entries.push({ at: now(), attempt: claim.attempt, event, text });
}
