import { join } from 'node:path';
import type { LiveReader } from '../source/source.ts';
import type { WrittenFile } from './file-sink.ts';
import type { LaneThreads } from './lane-threads.ts';
import type { PlannedEngine } from './open.ts';
import type { Plan, PlannedOutput } from './plan.ts';

/** How far a run is, as far as it can be told. */
export interface Progress {
  readonly phase: 'count' | 'land' | 'sort' | 'encode';
  /** Rows whose bytes are joined. */
  readonly rows: number;
  /** Bytes of finished output. */
  readonly bytes: number;
  /** 0 to 1, or null. */
  readonly fraction: number | null;
}

/** One finished file of an output. */
export interface FileResult extends WrittenFile {
  /** Name, free of folders. */
  readonly path: string;
  /** Rows found in the bytes themselves. */
  readonly rows: number;
}

/** What one output came to, with the rows as they were counted at the three places. */
export interface OutputResult {
  readonly output: PlannedOutput;
  /** Rows that match, counted apart from reading them; null where the source cannot be counted. */
  readonly rowsPlanned: number | null;
  /** Rows the engine, or a live source, says it wrote. */
  readonly rowsRead: number;
  /** Rows found in the bytes themselves. */
  readonly rowsWritten: number;
  /** At least one, in order. */
  readonly files: readonly FileResult[];
  readonly segments: {
    readonly total: number;
    /** Left whole by an attempt that crashed. */
    readonly reused: number;
  };
}

export interface ExecuteAsk {
  readonly plan: Plan;
  /** A folder of the run's own, there already. Finished files go into `files` inside. */
  readonly stage: string;
  /** Opens the plan's live relation; not asked for where the input is files. */
  openLive?(): Promise<LiveReader>;
  /** Whether segments stay, with a record of each, for the attempt that comes after a crash. */
  readonly isResumable?: boolean;
  /** Threads that were started ahead of the plan; whoever gave them ends what is left. */
  readonly laneThreads?: LaneThreads;
  readonly signal: AbortSignal;
  report(progress: Progress): void;
  /** Called when a segment's file is whole, before it is joined. Tests disturb it here. */
  segmentWritten?(path: string): Promise<void>;
}

/** The record that passes through the steps of a run. */
export interface Execution extends ExecuteAsk {
  readonly engine: PlannedEngine;
  readonly laneThreads: LaneThreads;
  /** Null where the input is files. */
  readonly reader: LiveReader | null;
  /** Files a live relation has landed in, one for each segment of the cut; null while it has not. */
  readonly landed: readonly string[] | null;
  /** Rows of those files, as they were told while they landed. */
  readonly rowsLanded: number | null;
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
  return join(segmentsFolder(stage), 'sorted.parquet');
}

/** Where the rows of a live relation land that an engine is to encode. */
export function landedFile(stage: string, segment: number): string {
  return join(stage, 'landed', `${segment}.csv`);
}
