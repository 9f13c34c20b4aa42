import { existsSync } from 'node:fs';
import { Fault } from '../base/errors.ts';
import { identifier, literal } from '../column/sql.ts';
import { formatOf } from '../format/formats.ts';
import type { Session } from '../source/engine.ts';
import { scanOf } from '../source/relation.ts';
import { type Execution, landedFile } from './execution.ts';
import { interrupting, openPlanned } from './open.ts';
import type { Plan } from './plan.ts';

/** A search that takes longer than this helps less than an answer does. */
const SEARCH_MS = 10_000;

/**
 * Finds the first row, counted from 1 in the source's order, and the column whose value was refused,
 * and gives the fault again with both named. The hot path carries no row numbers; this second read
 * happens only after a failure. When nothing is found the fault stays as it was.
 */
export async function locateRefusal(fault: Fault, { plan, stage, signal }: Execution): Promise<Fault> {
  try {
    await using engine = await openPlanned(plan, stage, { threads: 1, memoryBytes: plan.limits.memoryBytes });
    using _ = interrupting(AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]), engine);
    const session = await engine.session();
    const places = plan.live === null ? [{ scan: scanOf(plan.source, null, []), of: '' }] : landedPlaces(plan, stage);
    for (const { scan, of } of places) {
      const place = await search(session, plan, scan);
      if (place) return new Fault(fault.code, `${fault.message} It stands in ${place}${of}.`, { cause: fault.cause });
    }
  } catch {
    // The search reads what just failed to be read; failing again adds nothing.
  }
  return fault;
}

/** A live relation has no row numbers: a row is told by its place among the pages it was read with. */
function landedPlaces(plan: Plan, stage: string): { scan: string; of: string }[] {
  const pieces = plan.live?.landing ?? (plan.cut.by === 'pieces' ? plan.cut.segments : []);
  return pieces.flatMap(({ rows }, at) => {
    const path = landedFile(stage, at);
    const of = rows === null ? '' : `, counted from page ${rows[0]} of the table`;
    return existsSync(path) ? [{ scan: scanOf(plan.source, null, [path]), of }] : [];
  });
}

async function search(session: Session, plan: Plan, scan: string): Promise<string | null> {
  for (const sql of [castSearch(plan, scan), textSearch(plan, scan)]) {
    const { rows } = await session.read(sql);
    const [row, column] = rows[0] ?? [];
    if (row !== undefined) return `row ${row}, column ${column}`;
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
