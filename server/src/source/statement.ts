import { normalize } from 'node:path';
import { Fault } from '../base/errors.ts';
import { literal } from '../column/sql.ts';
import type { Connection, Prepared } from './connection.ts';

/** One COPY into the stage. */
export interface Copy {
  /** One select, by itself a whole statement. */
  readonly select: string;
  /** Where to; absolute and inside the stage. */
  readonly path: string;
  /** Options as COPY takes them in brackets; never a caller's own text. */
  readonly options: string;
}

/** The statement of a COPY, for showing it. */
export function copySql({ select, path, options }: Copy): string {
  return `copy (${select}) to ${literal(path)} (${options})`;
}

/**
 * Prepares a COPY. The engine would write over any file it may read, and run whatever stands behind
 * a semicolon: so the select must be one statement by itself, which no bracket or comment in it can
 * leave, the whole one statement too, and the target in the stage.
 */
export async function prepareCopy(connection: Connection, copy: Copy, stageFolder: string | null): Promise<Prepared> {
  const isInside =
    stageFolder !== null && copy.path.startsWith(`${stageFolder}/`) && normalize(copy.path) === copy.path;
  if (!isInside) throw wrong('a copy out of the stage', copySql(copy));
  await checkSelect(connection, copy.select);
  return only(connection, copySql(copy), { what: 'no copy', isFit: (kind) => kind === 'COPY' });
}

/** Makes sure that a select is one statement by itself, which may stand in another one's brackets. */
export async function checkSelect(connection: Connection, select: string): Promise<void> {
  const { length } = await connection.extract(select);
  if (length !== 1 || !/^\s*(select|with)\s/i.test(select)) throw wrong('no select by itself', select);
}

/** Prepares the one SELECT of `sql`. */
export async function prepareSelect(connection: Connection, sql: string): Promise<Prepared> {
  return only(connection, sql, { what: 'no select', isFit: (kind) => kind === 'SELECT' });
}

/** Prepares one statement that is no COPY and carries none. */
export async function prepareOther(connection: Connection, sql: string): Promise<Prepared> {
  const isFit = (kind: string) => !['COPY', 'EXPLAIN', 'PREPARE', 'EXECUTE'].includes(kind);
  return only(connection, sql, { what: 'a copy by another door', isFit });
}

interface Wanted {
  /** What a statement of a kind that does not fit is called. */
  readonly what: string;
  isFit(kind: string): boolean;
}

async function only(connection: Connection, sql: string, { what, isFit }: Wanted): Promise<Prepared> {
  const statements = await connection.extract(sql);
  const [prepare] = statements;
  if (prepare === undefined || statements.length > 1) throw wrong(`${statements.length} statements`, sql);
  const prepared = await prepare();
  if (isFit(prepared.kind)) return prepared;
  prepared[Symbol.dispose]();
  throw wrong(what, sql);
}

function wrong(what: string, sql: string): Fault {
  return new Fault('internal', 'The export was planned wrongly.', { cause: `${what}: ${sql}` });
}
