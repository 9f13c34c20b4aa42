import type { Session } from '../source/engine.ts';
import type { LiveReader, Piece } from '../source/source.ts';
import { type Execution, landedFile } from './execution.ts';
import { LaneBeside } from './lane-beside.ts';
import { landAndCopy, straightOptions, straightRead } from './live.ts';
import { interrupting } from './open.ts';
import type { Plan, PlannedOutput } from './plan.ts';
import { type Writing, writingsOf } from './segment-sql.ts';
import { writeRows } from './write-rows.ts';

/** One segment of an output: what is to be written where. */
export interface Segment {
  readonly at: number;
  /** Its file in the stage. */
  readonly path: string;
  readonly writing: Writing;
  /** The piece of a live relation it is made of; null for others. */
  readonly piece: Piece | null;
}

/** Writes one segment at a time. */
export interface Lane {
  /** Gives the rows as the engine or the live source tells them. */
  write(segment: Segment): Promise<number>;
  /** Share of the running segment that is done, 0 to 1; null when it cannot be told. */
  fraction(): number | null;
}

export function segmentsOf(execution: Execution, output: PlannedOutput): Segment[] {
  const { cut, live } = execution.plan;
  return writingsOf(execution, output).map((writing, at) => ({
    at,
    path: writing.path,
    writing,
    piece: live !== null && cut.by === 'pieces' ? (cut.segments[at] ?? null) : null,
  }));
}

/** The lanes of one output. Dispose ends what they work with, once nothing is under way. */
export interface Lanes extends AsyncDisposable {
  readonly each: readonly Lane[];
  /** Whether rows pass through the JavaScript of this thread on their way into segments. */
  readonly passHere: boolean;
}

/** A thread and its engine take 100 ms to start and 50 MB: so many segments are worth them. */
const SEGMENTS_BESIDE = 4;

/** As many lanes as work side by side on an output. When the signal fires, what is under way ends soon. */
export async function openLanes(
  execution: Execution,
  output: PlannedOutput,
  segments: readonly Segment[],
  signal: AbortSignal,
): Promise<Lanes> {
  const { plan, reader } = execution;
  const live = plan.live !== null && plan.live.landing === null ? reader : null;
  if (live !== null && straightOptions(plan, output) !== null) return straightLanes(plan, output, live);
  const count = Math.min(live?.lanes.length ?? plan.limits.threads, segments.length);
  const isScanned = typeof segments[0]?.writing.written === 'object';
  if (live === null && isScanned && count > 1 && segments.length >= SEGMENTS_BESIDE)
    return lanesBeside(execution, count, signal);
  return engineLanes(execution, { live, count, signal });
}

function straightLanes(plan: Plan, output: PlannedOutput, live: LiveReader): Lanes {
  const { delimiter = ',', nullText = '' } = straightOptions(plan, output) ?? {};
  const each = live.lanes.map<Lane>((lane) => ({
    write: ({ path, piece }) =>
      lane.copy(straightRead(plan, piece), { path, text: 'plain', delimiter, nullText: nullText ?? '' }),
    fraction: () => null,
  }));
  return { each, passHere: true, [Symbol.asyncDispose]: async () => {} };
}

/** Each has its share of the memory that the run may take. */
async function lanesBeside({ engine, plan, stage }: Execution, count: number, signal: AbortSignal): Promise<Lanes> {
  // None is left over for the engine that counted.
  await engine[Symbol.asyncDispose]();
  const limits = { threads: 1, memoryBytes: Math.floor(plan.limits.memoryBytes / count) };
  const opened = new AsyncDisposableStack();
  const each = Array.from({ length: count }, () => opened.use(new LaneBeside({ ...plan, limits }, stage, signal)));
  return { each, passHere: false, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

interface EngineLanes {
  /** Null where the engine reads what the plan names. */
  readonly live: LiveReader | null;
  readonly count: number;
  readonly signal: AbortSignal;
}

async function engineLanes(execution: Execution, { live, count, signal }: EngineLanes): Promise<Lanes> {
  const engine = await execution.engine.withThreads(1);
  const sessions = await Promise.all(Array.from({ length: count }, () => engine.session()));
  const each = sessions.map((session, at) => (live ? landingLane(execution, live, at, session) : engineLane(session)));
  const opened = new AsyncDisposableStack();
  opened.use(interrupting(signal, engine));
  return { each, passHere: live !== null, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function engineLane(session: Session): Lane {
  return { write: ({ writing }) => writeRows(session, writing), fraction: () => session.fraction() };
}

function landingLane({ plan, stage }: Execution, live: LiveReader, at: number, session: Session): Lane {
  const lane = live.lanes[at];
  return {
    write: ({ at: segment, piece, writing }) => {
      if (!lane || !piece) throw new Error('A live relation is read by pieces, a connection each.');
      return landAndCopy({ lane, session }, plan, piece, { landed: landedFile(stage, segment), writing });
    },
    fraction: () => null,
  };
}
