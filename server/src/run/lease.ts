import { ticks } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Progress } from './execution.ts';
import type { Claim } from './settle-queries.ts';
import { LEASE_MS, type Work } from './work-queries.ts';

/** Also how long a cancel by another process goes unseen. */
const RENEW_MS = 1500;

/** Counting a large table tells nothing on the way; after this long it is taken for stuck. */
const STALL_MS = 30 * 60_000;

export interface LeaseGround {
  readonly work: Work;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/** Keeps an attempt's lease alive while it is worked on, until disposed. */
export interface Lease extends Disposable {
  /** Fires when the work has to end: the attempt is void, stuck, or the server gives it back. */
  readonly signal: AbortSignal;
  /** The attempt is not the current one any more. */
  readonly isLost: boolean;
  readonly isStalled: boolean;
  /** Takes progress, for the next renewal, and tells whether a new phase began. */
  tell(progress: Progress): boolean;
}

const NO_PROGRESS = { phase: 'count', rows: 0, bytes: 0, fraction: null } as const;

export function keepLease(claim: Claim, { work, stopping, log }: LeaseGround): Lease {
  const ending = new AbortController();
  const state = {
    isLost: false,
    isStalled: false,
    progress: NO_PROGRESS as Progress,
    movedAt: ticks(),
    renewedAt: ticks(),
  };
  let phase: Progress['phase'] | null = null;
  const timer = everyTime(async () => {
    // Another may have the run by now: to go on would be work for nothing.
    if (ticks() - state.renewedAt > LEASE_MS) ending.abort();
    if (ticks() - state.movedAt > STALL_MS) state.isStalled = true;
    else if (await work.renew(claim, state.progress)) {
      state.renewedAt = ticks();
      return;
    } else state.isLost = true;
    ending.abort();
  }, log);
  return {
    signal: AbortSignal.any([ending.signal, stopping]),
    get isLost() {
      return state.isLost;
    },
    get isStalled() {
      return state.isStalled;
    },
    tell(progress) {
      if (isAhead(progress, state.progress)) state.movedAt = ticks();
      state.progress = progress;
      const isNew = progress.phase !== phase;
      phase = progress.phase;
      return isNew;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Never two at a time: on a network that hangs they would pile up. */
function everyTime(renew: () => Promise<void>, log: Log): NodeJS.Timeout {
  let isRenewing = false;
  return setInterval(() => {
    if (isRenewing) return;
    isRenewing = true;
    renew()
      .catch((error: unknown) => log.error({ err: error }, 'lease not renewed'))
      .finally(() => {
        isRenewing = false;
      });
  }, RENEW_MS);
}

function isAhead(progress: Progress, before: Progress): boolean {
  return (
    progress.phase !== before.phase ||
    progress.rows !== before.rows ||
    progress.bytes !== before.bytes ||
    progress.fraction !== before.fraction
  );
}
