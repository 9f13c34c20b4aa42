import { normalize } from 'node:path';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { Fault } from '../base/errors.ts';
import { literal } from '../column/sql.ts';

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
export async function prepareCopy(
  connection: DuckDBConnection,
  copy: Copy,
  stageFolder: string | null,
): Promise<DuckDBPreparedStatement> {
  const isInside =
    stageFolder !== null && copy.path.startsWith(`${stageFolder}/`) && normalize(copy.path) === copy.path;
  if (!isInside) throw wrong('a copy out of the stage', copySql(copy));
  const { count } = await connection.extractStatements(copy.select);
  if (count !== 1 || !/^\s*(select|with)\s/i.test(copy.select)) throw wrong('a copy of no select', copySql(copy));
  return only(connection, copySql(copy));
}

/** Prepares the one SELECT of `sql`. */
export async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const { StatementType } = await import('@duckdb/node-api');
  const prepared = await only(connection, sql);
  if (prepared.statementType !== StatementType.SELECT) throw wrong('no select', sql);
  return prepared;
}

/** Prepares one statement that is no COPY and carries none. */
export async function prepareOther(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const { StatementType } = await import('@duckdb/node-api');
  const prepared = await only(connection, sql);
  const { COPY, EXPLAIN, PREPARE, EXECUTE } = StatementType;
  if ([COPY, EXPLAIN, PREPARE, EXECUTE].includes(prepared.statementType)) throw wrong('a copy by another door', sql);
  return prepared;
}

async function only(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw wrong(`${statements.count} statements`, sql);
  return statements.prepare(0);
}

function wrong(what: string, sql: string): Fault {
  return new Fault('internal', 'The export was planned wrongly.', { cause: `${what}: ${sql}` });
}
