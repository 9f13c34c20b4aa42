import { join } from 'node:path';
import type { Plan, PlannedOutput } from './plan.ts';

/** How far a run is, as far as it can be told. */
export interface Progress {
  readonly phase: 'count' | 'sort' | 'encode';
  /** Rows whose bytes are joined. */
  readonly rows: number;
  /** Bytes of finished output. */
  readonly bytes: number;
  /** 0 to 1, or null. */
  readonly fraction: number | null;
}

/** What one output came to, with the rows as they were counted at the three places. */
export interface OutputResult {
  readonly output: PlannedOutput;
  /** Rows that match, counted apart from reading them; null where the source cannot be counted. */
  readonly rowsPlanned: number | null;
  /** Rows the engine says it wrote. */
  readonly rowsRead: number;
  /** Rows found in the bytes themselves. */
  readonly rowsWritten: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The record that passes through the steps of a run. */
export interface Execution {
  readonly plan: Plan;
  /** A folder of the run's own. Finished files go into `files` inside. */
  readonly stage: string;
  readonly signal: AbortSignal;
  report(progress: Progress): void;
  /** Called when a segment's file is whole, before it is joined. Tests disturb it here. */
  segmentWritten?(path: string): Promise<void>;
  readonly rowsPlanned: number | null;
  /** Rows of the staged sorted file; null when the input is not staged. */
  readonly rowsSorted: number | null;
  readonly results: readonly OutputResult[];
}

export type Step = (execution: Execution) => Promise<Execution>;

/** Where finished files stand until they are published. */
export function filesFolder(stage: string): string {
  return join(stage, 'files');
}

/** Where segments stand until they are joined. */
export function segmentsFolder(stage: string): string {
  return join(stage, 'segments');
}

export function sortedFile(stage: string): string {
  return join(stage, 'sorted.parquet');
}
