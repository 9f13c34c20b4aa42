import type { JobWithRun } from '../../run/queries.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { FileLinks } from '../link.ts';
import { keptFiles, phaseOf } from '../phase.ts';
import type { ShoalOptions } from './options.ts';
import type { Requested } from './read.ts';
import { explain } from './refuse.ts';
import type { ExportJob } from './schemas.ts';

export interface WriteGround {
  /** ISO instant. */
  readonly now: string;
  readonly options: ShoalOptions;
  readonly linkTo: FileLinks;
}

/** Ours → theirs. */
export function writeJob({ job, run }: JobWithRun, ground: WriteGround): ExportJob {
  const { scope, format, requestedParams, note } = job.request as Requested;
  const stage = stageOf(run, ground.now);
  const [file] = run.files;
  return {
    id: job.reference ?? job.id,
    appUserId: job.tenant,
    apiKeyId: job.principal,
    scope,
    format,
    status: stage === 'requested' ? stage : ground.options.statuses[stage],
    requestedParams,
    note,
    downloadUrl: file && stage === 'completed' ? linkOf(run, file, ground) : null,
    expiresAt: file?.expiresAt ?? null,
    error: errorOf(run),
    createdAt: job.createdAt,
    updatedAt: updatedAt(job.createdAt, run, stage),
  };
}

type Stage = 'requested' | keyof ShoalOptions['statuses'];

function stageOf(run: Run, now: string): Stage {
  const phase = phaseOf(run);
  if (phase === 'succeeded') return keptFiles(run, now).length > 0 ? 'completed' : 'expired';
  if (phase === 'failed') return phase;
  return phase === 'waiting' ? 'requested' : 'processing';
}

/** As long as its file, so that it is the same whenever the same key looks. */
function linkOf(run: Run, file: RunFile, { linkTo, now }: WriteGround): string {
  return linkTo(run, file, { lifeMs: Date.parse(file.expiresAt) - Date.parse(now) }).url;
}

function errorOf({ state, error }: Run): string | null {
  if (state === 'cancelled') return 'The export was cancelled.';
  return state === 'failed' ? (error ? explain(error) : 'The export failed.') : null;
}

function updatedAt(createdAt: string, { startedAt, finishedAt, files: [file] }: Run, stage: Stage): string {
  if (stage === 'expired' && file) return file.expiresAt;
  return finishedAt ?? startedAt ?? createdAt;
}
