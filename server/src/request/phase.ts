import type { Run, RunFile } from '../run/run.ts';

/** Where an export stands, for dialects to put into their words: `retrying` waits for another attempt. */
export type Phase = 'waiting' | 'retrying' | 'running' | 'succeeded' | 'failed';

export function phaseOf({ state, attempt }: Pick<Run, 'state' | 'attempt'>): Phase {
  switch (state) {
    case 'queued':
      return attempt === 0 ? 'waiting' : 'retrying';
    case 'running':
    case 'committing':
      return 'running';
    case 'succeeded':
      return 'succeeded';
    case 'failed':
    case 'cancelled':
      return 'failed';
  }
}

/** The files of a run that can be had still; one that succeeded and has none has expired. */
export function keptFiles({ files }: Pick<Run, 'files'>, now: string): RunFile[] {
  return files.filter((file) => isKept(file, now));
}

export function isKept({ isRemoved, expiresAt }: Pick<RunFile, 'isRemoved' | 'expiresAt'>, now: string): boolean {
  return !isRemoved && expiresAt > now;
}
