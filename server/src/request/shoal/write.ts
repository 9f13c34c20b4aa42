import type { JobWithRun } from '../../run/queries.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { FileLinks } from '../link.ts';
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
    expiresAt: file ? endOf(file) : null,
    error: errorOf(run),
    createdAt: job.createdAt,
    updatedAt: updatedAt(job.createdAt, run, stage),
  };
}

type Stage = 'requested' | keyof ShoalOptions['statuses'];

function stageOf({ state, startedAt, files: [file] }: Run, now: string): Stage {
  if (state === 'succeeded') return file && (file.isRemoved || endOf(file) <= now) ? 'expired' : 'completed';
  if (state === 'failed' || state === 'cancelled') return 'failed';
  // A run that waits for another attempt was begun already.
  return startedAt === null ? 'requested' : 'processing';
}

/** Links live by whole seconds, so the job says the second. */
function endOf({ expiresAt }: RunFile): string {
  return new Date(Math.floor(Date.parse(expiresAt) / 1000) * 1000).toISOString();
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
  if (stage === 'expired' && file) return endOf(file);
  return finishedAt ?? startedAt ?? createdAt;
}
