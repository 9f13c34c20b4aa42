import { type FaultRecord, kindOf } from '../base/errors.ts';

/** How an attempt ended without reaching its commit. */
export type Ending =
  | { readonly is: 'failed'; readonly fault: FaultRecord }
  /** Its process is gone, and nobody knows why. */
  | { readonly is: 'died' }
  /** The server stopped and gave the run back. */
  | { readonly is: 'released' };

/** How often a run was tried in vain. */
export interface Tries {
  readonly failures: number;
  readonly deaths: number;
}

/** What becomes of a run after an attempt that did not commit. */
export type Outcome =
  | { readonly state: 'queued'; readonly waitMs: number; readonly tries: Tries; readonly fault: FaultRecord | null }
  | { readonly state: 'failed'; readonly tries: Tries; readonly fault: FaultRecord };

const MAX_FAILURES = 5;
/** Counted apart: a process that dies may have been killed for another run's sake. */
const MAX_DEATHS = 10;

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/** What comes next, from the tries before this ending. `random` is 0 to 1 and spreads retries by a quarter. */
export function outcomeOf(tries: Tries, ending: Ending, random: number): Outcome {
  if (ending.is === 'released') return { state: 'queued', waitMs: 0, tries, fault: null };
  if (ending.is === 'died') {
    const counted = { ...tries, deaths: tries.deaths + 1 };
    if (counted.deaths >= MAX_DEATHS) return { state: 'failed', tries: counted, fault: DIED };
    return {
      state: 'queued',
      waitMs: counted.deaths === 1 ? 0 : waitMs(counted.deaths - 1, random),
      tries: counted,
      fault: null,
    };
  }
  const counted = { ...tries, failures: tries.failures + 1 };
  const { fault } = ending;
  const isOver = !kindOf(fault.code).retry || counted.failures >= MAX_FAILURES;
  if (isOver) return { state: 'failed', tries: counted, fault };
  return { state: 'queued', waitMs: waitMs(counted.failures, random), tries: counted, fault };
}

const DIED: FaultRecord = {
  code: 'internal',
  message: `The export was given up after its process ended unexpectedly ${MAX_DEATHS} times.`,
};

function waitMs(count: number, random: number): number {
  const doubled = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - 1));
  return Math.round(doubled * (0.75 + random / 2));
}
