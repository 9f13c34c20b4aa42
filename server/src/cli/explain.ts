import { nameOf } from '../column/type.ts';
import { copyStatements } from '../run/encode.ts';
import { hashPlan, type Plan } from '../run/plan.ts';
import { querySql } from '../dataset/query.ts';
import { relationSql } from '../source/relation.ts';

/** Where staged files would stand; the stage is made when the plan is run. */
const STAGE = '{stage}';

/** The plan with its SQL and segments, for people or, as JSON, for machines. */
export function explainPlan(plan: Plan, asJson: boolean): string {
  const sorting = plan.cut.by === 'rows' ? querySql(plan.query, relationSql(plan.source, plan.relation, null)) : null;
  const statements = plan.outputs.flatMap((output) => copyStatements({ plan, stage: STAGE, rowsSorted: null }, output));
  if (asJson) return `${JSON.stringify({ hash: hashPlan(plan), plan, sorting, statements })}\n`;
  return `${[...head(plan), ...(sorting === null ? [] : ['', `Sorted first, then cut every ${segmentRows(plan)} rows:`, `  ${sorting}`]), '', ...segments(plan, statements)].join('\n')}\n`;
}

function head(plan: Plan): string[] {
  const { query, source, window, limits, engine } = plan;
  const scope = plan.scope.is === 'tenant' ? `tenant ${plan.scope.tenant}` : plan.scope.is;
  return [
    `Plan      ${hashPlan(plan)}`,
    `Dataset   ${plan.dataset} (${source.kind}), scope ${scope}`,
    `Window    ${window.start ?? 'open'} to ${window.end ?? 'open'}`,
    `Engine    duckdb ${engine.duckdb}, node ${engine.node}, zlib ${engine.zlib}, ${engine.arch}; ${limits.threads} threads, ${Math.round(limits.memoryBytes / 1048576)} MB`,
    ...source.inputs.map((input) => `Input     ${input.path}, ${input.sizeBytes} bytes`),
    ...plan.outputs.map((output) => `Output    ${output.path}, ${output.compression}, ${JSON.stringify(output.format)}`),
    `Columns   ${query.columns.map((column) => `${column.name} ${nameOf(column.type)}${column.nullable ? '' : ' not null'}`).join(', ')}`,
  ];
}

function segments(plan: Plan, statements: readonly { readonly sql: string }[]): string[] {
  const count = plan.cut.by === 'pieces' ? `${statements.length} segments` : 'The first segment';
  return [`${count}:`, ...statements.map(({ sql }) => `  ${sql};`)];
}

function segmentRows(plan: Plan): number {
  return plan.cut.by === 'rows' ? plan.cut.segmentRows : 0;
}
