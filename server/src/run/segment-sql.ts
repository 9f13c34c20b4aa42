import { literal } from '../column/sql.ts';
import { querySql } from '../dataset/query.ts';
import { relationSql } from '../source/relation.ts';
import { type Execution, sortedFile } from './execution.ts';
import type { Plan } from './plan.ts';

/** SQL of the rows of each segment, in order, with the query's columns. */
export function segmentRelations({
  plan,
  stage,
  rowsSorted,
}: Pick<Execution, 'plan' | 'stage' | 'rowsSorted'>): string[] {
  const { cut } = plan;
  if (cut.by === 'pieces')
    return cut.segments.map((piece) => querySql(plan.query, relationSql(plan.source, relationColumns(plan), piece)));
  const rows = rowsSorted ?? 0;
  const scan = `select * exclude (file_row_number) from read_parquet(${literal(sortedFile(stage))}, file_row_number = true, hive_partitioning = false)`;
  return Array.from({ length: Math.max(1, Math.ceil(rows / cut.segmentRows)) }, (_, at) => {
    const start = at * cut.segmentRows;
    return `${scan} where file_row_number >= ${start} and file_row_number < ${start + cut.segmentRows}`;
  });
}

/** The relation's columns but its position, which only a sort asks for and a cut relation cannot tell. */
function relationColumns({ relation, source }: Plan) {
  return relation.filter(({ from }) => source.columns.some(({ name }) => name === from));
}
