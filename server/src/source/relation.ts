import { identifier, literal } from '../column/sql.ts';
import type { Piece, SourceShape } from './source.ts';

/** Name under which a relation offers its rows' position; no source column may have it. */
export const POSITION = '__drayage_position';

/** A column of the relation and the source column it shows. */
export interface RelationColumn {
  readonly name: string;
  readonly from: string;
}

/**
 * SQL of the relation a query is put around: the piece's rows, or all when `piece` is null, in the
 * source's order, with the columns named as the dataset names them.
 */
export function relationSql(
  shape: Omit<SourceShape, 'pieces'>,
  columns: readonly RelationColumn[],
  piece: Piece | null,
): string {
  const items = columns.map(({ name, from }) => `${expressionOf(shape, from)} as ${identifier(name)}`);
  const [first, last] = piece?.files ?? [0, shape.inputs.length - 1];
  const paths = shape.inputs.slice(first, last + 1).map((file) => literal(file.path));
  // A table's scan names no files, though its name may hold "{files}".
  const scan = shape.kind === 'table' ? shape.scan : shape.scan.replace('{files}', () => `[${paths.join(', ')}]`);
  const range = piece?.rows ?? null;
  const where = range === null ? '' : ` where ${shape.rowNumber} >= ${range[0]} and ${shape.rowNumber} < ${range[1]}`;
  return `(select ${items.join(', ')} from ${scan}${where})`;
}

function expressionOf(shape: Omit<SourceShape, 'pieces'>, from: string): string {
  if (from === POSITION) return shape.position;
  const column = shape.columns.find(({ name }) => name === from);
  if (!column) throw new Error(`The relation has no column ${from}.`);
  return column.expression;
}
