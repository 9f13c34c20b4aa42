import { rm, stat } from 'node:fs/promises';
import { formatOf } from '../format/formats.ts';
import type { Execution, OutputResult } from './execution.ts';
import { FilesBeside } from './files-beside.ts';
import { inTurn } from './in-turn.ts';
import { type Lane, openLanes, type Segment, segmentsOf } from './lanes.ts';
import { OutputFiles } from './output-files.ts';
import { readPieces } from './pieces.ts';
import { hashPlan, outputColumns, type PlannedOutput } from './plan.ts';
import { findWhole, noteWhole } from './segment-record.ts';

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
  readonly plan: string;
  readonly files: OutputFiles | FilesBeside;
  readonly lanes: readonly Lane[];
  readonly total: number;
  joined: number;
  reused: number;
  rowsRead: number;
}

async function encodeOutput(execution: Execution, output: PlannedOutput): Promise<OutputResult> {
  const plan = hashPlan(execution.plan);
  const segments = segmentsOf(execution, output);
  const failed = new AbortController();
  const ending = AbortSignal.any([execution.signal, failed.signal]);
  await using lanes = await openLanes(execution, output, segments, ending);
  await using files = openFiles(execution, output, { seed: plan, isBusy: lanes.passHere, segments: segments.length });
  const encoding: Encoding = {
    ...{ execution, plan, files, lanes: lanes.each, total: segments.length },
    ...{ joined: 0, reused: 0, rowsRead: 0 },
  };
  report(encoding);
  const timer = setInterval(() => report(encoding), REPORT_MS);
  try {
    await inTurn(segments, lanes.each, {
      start: (segment, lane) => writeSegment(encoding, segment, lane),
      stop: () => failed.abort(),
      finish: (segment, rows) => joinSegment(encoding, segment, rows),
      signal: execution.signal,
    });
    const { rowsRead, total, reused } = encoding;
    const finished = await files.finish();
    const counts = { rowsPlanned: execution.rowsPlanned, rowsRead, rowsWritten: files.rows };
    return { output, ...counts, files: finished, segments: { total, reused } };
  } finally {
    clearInterval(timer);
  }
}

interface Joining {
  readonly seed: string;
  /** Whether the rows that come keep this thread busy. */
  readonly isBusy: boolean;
  readonly segments: number;
}

/** Text is joined beside where this thread is busy and there is enough of it to be worth another. */
function openFiles(
  { plan, stage, signal }: Execution,
  output: PlannedOutput,
  { seed, isBusy, segments }: Joining,
): OutputFiles | FilesBeside {
  const { by } = formatOf(output.format).joining(outputColumns(plan.query, output), seed);
  const isBeside = by === 'text' && isBusy && segments >= SEGMENTS_BESIDE;
  return new (isBeside ? FilesBeside : OutputFiles)({ plan, stage, seed, signal }, output);
}

async function writeSegment(encoding: Encoding, segment: Segment, lane: Lane): Promise<number> {
  const { execution, plan } = encoding;
  if (!execution.isResumable) return lane.write(segment);
  const whole = await findWhole(segment.path, plan);
  if (whole !== null) {
    encoding.reused++;
    return whole;
  }
  const rows = await lane.write(segment);
  await noteWhole(segment.path, plan, rows);
  return rows;
}

async function joinSegment(encoding: Encoding, { path, writing }: Segment, rows: number): Promise<void> {
  const { execution, files } = encoding;
  await execution.segmentWritten?.(path);
  const bytes = writing.piecesLevel === null ? (await stat(path)).size : (await readPieces(path)).textBytes;
  await files.append({ path, rows, bytes });
  if (!execution.isResumable) await rm(path);
  encoding.rowsRead += rows;
  encoding.joined++;
}

function report({ execution, files, lanes, joined, total }: Encoding): void {
  const { rowsPlanned, rowsSorted } = execution;
  const { rows, bytes } = files;
  const running = lanes.reduce((sum, lane) => sum + (lane.fraction() ?? 0), 0);
  const known = rowsPlanned ?? rowsSorted;
  const fraction = known ? rows / known : Math.min(joined + running, total) / total;
  execution.report({ phase: 'encode', rows, bytes, fraction: rowsSorted === null ? fraction : 0.5 + fraction / 2 });
}
