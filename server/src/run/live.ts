import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../base/errors.ts';
import type { Session } from '../source/engine.ts';
import type { CsvRows, LiveLane, LiveRead, Piece } from '../source/source.ts';
import { type Execution, landedFile } from './execution.ts';
import { inTurn } from './in-turn.ts';
import type { Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import { type Written, writeRows } from './write-rows.ts';

/** What of a live relation lands for the engine to read. */
export function landingRead({ source, live }: Plan, piece: Piece | null): LiveRead {
  return { columns: source.columns.map(({ name }) => name), where: live?.where ?? null, piece };
}

/** Lands one piece, gives its rows as the source tells them. */
export async function landPiece(lane: LiveLane, plan: Plan, piece: Piece, path: string): Promise<number> {
  const rows: CsvRows = { as: 'csv', text: 'landed', delimiter: ',', nullText: '' };
  await mkdir(dirname(path), { recursive: true });
  return lane.copy(landingRead(plan, piece), { path, rows });
}

/** Lands a piece, encodes it from there and removes what landed. */
export async function landAndCopy(
  { lane, session }: { readonly lane: LiveLane; readonly session: Session },
  plan: Plan,
  piece: Piece,
  { landed, writing }: { readonly landed: string; readonly writing: Writing },
): Promise<Written> {
  const rowsLanded = await landPiece(lane, plan, piece, landed);
  const written = await writeRows(session, writing);
  if (written.rows !== rowsLanded)
    throw new Fault('run.short', `Of ${rowsLanded} rows that were read ${written.rows} were written.`);
  await rm(landed);
  return written;
}

/** Lands all pieces, several at a time, where the plan says that they land first; then the source is let go. */
export async function landRows(execution: Execution): Promise<Execution> {
  const { plan, stage, reader, signal } = execution;
  const pieces = plan.live?.landing ?? null;
  if (pieces === null || reader === null) return execution;
  let rows = 0;
  await inTurn(
    pieces.map((piece, at) => ({ piece, path: landedFile(stage, at) })),
    reader.lanes.slice(0, pieces.length),
    {
      start: ({ piece, path }, lane) => landPiece(lane, plan, piece, path),
      finish: async (_, landed) => {
        rows += landed;
        execution.report({ phase: 'land', rows, bytes: 0, fraction: null });
      },
      stop: () => {},
      signal,
    },
  );
  return { ...execution, landed: pieces.map((_, at) => landedFile(stage, at)), rowsLanded: rows };
}
