import type { Job } from '../../job/job.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { FileLinks } from '../link.ts';
import { keptFiles, phaseOf } from '../phase.ts';
import type { ExportType } from './fields.ts';
import type { Asked } from './read.ts';
import { explain } from './refuse.ts';
import type { JobAnswer, TaskAnswer, UrlsAnswer } from './schemas.ts';

/** A job with its run. */
interface Telling {
  readonly job: Job;
  readonly run: Run;
}

/** Ours → theirs. */
export function writeJob({ job, run }: Telling): JobAnswer {
  const { jobName, site, account, data } = job.request as Asked;
  const status = statusOf(run);
  return {
    id: job.reference ?? job.id,
    job_name: jobName,
    status,
    source: 'api',
    account,
    site,
    created_by: job.principal,
    active: status !== 'success' && status !== 'failed',
    message: messageOf(run),
    created_time: job.createdAt,
    updated_time: run.finishedAt ?? run.startedAt ?? job.createdAt,
    data: { ...data },
    retry_count: Math.min(MAX_RETRIES, Math.max(0, run.attempt - 1)),
  };
}

/** The older way to look at an export: its files' URLs stand in it. */
export function writeTask({ job, run }: Telling, minting: Minting): TaskAnswer {
  const { id, status, job_name, data } = writeJob({ job, run });
  const links = statusOf(run) === 'success' ? writeUrls({ job, run }, minting).presignedUrls : [];
  return { data: { id, status, job_name, data, links } };
}

export interface Minting {
  readonly links: FileLinks;
  /** ISO instant. */
  readonly now: string;
  readonly lifeMs: number;
}

/** Both published forms at once: all in one list, and a list for each export type. */
export function writeUrls({ job, run }: Telling, minting: Minting): UrlsAnswer {
  const { exportTypes } = job.request as Asked;
  const files = keptFiles(run, minting.now);
  const urlOf = (file: RunFile, name: string) => minting.links(run, file, { name, lifeMs: minting.lifeMs }).url;
  const lists = exportTypes.map((type) => {
    const own = files.filter((file) => typeOf(file) === type);
    return [type, own.map((file, at) => urlOf(file, nameOf(type, job, own.length > 1 ? at + 1 : null)))];
  });
  return { presignedUrls: lists.flatMap(([, urls]) => urls), ...Object.fromEntries(lists) };
}

/** Failure is told where the URLs would be, as a success of the request. */
export function writeFailure(run: Run): UrlsAnswer {
  return { presignedUrls: [], error: messageOf(run) };
}

/** Attempts are five. */
const MAX_RETRIES = 4;

const WORDS = {
  waiting: 'pending',
  retrying: 'scheduled',
  running: 'started',
  succeeded: 'success',
  failed: 'failed',
} as const;

export function statusOf(run: Run): JobAnswer['status'] {
  return WORDS[phaseOf(run)];
}

const MESSAGES = {
  pending: 'Export job is currently pending.',
  scheduled: 'Export job is currently scheduled.',
  started: 'Export job is currently started.',
  success: 'Export job was successful.',
} as const;

function messageOf(run: Run): string {
  const status = statusOf(run);
  if (status !== 'failed') return MESSAGES[status];
  return `Export job failed: ${explain(run.error ?? { code: 'run.cancelled', message: '' })}`;
}

function typeOf({ path }: RunFile): ExportType {
  return path.endsWith('.csv') ? 'clickwrap_activities' : 'clickwrap_activities_as_pdfs';
}

function nameOf(type: ExportType, { reference }: Job, part: number | null): string {
  const ending = type === 'clickwrap_activities' ? 'csv' : 'zip';
  return `${type}-${reference}${part === null ? '' : `-${part}`}.${ending}`;
}
