import { identifier, literal } from '../column/sql.ts';
import { csvScan } from './csv-scan.ts';
import { OTHERS } from './landed-text.ts';
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
 * source's order, with the columns named as the dataset names them. `landed`: for a source whose rows land first,
 * the files its rows (of that piece) have landed in.
 */
export function relationSql(
  shape: Omit<SourceShape, 'pieces'>,
  columns: readonly RelationColumn[],
  piece: Piece | null,
  landed: readonly string[] = [],
): string {
  const items = columns.map(({ name, from }) => `${expressionOf(shape, from)} as ${identifier(name)}`);
  const range = isLanded(shape) ? null : (piece?.rows ?? null);
  const where = range === null ? '' : ` where ${shape.rowNumber} >= ${range[0]} and ${shape.rowNumber} < ${range[1]}`;
  return `(select ${items.join(', ')} from ${scanOf(shape, piece, landed)}${where})`;
}

/** SQL of the scan of a piece's files. */
export function scanOf(shape: Omit<SourceShape, 'pieces'>, piece: Piece | null, landed: readonly string[]): string {
  if (shape.live) {
    const names = [...shape.columns.map(({ name }) => name), OTHERS];
    return csvScan(listOf(landed), names, { delimiter: ',' });
  }
  // A table's scan names no files, though its name may hold "{files}".
  if (shape.kind === 'table') return shape.scan;
  const [first, last] = piece?.files ?? [0, shape.inputs.length - 1];
  const files = isLanded(shape) ? landed : shape.inputs.slice(first, last + 1).map(({ path }) => path);
  return shape.scan.replace('{files}', () => listOf(files));
}

/** Whether the engine reads what landed of the input, and not the input itself. */
export function isLanded({ live, kind, delimiter }: Pick<SourceShape, 'live' | 'kind' | 'delimiter'>): boolean {
  return live !== null || kind === 'jsonl' || delimiter !== undefined;
}

function listOf(paths: readonly string[]): string {
  return `[${paths.map(literal).join(', ')}]`;
}

function expressionOf(shape: Omit<SourceShape, 'pieces'>, from: string): string {
  if (from === POSITION) return shape.position;
  const column = shape.columns.find(({ name }) => name === from);
  if (!column) throw new Error(`The relation has no column ${from}.`);
  return column.expression;
}
