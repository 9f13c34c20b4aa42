import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { Fault } from '../base/errors.ts';

/** A COPY as we write it: its target stands last, behind the select and before options of words and plain strings. */
const COPY = /^copy \((.*)\) to '((?:[^']|'')+)'(?: \((?:[\w ,]|'(?:[^'\\]|''|\\[nr])*')*\))?$/s;

/**
 * Prepares the one statement of `sql` for a session that may write into `stageFolder`. The engine
 * lets COPY write over any file it may read, and runs whatever stands behind a semicolon: both are
 * refused here, should a text ever break out of its literal.
 */
export async function prepareOne(
  connection: DuckDBConnection,
  sql: string,
  stageFolder: string | null,
): Promise<DuckDBPreparedStatement> {
  const { StatementType } = await import('@duckdb/node-api');
  const prepared = await only(connection, sql);
  const { statementType } = prepared;
  if (statementType === StatementType.COPY) await checkCopy(connection, sql, stageFolder);
  // Each could carry a COPY that is not looked at.
  const carriers = [StatementType.EXPLAIN, StatementType.PREPARE, StatementType.EXECUTE];
  if (carriers.includes(statementType)) throw wrong('a statement inside another', sql);
  return prepared;
}

/** Prepares the one SELECT of `sql`. */
export async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const { StatementType } = await import('@duckdb/node-api');
  const prepared = await only(connection, sql);
  if (prepared.statementType !== StatementType.SELECT) throw wrong('no select', sql);
  return prepared;
}

async function only(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw wrong(`${statements.count} statements`, sql);
  return statements.prepare(0);
}

/** What stands in the brackets must be a statement by itself, or they would end elsewhere than they seem to. */
async function checkCopy(connection: DuckDBConnection, sql: string, stageFolder: string | null): Promise<void> {
  const [, select, quoted] = COPY.exec(sql) ?? [];
  const path = quoted?.replaceAll("''", "'");
  const isInside = stageFolder !== null && path?.startsWith(`${stageFolder}/`) && !path.split('/').includes('..');
  if (select === undefined || !isInside) throw wrong('a copy elsewhere', sql);
  if ((await connection.extractStatements(select)).count !== 1) throw wrong('a copy of no select', sql);
}

function wrong(what: string, sql: string): Fault {
  return new Fault('internal', 'The export was planned wrongly.', { cause: `${what}: ${sql}` });
}
