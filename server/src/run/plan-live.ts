import type { Dataset, Scope } from '../dataset/dataset.ts';
import { type First, pushDown, pushFirst } from '../dataset/push-down.ts';
import { orderTerms, type Query, type QueryAsk } from '../dataset/query.ts';
import type { Window } from '../dataset/window.ts';
import type { RelationColumn } from '../source/relation.ts';
import type { LiveShape, Piece, SourceShape } from '../source/source.ts';

/** How the rows of a live relation are chosen where they are. */
export interface LivePlan {
  /** The source's SQL over its own columns; null for every row. */
  readonly where: string | null;
  /** Whether the rows so chosen are the query's own; else the engine chooses again among what landed. */
  readonly isExact: boolean;
  /** All that lands before anything is encoded; null where each segment lands by itself or goes straight into its output. */
  readonly landing: readonly Piece[] | null;
}

interface Planned {
  readonly source: Omit<SourceShape, 'pieces'>;
  readonly relation: readonly RelationColumn[];
  readonly query: Query;
  readonly live: LivePlan | null;
}

interface LiveGround {
  readonly ask: QueryAsk & { readonly outputs: readonly unknown[] };
  /** The pieces, cut as segments are. */
  readonly segments: readonly Piece[];
  readonly dataset: Dataset;
  readonly scope: Scope;
  readonly window: Window;
}

/** What of the query the source does itself; only columns that are needed then are read of it. */
export function planLive(
  planned: Omit<Planned, 'live'>,
  { ask, segments, dataset, scope, window }: LiveGround,
): Planned {
  const { source, query } = planned;
  if (source.live === null) return { ...planned, live: null };
  const natural = new Map(source.live.columns.flatMap(({ name, natural: type }) => (type ? [[name, type]] : [])));
  const all = pushDown(dataset, { scope, window, filter: ask.filter }, natural);
  const first = firstOf(query, source.live, { ask, dataset });
  const pushed = first ? pushFirst(dataset, all, first, natural) : all;
  const isPlain = pushed.isExact && query.orderBy === null;
  const wanted = new Set(query.columns.flatMap(readFor));
  // Rows are counted by what they hold: a row of no column is none.
  const isNarrow = isPlain && wanted.size > 0;
  const relation = planned.relation.filter(({ name }) => !isNarrow || wanted.has(name));
  const isRead = ({ name }: { readonly name: string }) => relation.some(({ from }) => from === name);
  return {
    source: {
      ...source,
      columns: source.columns.filter(isRead),
      live: { ...source.live, columns: source.live.columns.filter(isRead) },
    },
    relation,
    query: pushed.isExact ? { ...query, where: null } : query,
    // Two outputs are made of one reading: the source is busy once, and both hold the same rows.
    live: { ...pushed, landing: isPlain && ask.outputs.length === 1 ? null : segments },
  };
}

/** Null where all rows are wanted, or rows are made one before they are counted. */
function firstOf(
  { columns, limit, distinct }: Query,
  { relation }: LiveShape,
  { ask, dataset }: Pick<LiveGround, 'ask' | 'dataset'>,
): First | null {
  const order = orderTerms(dataset, columns, ask);
  return order === null || limit === undefined || distinct ? null : { order, limit, relation };
}

/** The dataset's column that a column of the query needs. */
export function readFor({ name, inside, keysOf, isBlank }: Query['columns'][number]): string[] {
  return isBlank ? [] : [inside?.column ?? keysOf ?? name];
}
