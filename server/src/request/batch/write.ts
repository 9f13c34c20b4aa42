import type { Job } from '../../job/job.ts';
import type { Run } from '../../run/run.ts';
import type { Asked } from './read.ts';
import { explain } from './refuse.ts';
import type { StatusAnswer } from './schemas.ts';

export interface WriteGround {
  /** ISO instant. */
  readonly now: string;
  /** Where customers reach the dialect. */
  readonly baseUrl: string;
}

/** Ours → theirs. */
export function writeStatus(job: Job, run: Run, { now, baseUrl }: WriteGround): StatusAnswer {
  const { path, body } = job.request as Asked;
  const status = statusOf(run, now);
  const [file] = run.files;
  const root = `/1.0/${job.tenant}`;
  const results = `${baseUrl}${root}/export/request/${job.reference}/results`;
  const hasSucceeded = status === 'SUCCESS' || status === 'EXPIRED';
  return {
    id: job.reference ?? '',
    uri: `${mountOf(baseUrl)}${root}${path}`,
    request_date: writeMoment(job.createdAt),
    file_url: status === 'SUCCESS' && file ? `${results}/${file.path}` : null,
    status,
    completion_date: hasSucceeded && run.finishedAt !== null ? writeMoment(run.finishedAt) : null,
    request: body,
    ...(status === 'ERROR' ? { error_msg: explain(run.error ?? CANCELLED) } : {}),
  };
}

const CANCELLED = { code: 'run.cancelled', message: '' } as const;

/** An attempt that is to be tried again is pending still. */
function statusOf(run: Run, now: string): StatusAnswer['status'] {
  switch (run.state) {
    case 'queued':
      return run.attempt === 0 ? 'CREATED' : 'PENDING';
    case 'running':
    case 'committing':
      return 'PENDING';
    case 'failed':
    case 'cancelled':
      return 'ERROR';
    case 'succeeded':
      return keptFile(run, now) ? 'SUCCESS' : 'EXPIRED';
  }
}

/** The file of a run while it is kept. */
export function keptFile({ files }: Run, now: string): Run['files'][number] | undefined {
  return files.find(({ isRemoved, expiresAt }) => !isRemoved && expiresAt > now);
}

/** UTC to the second, without a zone. */
function writeMoment(instant: string): string {
  return instant.slice(0, 19);
}

/** The path a dialect is reached under. */
function mountOf(baseUrl: string): string {
  return baseUrl.replace(/^https?:\/\/[^/]*/, '');
}
