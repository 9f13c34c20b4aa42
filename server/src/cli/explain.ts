import { basename } from 'node:path';
import { nameOf } from '../column/type.ts';
import { querySql } from '../dataset/query.ts';
import { landedFile } from '../run/execution.ts';
import { hashPlan, type Plan } from '../run/plan.ts';
import { type Writing, writingsOf } from '../run/segment-sql.ts';
import { relationSql } from '../source/relation.ts';
import { copySql } from '../source/statement.ts';

/** Where staged files would stand; the stage is made when the plan is run. */
const STAGE = '{stage}';

/** The plan with its SQL and segments, for people or, as JSON, for machines. */
export function explainPlan(plan: Plan, asJson: boolean): string {
  const sorting =
    plan.cut.by === 'rows'
      ? querySql(plan.query, relationSql(plan.source, plan.relation, null, [landedFile(STAGE, 0)]))
      : null;
  const statements = plan.outputs.flatMap((output) => writingsOf({ plan, stage: STAGE, rowsSorted: null }, output));
  if (asJson)
    return `${JSON.stringify({ event: 'plan', hash: hashPlan(plan), plan, sorting, statements: statements.map(statementOf) })}\n`;
  const sorted = sorting === null ? [] : ['', 'Sorted first:', `  ${sorting};`];
  const [first] = statements;
  return `${[...head(plan), ...sorted, '', 'Written, the first segment:', `  ${first ? statementOf(first) : ''};`, '', ...segments(plan)].join('\n')}\n`;
}

/** CSV, JSON and XML are written out of what the select gives. */
function statementOf({ select, path, written }: Writing): string {
  return typeof written === 'string' ? copySql({ select, path, options: written }) : select;
}

function head(plan: Plan): string[] {
  const { query, source, window, limits, engine } = plan;
  const scope = plan.scope.is === 'tenant' ? `tenant ${plan.scope.tenant}` : plan.scope.is;
  return [
    `Plan      ${hashPlan(plan)}`,
    `Dataset   ${plan.dataset} (${source.kind}), scope ${scope}`,
    `Window    ${window.start ?? 'open'} to ${window.end ?? 'open'}`,
    `Engine    duckdb ${engine.duckdb}, node ${engine.node}, zlib ${engine.zlib}, zstd ${engine.zstd}, ${engine.arch}; ${limits.threads} threads, ${Math.round(limits.memoryBytes / 1048576)} MB`,
    ...(source.live && plan.live ? [`Live      ${source.live.relation}, where ${plan.live.where ?? 'true'}`] : []),
    ...source.inputs.map((input) => `Input     ${input.path}, ${input.sizeBytes} bytes`),
    ...plan.outputs.map(
      ({ path, compression, split, format }) =>
        `Output    ${path}, ${JSON.stringify(compression)}, ${JSON.stringify(format)}${split === null ? '' : `, split ${JSON.stringify(split)}`}`,
    ),
    `Columns   ${query.columns.map((column) => `${column.name} ${nameOf(column.type)}${column.nullable ? '' : ' not null'}`).join(', ')}`,
  ];
}

function segments({ cut, source, live }: Plan): string[] {
  if (cut.by === 'rows') return [`Segments: the sorted rows, cut every ${cut.segmentRows}.`];
  const lines = cut.segments.map(({ files: [first, last], rows, bytes }, at) => {
    const bytesText = `${bytes} bytes before encoding`;
    if (live !== null)
      return `  ${at + 1}. ${rows === null ? 'all rows' : `pages ${rows[0]} to ${rows[1] - 1}`}, ${bytesText}`;
    const files = source.inputs.slice(first, last + 1).map(({ path }) => basename(path));
    const what = files.length === 1 ? files[0] : `${files[0]} to ${files.at(-1)} (${files.length} files)`;
    return `  ${at + 1}. ${what}, ${rows === null ? 'all rows' : `rows ${rows[0]} to ${rows[1] - 1}`}, ${bytesText}`;
  });
  return [`Segments: ${cut.segments.length}`, ...lines];
}
