import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Fault } from '../base/errors.ts';
import type { Session } from '../source/engine.ts';
import { isLanded } from '../source/relation.ts';
import type { Piece } from '../source/source.ts';
import { loadSource } from '../source/sources.ts';
import { type Execution, landedFile } from './execution.ts';
import { columnsRead, hasEveryRow, type Plan, wholeOf } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import { type Written, writeRows } from './write-rows.ts';

interface Ground {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** What a segment may hold in place of its file. */
  readonly heldBytes?: number;
}

/** Writes a segment. Of files that the engine does not read, the piece lands first, and what landed goes when it is read. */
export async function writeSegment(session: Session, writing: Writing, ground: Ground): Promise<Written> {
  const { landing } = writing;
  if (landing === null) return writeRows(session, writing, ground.heldBytes);
  const landed = await landFiles(ground, landing.piece, landing.path);
  const written = await writeRows(session, writing, ground.heldBytes).catch((error: unknown) => {
    throw placed(error, ground.plan, landing.piece);
  });
  if (hasEveryRow(ground.plan) && written.rows !== landed)
    throw new Fault('run.short', `Of ${landed} rows that were read ${written.rows} were written.`);
  await rm(landing.path);
  return written;
}

/** Says which row of the file it is that the engine refuses, where it tells its line in what landed of a single file. */
export function placed(error: unknown, { source }: Plan, { files, rows }: Piece): unknown {
  const [input, ...others] = source.inputs.slice(files[0], files[1] + 1);
  if (!(error instanceof Fault) || error.code !== 'source.refused' || !input || others.length > 0) return error;
  const [, line] = /CSV Error on Line: (\d+)/.exec(String(error.cause)) ?? [];
  if (line === undefined) return error;
  const row = (rows?.[0] ?? 0) + Number(line);
  return new Fault(error.code, `${error.message} It is row ${row} of ${basename(input.path)}.`, { cause: error.cause });
}

/** Lands all of an input that the engine does not read, unless it has landed or each segment lands by itself. */
export async function landWhole(execution: Execution): Promise<Execution> {
  const { plan, stage, landed } = execution;
  if (landed !== null || plan.live !== null || !isLanded(plan.source)) return execution;
  const path = landedFile(stage, 0);
  const rows = await landFiles(execution, wholeOf(plan.source.inputs), path);
  execution.report({ phase: 'land', rows, bytes: 0, fraction: null });
  return { ...execution, landed: [path], rowsLanded: rows };
}

async function landFiles({ plan, signal }: Ground, piece: Piece, path: string): Promise<number> {
  const { land } = await loadSource(plan.source.type);
  if (!land) throw new Error('The source does not land.');
  await mkdir(dirname(path), { recursive: true });
  return land({ shape: plan.source, piece, columns: columnsRead(plan), path, signal });
}
