import { RunFailedError } from './errors.ts';
import { pause } from './retry.ts';
import type { Answer } from './transport.ts';
import type { Run } from './wire.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_BACKOFF_MS = 5_000;
const LONGEST_WAIT_MS = 30_000;

export interface WaitOptions {
  /** Ends the waiting, not the run: rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with what was seen at every look, the last included. */
  readonly onProgress?: (run: Run) => void;
}

/**
 * Looks until the run succeeded: as often as the server says at first, then less and less down to
 * every 5 s. Throws RunFailedError when the run failed or was cancelled.
 */
export async function untilSucceeded(
  look: () => Promise<Answer<Run>>,
  { signal, onProgress }: WaitOptions,
): Promise<Run> {
  for (let looked = 0; ; looked++) {
    const { body: run, retryAfterMs } = await look();
    signal?.throwIfAborted();
    onProgress?.(run);
    if (run.state === 'succeeded') return run;
    if (run.state === 'failed' || run.state === 'cancelled') throw new RunFailedError(run);
    await pause(waitAfter(looked, retryAfterMs), signal);
  }
}

function waitAfter(looked: number, retryAfterMs = FIRST_WAIT_MS): number {
  const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_WAIT_MS * 1.25 ** looked);
  return Math.min(LONGEST_WAIT_MS, Math.max(retryAfterMs, backoffMs));
}
