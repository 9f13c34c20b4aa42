import type { Job } from '../../job/job.ts';
import type { Run } from '../../run/run.ts';
import { keptFiles, phaseOf } from '../phase.ts';
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

const WORDS = { waiting: 'CREATED', retrying: 'PENDING', running: 'PENDING', failed: 'ERROR' } as const;

function statusOf(run: Run, now: string): StatusAnswer['status'] {
  const phase = phaseOf(run);
  if (phase !== 'succeeded') return WORDS[phase];
  return keptFiles(run, now).length > 0 ? 'SUCCESS' : 'EXPIRED';
}

/** UTC to the second, without a zone. */
function writeMoment(instant: string): string {
  return instant.slice(0, 19);
}

/** The path a dialect is reached under. */
function mountOf(baseUrl: string): string {
  return baseUrl.replace(/^https?:\/\/[^/]*/, '');
}
