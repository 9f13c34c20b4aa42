import type { Session } from '../source/engine.ts';
import type { LiveReader, LiveTarget, Piece } from '../source/source.ts';
import { type Execution, landedFile } from './execution.ts';
import { writeSegment } from './land.ts';
import type { LaneGround } from './lane-beside.ts';
import { mostBeside } from './lane-threads.ts';
import { landAndCopy } from './live.ts';
import { interrupting } from './open.ts';
import type { Plan, PlannedOutput } from './plan.ts';
import { type Writing, writingsOf } from './segment-sql.ts';
import { straightRead, straightRows } from './straight.ts';
import type { Written } from './write-rows.ts';

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
  write(segment: Segment): Promise<Written>;
  /** Share of the running segment that is done, 0 to 1; null when it cannot be told. */
  fraction(): number | null;
  /** No segment comes any more: it may end what it works with. */
  leave?(): void;
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
  /** Whether an engine of theirs has all memory that the run may take. */
  readonly hasAllMemory: boolean;
}

export interface LanesAsk {
  readonly segments: readonly Segment[];
  /** `little` for lanes that share memory or leave some, `all` for those that need it. */
  readonly memory: 'little' | 'all';
  /** When it fires, what is under way ends soon. */
  readonly signal: AbortSignal;
}

/** As many lanes as work side by side on an output. */
export async function openLanes(execution: Execution, output: PlannedOutput, ask: LanesAsk): Promise<Lanes> {
  const { plan } = execution;
  const live = liveReader(execution);
  const straight = live === null ? null : straightRows(plan, output);
  if (live !== null && straight !== null) return straightLanes(plan, straight, live);
  const memoryBytes = ask.memory === 'all' ? plan.limits.memoryBytes : littleMemory(plan);
  const beside = live === null && ask.memory === 'little' ? countBeside(plan, ask.segments, memoryBytes) : 0;
  if (beside > 0) return lanesBeside(execution, { count: beside, memoryBytes, signal: ask.signal });
  await execution.laneThreads.endAhead();
  const count = Math.min(live?.lanes.length ?? plan.limits.threads, ask.segments.length);
  return engineLanes(execution, { count, memoryBytes, signal: ask.signal });
}

/** Reads the live relation whose rows become segments without landing first; null for another input. */
export function liveReader({ plan, reader }: Execution): LiveReader | null {
  return plan.live !== null && plan.live.landing === null ? reader : null;
}

/** What the engine has read of a database file it keeps while its memory lasts: this is enough to go on reading. */
const TABLE_BYTES = 96 * 2 ** 20;

type Ground = Pick<Execution, 'plan' | 'stage' | 'isResumable'>;

/** Those threads of lanes that were started ahead open their engines for the first output, while the rows are counted. */
export function openLanesAhead(execution: Execution): void {
  const { plan, laneThreads } = execution;
  const [output] = plan.outputs;
  if (output === undefined || plan.cut.by !== 'pieces' || liveReader(execution) !== null) return;
  const memoryBytes = littleMemory(plan);
  const count = countBeside(plan, segmentsOf(execution, output), memoryBytes);
  if (count > 0) laneThreads.openAhead(count, groundOf(execution, { count, memoryBytes }));
}

function littleMemory({ source, limits }: Plan): number {
  return source.kind === 'table' ? Math.min(TABLE_BYTES, limits.memoryBytes) : limits.memoryBytes;
}

/** A thread and its engine take 150 ms to start: so many segments are worth them. */
const SEGMENTS_BESIDE = 4;

/** How many lanes get threads of their own: what scans give is made rows of in JavaScript. */
function countBeside({ limits }: Plan, segments: readonly Segment[], memoryBytes: number): number {
  const isScanned = typeof segments[0]?.writing.written === 'object';
  if (!isScanned || segments.length < SEGMENTS_BESIDE) return 0;
  return Math.min(segments.length, mostBeside({ ...limits, memoryBytes }));
}

function straightLanes(plan: Plan, rows: LiveTarget['rows'], live: LiveReader): Lanes {
  const each = live.lanes.map<Lane>((lane) => ({
    write: async ({ path, piece }) => ({
      rows: await lane.copy(straightRead(plan, piece), { path, rows }),
      held: null,
    }),
    fraction: () => null,
  }));
  return { each, hasAllMemory: true, [Symbol.asyncDispose]: async () => {} };
}

/** What the running segments may hold in place of files, together; as much again may wait to be joined. */
const HELD_BYTES = 20 * 2 ** 20;

interface LanesHow {
  readonly count: number;
  /** Of all lanes together. */
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
}

async function lanesBeside({ engine, ...execution }: Execution, how: LanesHow): Promise<Lanes> {
  // No memory is left over for the engine that counted.
  await engine[Symbol.asyncDispose]();
  const { laneThreads } = execution;
  const ground = groundOf(execution, how);
  const opened = new AsyncDisposableStack();
  const each = Array.from({ length: how.count }, () => {
    const lane = opened.use(laneThreads.take());
    lane.open(ground);
    lane.heed(how.signal);
    return lane;
  });
  await laneThreads.endAhead();
  return { each, hasAllMemory: false, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

type Shared = Pick<LanesHow, 'count' | 'memoryBytes'>;

function groundOf({ plan, stage, isResumable }: Ground, { count, memoryBytes }: Shared): LaneGround {
  const share = (bytes: number) => Math.floor(bytes / count);
  return { plan, stage, memoryBytes: share(memoryBytes), heldBytes: isResumable ? 0 : share(HELD_BYTES) };
}

async function engineLanes(execution: Execution, { count, memoryBytes, signal }: LanesHow): Promise<Lanes> {
  const live = liveReader(execution);
  const engine = await execution.engine.with(1, memoryBytes);
  const sessions = await Promise.all(Array.from({ length: count }, () => engine.session()));
  const each = sessions.map((session, at) =>
    live ? landingLane(execution, live, at, session) : engineLane(session, { plan: execution.plan, signal }),
  );
  const opened = new AsyncDisposableStack();
  for (const session of sessions) opened.use(session);
  opened.use(interrupting(signal, engine));
  const hasAllMemory = memoryBytes === execution.plan.limits.memoryBytes;
  return { each, hasAllMemory, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function engineLane(session: Session, ground: { readonly plan: Plan; readonly signal: AbortSignal }): Lane {
  return { write: ({ writing }) => writeSegment(session, writing, ground), fraction: () => session.fraction() };
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
