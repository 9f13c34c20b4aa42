import { mkdir } from 'node:fs/promises';
import { Fault, isSystemError } from '../base/errors.ts';
import { querySql } from '../dataset/query.ts';
import { checkPins } from '../source/pins.ts';
import { relationSql } from '../source/relation.ts';
import { encodeOutputs } from './encode.ts';
import {
  type ExecuteAsk,
  type Execution,
  filesFolder,
  type OutputResult,
  type Step,
  segmentsFolder,
  sortedFile,
} from './execution.ts';
import { landWhole, placed } from './land.ts';
import { LaneThreads } from './lane-threads.ts';
import { openLanesAhead } from './lanes.ts';
import { landingRead, landRows } from './live.ts';
import { locateRefusal } from './locate.ts';
import { interrupting, PlannedEngine } from './open.ts';
import { hasEveryRow, hashPlan, type Plan, wholeOf } from './plan.ts';
import { findWhole, noteWhole } from './segment-record.ts';

/** What a run does, top to bottom. */
export const STEPS = {
  checkInput,
  landRows,
  countRows,
  sortRows,
  encodeOutputs,
  recheckInput: checkInput,
  judgeCounts,
} as const;

/**
 * Carries a plan out into `stage`. Nothing outside of it is written. Resolves only when every count
 * agrees and the input is still as it was pinned; throws a Fault otherwise.
 */
export async function execute(
  ask: ExecuteAsk,
  steps: readonly Step[] = Object.values(STEPS),
): Promise<readonly OutputResult[]> {
  return (await carryOut(ask, steps)).results;
}

/** The rows of the plan's query, counted in the input as it was pinned. Throws what `execute` throws. */
export async function countMatches(ask: ExecuteAsk): Promise<number> {
  const { rowsPlanned } = await carryOut(ask, [checkInput, landRows, landWhole, count, checkInput]);
  if (rowsPlanned === null) throw new Error('Nothing was counted.');
  return rowsPlanned;
}

async function carryOut(ask: ExecuteAsk, steps: readonly Step[]): Promise<Execution> {
  await mkdir(filesFolder(ask.stage), { recursive: true });
  await mkdir(segmentsFolder(ask.stage), { recursive: true });
  await using engine = new PlannedEngine(ask.plan, ask.stage);
  const nothing = { reader: null, landed: null, rowsLanded: null, rowsPlanned: null, rowsSorted: null, results: [] };
  let execution: Execution = { laneThreads: new LaneThreads(), ...ask, engine, ...nothing };
  try {
    await using reader = ask.plan.live === null ? null : await openLive(ask);
    execution = { ...execution, reader };
    for (const step of steps) {
      if (ask.signal.aborted) throw new Fault('run.cancelled', 'The run was cancelled.');
      execution = await step(execution);
    }
  } catch (error) {
    throw await explain(error, execution);
  }
  return execution;
}

function openLive({ openLive: open }: ExecuteAsk) {
  if (!open) throw new Error('A live relation needs its connections.');
  return open();
}

/** A changed input explains whatever else went wrong, so it is looked for first. */
async function explain(error: unknown, execution: Execution): Promise<unknown> {
  if (execution.signal.aborted) return new Fault('run.cancelled', 'The run was cancelled.', { cause: error });
  if (isSystemError(error, 'ENOSPC') || isSystemError(error, 'EFBIG') || isSystemError(error, 'EDQUOT')) {
    return new Fault('destination.full', 'There is no room left to write the export.', { cause: error });
  }
  try {
    await checkPins(execution.plan.source.inputs);
  } catch (changed) {
    return changed;
  }
  return error instanceof Fault && error.code === 'value.refused' ? locateRefusal(error, execution) : error;
}

async function checkInput(execution: Execution): Promise<Execution> {
  await checkPins(execution.plan.source.inputs);
  return execution;
}

/** Counted apart from reading, where that is not reading it all twice. */
async function countRows(execution: Execution): Promise<Execution> {
  openLanesAhead(execution);
  return execution.plan.source.countable ? count(execution) : execution;
}

/** By a live source itself where its rows are the query's own, else by the engine. */
async function count(execution: Execution): Promise<Execution> {
  const { plan, reader } = execution;
  execution.report({ phase: 'count', rows: 0, bytes: 0, fraction: null });
  if (reader !== null && plan.live?.isExact && !plan.query.distinct) {
    const matching = await reader.count(landingRead(plan, null));
    return { ...execution, rowsPlanned: Math.min(matching, plan.query.limit ?? matching) };
  }
  const engine = await execution.engine.with(countingThreads(plan));
  using _ = interrupting(execution.signal, engine);
  using session = await engine.session();
  const select = querySql({ ...plan.query, orderBy: null }, relationOf(execution));
  const { rows } = await session.read(`select count(*) from (${select})`);
  return { ...execution, rowsPlanned: Number(rows[0]?.[0]) };
}

/** A single segment is little, and the engine that counts it encodes it, too. */
function countingThreads({ cut, limits }: Plan): number {
  return cut.by === 'pieces' && cut.segments.length === 1 ? 1 : limits.threads;
}

/** An ordered query is sorted once, by all threads, into one staged file whose rows are then cut into segments. */
async function sortRows(execution: Execution): Promise<Execution> {
  const { plan, stage } = execution;
  if (plan.cut.by === 'pieces') return execution;
  const path = sortedFile(stage);
  const whole = execution.isResumable ? await findWhole(path, hashPlan(plan)) : null;
  if (whole !== null) return { ...execution, rowsSorted: whole };
  const landed = await landWhole(execution);
  const engine = await execution.engine.with(plan.limits.threads);
  using _ = interrupting(execution.signal, engine);
  using session = await engine.session();
  const timer = setInterval(
    () => execution.report({ phase: 'sort', rows: 0, bytes: 0, fraction: half(session.fraction()) }),
    250,
  );
  try {
    const select = querySql(plan.query, relationOf(landed));
    const rowsSorted = await session.copy({ select, path, options: 'format parquet, compression snappy' });
    if (execution.isResumable) await noteWhole(path, hashPlan(plan), rowsSorted);
    return { ...landed, rowsSorted };
  } catch (error) {
    throw placed(error, plan, wholeOf(plan.source.inputs));
  } finally {
    clearInterval(timer);
  }
}

/** Sorting is counted as the first half of the work. */
function half(fraction: number | null): number | null {
  return fraction === null ? null : fraction / 2;
}

/** Success is never short: the counts agree, or there is no success. */
async function judgeCounts(execution: Execution): Promise<Execution> {
  const { plan, rowsLanded, results } = execution;
  const landed = hasEveryRow(plan) ? rowsLanded : null;
  for (const { output, rowsPlanned, rowsRead, rowsWritten } of results) {
    const wanted = rowsPlanned ?? landed;
    if (rowsRead === rowsWritten && (wanted === null || wanted === rowsRead)) continue;
    const planned = wanted === null ? '' : `${wanted} planned, `;
    throw new Fault(
      'run.short',
      `The rows of ${output.path} do not agree: ${planned}${rowsRead} read, ${rowsWritten} written.`,
    );
  }
  return execution;
}

function relationOf({ plan, landed }: Execution): string {
  return relationSql(plan.source, plan.relation, null, landed ?? []);
}
