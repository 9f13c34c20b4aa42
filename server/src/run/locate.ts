import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Fault } from '../base/errors.ts';
import { identifier, literal } from '../column/sql.ts';
import { formatOf } from '../format/formats.ts';
import type { Session } from '../source/engine.ts';
import { isLanded, scanOf } from '../source/relation.ts';
import type { Piece } from '../source/source.ts';
import { type Execution, landedFile } from './execution.ts';
import { landPiece } from './live.ts';
import { interrupting, openPlanned } from './open.ts';
import { type Plan, wholeOf } from './plan.ts';
import { straightRows } from './straight.ts';

/** A search that takes longer than this helps less than an answer does. */
const SEARCH_MS = 10_000;

/**
 * Finds the first row, counted from 1 in the source's order, and the column whose value was refused,
 * and gives the fault again with both named. The hot path carries no row numbers; this second read
 * happens only after a failure. When nothing is found the fault stays as it was.
 */
export async function locateRefusal(fault: Fault, execution: Execution): Promise<Fault> {
  const { plan, stage, signal } = execution;
  try {
    const late = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]);
    await using engine = await openPlanned(plan, stage, { threads: 1, memoryBytes: plan.limits.memoryBytes });
    using _ = interrupting(late, engine);
    const session = await engine.session();
    for await (const place of placesOf(execution, late)) {
      const found = await search(session, plan, place);
      if (found) return new Fault(fault.code, `${fault.message} It stands in ${found}.`, { cause: fault.cause });
    }
  } catch {
    // The search reads what just failed to be read; failing again adds nothing.
  }
  return fault;
}

interface Place {
  readonly scan: string;
  /** How many rows come before its first. */
  readonly before: number;
  /** What they are counted from, where that is not the start of all. */
  readonly of: string;
}

/**
 * Where values are looked for, in order. A live relation has no row numbers: a row is told by its place among the
 * pages it was read with. Where nothing landed, since rows went straight, they land now, as the relation is now.
 */
async function* placesOf({ plan, stage, openLive }: Execution, late: AbortSignal): AsyncGenerator<Place> {
  if (plan.live === null) return yield* filePlaces(plan, stage);
  const all = plan.live.landing ?? (plan.cut.by === 'pieces' ? plan.cut.segments : []);
  const pieces = all.map((piece, at) => ({ piece, path: landedFile(stage, at) }));
  for (const { piece, path } of pieces) if (existsSync(path)) yield placeOf(plan, piece, path);
  if (!openLive || !plan.outputs.some((output) => straightRows(plan, output) !== null)) return;
  await using reader = await openLive();
  late.addEventListener('abort', () => void reader[Symbol.asyncDispose]());
  const [lane] = reader.lanes;
  if (!lane) return;
  for (const { piece, path } of pieces) {
    try {
      await landPiece(lane, plan, piece, path);
      yield placeOf(plan, piece, path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

/** All files, or what has landed of them and was not read to its end. */
function* filePlaces({ source, cut }: Plan, stage: string): Generator<Place> {
  if (!isLanded(source)) return yield { scan: scanOf(source, null, []), before: 0, of: '' };
  let before = 0;
  let of = '';
  for (const [at, { files, rows, count }] of (cut.by === 'pieces'
    ? cut.segments
    : [wholeOf(source.inputs)]
  ).entries()) {
    const path = landedFile(stage, at);
    if (existsSync(path)) yield { scan: scanOf(source, null, [path]), before, of };
    before += rows === null ? (count ?? 0) : rows[1] - rows[0];
    // A packed file does not tell how many rows come before what follows.
    if (rows !== null || count !== undefined) continue;
    before = 0;
    of = `, counted from the end of ${basename(source.inputs[files[1]]?.path ?? '')}`;
  }
}

function placeOf(plan: Plan, { rows }: Piece, path: string): Place {
  const of = rows === null ? '' : `, counted from page ${rows[0]} of the table`;
  return { scan: scanOf(plan.source, null, [path]), before: 0, of };
}

async function search(session: Session, plan: Plan, { scan, before, of }: Place): Promise<string | null> {
  for (const sql of [castSearch(plan, scan), textSearch(plan, scan)]) {
    const { rows } = await session.read(sql);
    const [row, column] = rows[0] ?? [];
    if (row !== undefined) return `row ${Number(row) + before}, column ${column}${of}`;
  }
  return null;
}

/** A failing expression gives NULL inside try, even where it is only asked whether it is NULL. */
function fails(expression: string): string {
  return `try((${expression}) is null) is null`;
}

function castSearch(plan: Plan, scan: string): string {
  const cases = plan.source.columns.map(({ name, expression }) => `when ${fails(expression)} then ${literal(name)}`);
  return firstRow(`select row_number() over () as row, case ${cases.join(' ')} end as column_name from ${scan}`);
}

function textSearch(plan: Plan, scan: string): string {
  const items = plan.source.columns.map(({ name, expression }) => `${expression} as ${identifier(name)}`);
  const names = plan.relation.filter(({ from }) => plan.source.columns.some(({ name }) => name === from));
  const relation = `(select row_number() over () as __row, ${items.join(', ')} from ${scan})`;
  const renamed = `(select __row, ${names.map(({ name, from }) => `${identifier(from)} as ${identifier(name)}`).join(', ')} from ${relation})`;
  const cases = plan.query.columns.flatMap((column) =>
    plan.outputs.flatMap(({ format }) =>
      formatOf(format)
        .segment([column])
        .expressions.map(({ sql }) => `when ${fails(sql)} then ${literal(column.name)}`),
    ),
  );
  const where = plan.query.where === null ? '' : ` where ${plan.query.where}`;
  return firstRow(
    `select __row as row, case ${cases.join(' ')} end as column_name from ${renamed} as relation${where}`,
  );
}

function firstRow(sql: string): string {
  return `select row::varchar, column_name from (${sql}) where column_name is not null limit 1`;
}
