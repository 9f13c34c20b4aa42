import { rm, stat } from 'node:fs/promises';
import { Fault } from '../base/errors.ts';
import { formatOf } from '../format/formats.ts';
import { isLanded } from '../source/relation.ts';
import type { Execution, OutputResult } from './execution.ts';
import { FilesBeside } from './files-beside.ts';
import { inTurn } from './in-turn.ts';
import { type Lane, liveReader, openLanes, type Segment, segmentsOf } from './lanes.ts';
import { OutputFiles } from './output-files.ts';
import { hashPlan, outputColumns, type PlannedOutput } from './plan.ts';
import { findWhole, noteWhole } from './segment-record.ts';
import type { Written } from './write-rows.ts';
import { readZstdSegment } from './zstd-segment.ts';

/** Progress is told this often at most. */
const REPORT_MS = 250;

/** A thread takes 50 ms to start and 15 MB. */
const SEGMENTS_BESIDE = 4;

/**
 * Writes every output. A segment is one COPY or scan on one thread; as many run side by side as the plan has
 * threads. One thread a COPY makes the bytes independent of timing (with several, Parquet row groups
 * of filtered rows came out differently), keeps memory flat, and leaves no core idle.
 */
export async function encodeOutputs(execution: Execution): Promise<Execution> {
  const results: OutputResult[] = [];
  for (const output of execution.plan.outputs) results.push(await encodeOutput(execution, output));
  return { ...execution, results };
}

/** What an output has come to so far. */
interface Encoding {
  readonly execution: Execution;
  readonly output: PlannedOutput;
  readonly plan: string;
  readonly files: OutputFiles | FilesBeside;
  readonly segments: readonly Segment[];
  lanes: readonly Lane[];
  /** Stays so when joining fails: the files then hold a part of a segment. */
  isJoining: boolean;
  joined: number;
  reused: number;
  rowsRead: number;
}

async function encodeOutput(execution: Execution, output: PlannedOutput): Promise<OutputResult> {
  const plan = hashPlan(execution.plan);
  const segments = segmentsOf(execution, output);
  await using files = openFiles(execution, output, { seed: plan, segments: segments.length });
  const begun = { lanes: [], isJoining: false, joined: 0, reused: 0, rowsRead: 0 };
  const encoding: Encoding = { execution, output, plan, files, segments, ...begun };
  report(encoding);
  const timer = setInterval(() => report(encoding), REPORT_MS);
  try {
    await writeSegments(encoding);
    const { rowsRead, reused } = encoding;
    const finished = await files.finish();
    const counts = { rowsPlanned: execution.rowsPlanned, rowsRead, rowsWritten: files.rows };
    return { output, ...counts, files: finished, segments: { total: segments.length, reused } };
  } finally {
    clearInterval(timer);
  }
}

/** Rows that come from a live source, or that land, keep this thread busy: text is joined beside where there is enough to be worth it. */
function openFiles(
  execution: Execution,
  output: PlannedOutput,
  { seed, segments }: { readonly seed: string; readonly segments: number },
): OutputFiles | FilesBeside {
  const { plan, stage, signal } = execution;
  const { by } = formatOf(output.format).joining(outputColumns(plan.query, output), seed);
  const isBusy = liveReader(execution) !== null || isLanded(plan.source);
  const isBeside = by === 'text' && segments >= SEGMENTS_BESIDE && isBusy;
  return new (isBeside ? FilesBeside : OutputFiles)({ plan, stage, seed, signal }, output);
}

/** Where little memory turns out to be too little, what is not joined yet is written with all. */
async function writeSegments(encoding: Encoding): Promise<void> {
  for (const memory of ['little', 'all'] as const) {
    const { execution, output } = encoding;
    const segments = encoding.segments.slice(encoding.joined);
    const failed = new AbortController();
    const signal = AbortSignal.any([execution.signal, failed.signal]);
    await using lanes = await openLanes(execution, output, { segments, memory, signal });
    encoding.lanes = lanes.each;
    try {
      return await inTurn(segments, lanes.each, {
        start: (segment, lane) => writeSegment(encoding, segment, lane),
        leave: (lane) => lane.leave?.(),
        stop: () => failed.abort(),
        finish: (segment, written) => joinSegment(encoding, segment, written),
        signal: execution.signal,
      });
    } catch (error) {
      const lacksMemory = error instanceof Fault && error.code === 'run.memory';
      if (!lacksMemory || lanes.hasAllMemory || encoding.isJoining) throw error;
    }
  }
}

async function writeSegment(encoding: Encoding, segment: Segment, lane: Lane): Promise<Written> {
  const { execution, plan } = encoding;
  if (!execution.isResumable) return lane.write(segment);
  const whole = await findWhole(segment.path, plan);
  if (whole !== null) {
    encoding.reused++;
    return { rows: whole, held: null };
  }
  const written = await lane.write(segment);
  await noteWhole(segment.path, plan, written.rows);
  return written;
}

async function joinSegment(encoding: Encoding, segment: Segment, { rows, held }: Written): Promise<void> {
  const { execution, files } = encoding;
  encoding.isJoining = true;
  const { path } = segment;
  await execution.segmentWritten?.(path);
  const bytes = held === null ? await textBytes(segment) : held.textBytes;
  await files.append({ path, rows, bytes, held });
  if (!execution.isResumable && held === null) await rm(path);
  encoding.rowsRead += rows;
  encoding.joined++;
  encoding.isJoining = false;
}

async function textBytes({ path, writing }: Segment): Promise<number> {
  return writing.zstdLevel === null ? (await stat(path)).size : (await readZstdSegment(path)).textBytes;
}

function report({ execution, files, lanes, joined, segments }: Encoding): void {
  const { rowsPlanned, rowsSorted } = execution;
  const { rows, bytes } = files;
  const running = lanes.reduce((sum, lane) => sum + (lane.fraction() ?? 0), 0);
  const known = rowsPlanned ?? rowsSorted;
  const fraction = known ? rows / known : Math.min(joined + running, segments.length) / segments.length;
  execution.report({ phase: 'encode', rows, bytes, fraction: rowsSorted === null ? fraction : 0.5 + fraction / 2 });
}
