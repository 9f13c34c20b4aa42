import { rm, stat } from 'node:fs/promises';
import { formatOf } from '../format/formats.ts';
import type { Engine } from '../source/engine.ts';
import type { Execution, OutputResult } from './execution.ts';
import { FilesBeside } from './files-beside.ts';
import { inTurn } from './in-turn.ts';
import { type Lane, needsEngine, openLanes, type Segment, segmentsOf } from './lanes.ts';
import { interrupting } from './open.ts';
import { OutputFiles } from './output-files.ts';
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
  const { plan, signal } = execution;
  const isEngineWanted = plan.outputs.some((output) => needsEngine(plan, output));
  const engine = isEngineWanted ? await execution.engine.withThreads(1) : null;
  using _ = engine && interrupting(signal, engine);
  const results: OutputResult[] = [];
  for (const output of plan.outputs) results.push(await encodeOutput(execution, output, engine));
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

async function encodeOutput(execution: Execution, output: PlannedOutput, engine: Engine | null): Promise<OutputResult> {
  const plan = hashPlan(execution.plan);
  const segments = segmentsOf(execution, output);
  const lanes = await openLanes(execution, output, engine, segments.length);
  await using files = openFiles(execution, output, { seed: plan, segments: segments.length });
  const encoding: Encoding = {
    ...{ execution, plan, files, lanes, total: segments.length },
    ...{ joined: 0, reused: 0, rowsRead: 0 },
  };
  report(encoding);
  const timer = setInterval(() => report(encoding), REPORT_MS);
  try {
    await inTurn(segments, lanes, {
      start: (segment, lane) => writeSegment(encoding, segment, lane),
      stop: () => engine?.interrupt(),
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

/** Text is joined beside the writing where there is enough of it to be worth a thread. */
function openFiles(
  { plan, stage, signal }: Execution,
  output: PlannedOutput,
  { seed, segments }: { readonly seed: string; readonly segments: number },
): OutputFiles | FilesBeside {
  const { by } = formatOf(output.format).joining(outputColumns(plan.query, output), seed);
  const isBeside = by === 'text' && plan.limits.threads > 1 && segments >= SEGMENTS_BESIDE;
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

async function joinSegment(encoding: Encoding, { path }: Segment, rows: number): Promise<void> {
  const { execution, files } = encoding;
  await execution.segmentWritten?.(path);
  const { size } = await stat(path);
  await files.append({ path, rows, bytes: size });
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
