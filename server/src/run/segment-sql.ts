import { join } from 'node:path';
import { identifier, literal } from '../column/sql.ts';
import { querySql } from '../dataset/query.ts';
import type { SegmentSql } from '../format/format.ts';
import { formatOf } from '../format/formats.ts';
import { isLanded, relationSql } from '../source/relation.ts';
import type { Scanned } from '../source/scan.ts';
import type { Piece } from '../source/source.ts';
import { type Execution, landedFile, segmentsFolder, sortedFile } from './execution.ts';
import { outputColumns, type Plan, type PlannedOutput } from './plan.ts';
import { straightRows } from './straight.ts';

type Staged = Pick<Execution, 'plan' | 'stage' | 'rowsSorted'>;

/** SQL of the rows of each segment, in order, with the query's columns. */
function segmentRelations({ plan, stage, rowsSorted }: Staged): string[] {
  const { cut, query, source } = plan;
  if (cut.by === 'pieces')
    return cut.segments.map((piece, at) =>
      querySql(query, relationSql(source, relationColumns(plan), piece, [landedFile(stage, at)])),
    );
  const rows = rowsSorted ?? 0;
  const scan = `select * exclude (file_row_number) from read_parquet(${literal(sortedFile(stage))}, file_row_number = true, hive_partitioning = false)`;
  return Array.from({ length: Math.max(1, Math.ceil(rows / cut.segmentRows)) }, (_, at) => {
    const start = at * cut.segmentRows;
    return `${scan} where file_row_number >= ${start} and file_row_number < ${start + cut.segmentRows}`;
  });
}

/** The relation's columns but its position, which only a sort asks for and a cut relation cannot tell. */
function relationColumns({ relation, source, query }: Plan) {
  return query.limit === undefined
    ? relation.filter(({ from }) => source.columns.some(({ name }) => name === from))
    : relation;
}

/** A piece of files that lands in the stage before the engine reads it. */
interface Landing {
  readonly piece: Piece;
  readonly path: string;
}

/** What a segment is made of, and the file it becomes. */
export interface Writing extends Scanned {
  /** Null where the engine reads the files themselves, or what is sorted; live relations land by other means. */
  readonly landing: Landing | null;
  /** Absolute and inside the stage. */
  readonly path: string;
  readonly written: SegmentSql['written'];
  /** As `zstdLevel` has it. */
  readonly zstdLevel: number | null;
}

/**
 * The zstd level at which an output's segments are compressed as they are written, each by itself (`zstd-segment.ts`); null
 * where they are text that is compressed when it is joined, if at all.
 */
export function zstdLevel(plan: Plan, output: PlannedOutput): number | null {
  const { format, compression } = output;
  if (compression.type !== 'zstd' || straightRows(plan, output) !== null) return null;
  const columns = outputColumns(plan.query, output);
  if (typeof formatOf(format).segment(columns).written === 'string') return null;
  const joining = formatOf(format).joining(columns, '');
  return joining.by === 'text' && joining.separatorBytes === 0 ? compression.level : null;
}

/** How each segment is written, in order. */
export function writingsOf(staged: Staged, output: PlannedOutput): Writing[] {
  const { expressions, written } = formatOf(output.format).segment(outputColumns(staged.plan.query, output));
  const select = expressions.map(({ sql, name }) => (name === null ? sql : `${sql} as ${identifier(name)}`)).join(', ');
  const level = zstdLevel(staged.plan, output);
  return segmentRelations(staged).map((relation, at) => {
    const path = join(segmentsFolder(staged.stage), `${output.path}.${at}${level === null ? '' : '.zst'}`);
    const columns = expressions.length;
    const landing = landingOf(staged, at);
    return { landing, select: `select ${select} from (${relation})`, columns, path, written, zstdLevel: level };
  });
}

function landingOf({ plan: { cut, live, source }, stage }: Staged, at: number): Landing | null {
  const piece = cut.by === 'pieces' ? cut.segments[at] : undefined;
  if (piece === undefined || live !== null || !isLanded(source)) return null;
  return { piece, path: landedFile(stage, at) };
}
