import type { Engine, Session } from '../source/engine.ts';
import type { LiveReader, Piece } from '../source/source.ts';
import { type Execution, landedFile } from './execution.ts';
import { landAndCopy, straightOptions, straightRead } from './live.ts';
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

/** As many lanes as work side by side on an output. The engine may be null where `needsEngine` says no. */
export async function openLanes(
  execution: Execution,
  output: PlannedOutput,
  engine: Engine | null,
  segments: number,
): Promise<Lane[]> {
  const { plan, reader } = execution;
  const live = plan.live !== null && plan.live.landing === null ? reader : null;
  if (live !== null && !needsEngine(plan, output)) return straightLanes(plan, output, live);
  const count = Math.min(live?.lanes.length ?? plan.limits.threads, segments);
  const sessions = await Promise.all(Array.from({ length: count }, () => sessionOf(engine)));
  return sessions.map((session, at) => (live ? landingLane(execution, live, at, session) : engineLane(session)));
}

/** Whether the engine writes the output; a live source writes some CSV by itself. */
export function needsEngine(plan: Plan, output: PlannedOutput): boolean {
  return straightOptions(plan, output) === null;
}

function sessionOf(engine: Engine | null): Promise<Session> {
  if (engine === null) throw new Error('An output that needs the engine was given none.');
  return engine.session();
}

function engineLane(session: Session): Lane {
  return { write: ({ writing }) => writeRows(session, writing), fraction: () => session.fraction() };
}

function straightLanes(plan: Plan, output: PlannedOutput, live: LiveReader): Lane[] {
  const { delimiter = ',', nullText = '' } = straightOptions(plan, output) ?? {};
  return live.lanes.map((lane) => ({
    write: ({ path, piece }) =>
      lane.copy(straightRead(plan, piece), { path, text: 'plain', delimiter, nullText: nullText ?? '' }),
    fraction: () => null,
  }));
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
