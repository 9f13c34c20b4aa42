import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import canonicalize from 'canonicalize';
import { Fault, refuse } from '../base/errors.ts';
import type { Column } from '../column/type.ts';
import type { Dataset, Scope } from '../dataset/dataset.ts';
import { makeQuery, type Query, type QueryAsk } from '../dataset/query.ts';
import { readWindow, type Window, type WindowAsk } from '../dataset/window.ts';
import { endingOf } from '../format/compression.ts';
import { formatOf } from '../format/formats.ts';
import type { Compression, FormatOptions, Split } from '../format/options.ts';
import { isLanded, type RelationColumn } from '../source/relation.ts';
import type { Piece, SourceShape } from '../source/source.ts';
import { type LivePlan, planLive, readFor } from './plan-live.ts';
import { cutSegments, rowsWithin, type SegmentBounds } from './segments.ts';

/** One file format of a run. */
export interface PlannedOutput {
  readonly format: FormatOptions;
  readonly compression: Compression;
  /** Null for one file, whatever its size. */
  readonly split: Split | null;
  /** Name of the file, free of folders; of a split output what the numbers are put into. */
  readonly path: string;
  /** Names of the query's columns it has; left out, all. */
  readonly columns?: readonly string[];
  /** Of the format's own, where its bytes depend on more than the engine: of PDF fonts, shaping and layout. */
  readonly versions?: string;
}

/** What the bytes of a run depend on beside the plan's own words. */
export interface EngineVersions {
  readonly duckdb: string;
  readonly node: string;
  readonly zlib: string;
  readonly zstd: string;
  readonly arch: string;
}

/** What a run may use. Not part of the recipe: it changes no byte. */
export interface Limits {
  /** Segments written at a time, and the engine's threads while it sorts or counts. */
  readonly threads: number;
  readonly memoryBytes: number;
}

/** The frozen recipe of a run: the same plan on the same engine gives the same bytes. */
export interface Plan {
  readonly version: 1;
  readonly dataset: string;
  readonly scope: Scope;
  readonly window: Window;
  readonly source: Omit<SourceShape, 'pieces'>;
  /** The dataset's columns and the source columns behind them. */
  readonly relation: readonly RelationColumn[];
  readonly query: Query;
  /** How a live relation is read; null for files. */
  readonly live: LivePlan | null;
  readonly outputs: readonly PlannedOutput[];
  /** Where the input is cut. A sorted query is staged first, and the staged rows are cut; a limited one is never cut. */
  readonly cut:
    | { readonly by: 'pieces'; readonly segments: readonly Piece[] }
    | { readonly by: 'rows'; readonly segmentRows: number };
  readonly engine: EngineVersions;
  readonly limits: Limits;
}

export interface PlanAsk extends QueryAsk {
  readonly window?: WindowAsk;
  readonly outputs: readonly OutputAsk[];
}

export interface OutputAsk {
  readonly format: FormatOptions;
  readonly compression: Compression;
  readonly split?: Split | undefined;
  readonly columns?: readonly string[] | undefined;
}

/** What an ask is checked against. */
export interface AskGround {
  readonly dataset: Dataset;
  readonly scope: Scope;
  /** ISO instant the lookback is counted from. */
  readonly now: string;
  /** Settled when the run was accepted; then the ask's own is not read, nor the lookback counted again. */
  readonly window?: Window;
}

export interface PlanGround extends AskGround {
  readonly shape: SourceShape;
  readonly engine: EngineVersions;
  readonly limits: Limits;
  /** What file names begin with; the dataset's name when left out. */
  readonly fileStem?: string;
}

/** Rows of a segment of a sorted run: four of its staged row groups. */
const SORTED_SEGMENT_ROWS = 4 * 122_880;

/** Makes the plan, or throws `request.invalid` for what cannot be exported as asked. */
export function makePlan(ask: PlanAsk, ground: PlanGround): Plan {
  const { dataset, scope, shape, fileStem = dataset.name } = ground;
  const { window, query } = checkAsk(ask, ground);
  const { pieces, ...source } = shape;
  const relation = dataset.columns.map(({ name, from }) => ({ name, from }));
  const bounds = boundsOf(ask.outputs, shape);
  const segments = query.limit === undefined ? cutSegments(pieces, bounds) : [wholeOf(shape.inputs, pieces)];
  const plan: Plan = {
    version: 1,
    dataset: dataset.name,
    scope,
    window,
    ...planLive({ source, relation, query }, { ask, segments, dataset, scope, window }),
    outputs: ask.outputs.map(({ columns, ...output }, at) => ({
      ...output,
      ...(columns === undefined ? {} : { columns }),
      ...versionsOf(output.format),
      split: output.split ?? null,
      path: `${fileStem}${at === 0 ? '' : `-${at + 1}`}.${fullEnding(output)}`,
    })),
    cut:
      query.orderBy === null || query.limit !== undefined
        ? { by: 'pieces', segments }
        : { by: 'rows', segmentRows: Math.min(SORTED_SEGMENT_ROWS, rowsWithin(bounds, pieces)) },
    engine: ground.engine,
    limits: ground.limits,
  };
  return freeze(plan);
}

function versionsOf(format: FormatOptions): Pick<PlannedOutput, 'versions'> {
  const { versions } = formatOf(format);
  return versions === undefined ? {} : { versions };
}

/** Whether another build planned the run: it would write other bytes. */
export function isOutdated({ engine, outputs }: Plan, installed: EngineVersions): boolean {
  const isOther = ({ format, versions }: PlannedOutput) => versions !== versionsOf(format).versions;
  return !isDeepStrictEqual(engine, installed) || outputs.some(isOther);
}

/** All of an input: the first rows are known only when all have been seen. */
export function wholeOf(inputs: SourceShape['inputs'], pieces: readonly Piece[] = []): Piece {
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  return { files: [0, Math.max(0, inputs.length - 1)], rows: null, bytes };
}

/** A row group of texts takes several times its bytes while it is made: segments, which end them, are kept small. */
const TEXT_GROUP_BYTES = 12 * 1024 * 1024;

/** No segment holds more than the smallest file that is asked for. */
function boundsOf(outputs: readonly OutputAsk[], shape: SourceShape): SegmentBounds {
  const isText = shape.live === null && isLanded(shape);
  const isGrouped = isText && outputs.some(({ format }) => format.type === 'parquet');
  const least = (values: readonly (number | undefined)[]) =>
    Math.min(...values.map((value) => value ?? Number.POSITIVE_INFINITY));
  return {
    rows: least(outputs.map(({ split }) => split?.rows)),
    bytes: least(outputs.map(({ split }) => split?.bytes)),
    ...(isGrouped ? { joinedBytes: TEXT_GROUP_BYTES } : {}),
    areCounted: shape.live === null,
  };
}

/** The window and query that are asked for. Throws `request.invalid` for what cannot be exported as asked, whatever the input. */
export function checkAsk(ask: PlanAsk, ground: AskGround): { window: Window; query: Query } {
  const { dataset, scope, now } = ground;
  const window = ground.window ?? readWindow(ask.window ?? {}, dataset, now);
  const query = makeQuery(dataset, scope, window, ask);
  for (const [at, output] of ask.outputs.entries()) checkOutput(output, query, at);
  return { window, query };
}

function checkOutput({ format, compression, columns }: OutputAsk, query: Query, at: number): void {
  const bound = formatOf(format);
  const unknown = columns?.find((name) => query.columns.every((column) => column.name !== name));
  if (unknown !== undefined) throw refuse(`/outputs/${at}/columns`, `"${unknown}" is not among the columns asked for.`);
  if (columns !== undefined && query.distinct)
    throw refuse(`/outputs/${at}/columns`, 'With distinct, every output has all columns.');
  bound.check(outputColumns(query, { columns }));
  if (compression.type === 'none' || bound.compressible) return;
  throw new Fault('request.invalid', `${format.type} compresses its own pages; allowed is compression none.`, {
    pointer: '/compression',
  });
}

/** Whether every row that is read is written. */
export function hasEveryRow({ query: { where, distinct, limit } }: Plan): boolean {
  return where === null && !distinct && limit === undefined;
}

/** Names of the source columns that segments are made of; null where all may be. */
export function columnsRead({ query, relation, cut }: Plan): readonly string[] | null {
  if (query.where !== null || query.limit !== undefined || cut.by !== 'pieces') return null;
  const read = new Set(query.columns.flatMap(readFor));
  return relation.filter(({ name }) => read.has(name)).map(({ from }) => from);
}

/** The columns of an output, in the order it names them. */
export function outputColumns(query: Query, { columns }: Pick<OutputAsk, 'columns'>): readonly Column[] {
  if (columns === undefined) return query.columns;
  return columns.flatMap((name) => query.columns.filter((column) => column.name === name));
}

function fullEnding({ format, compression }: Pick<PlannedOutput, 'format' | 'compression'>): string {
  return `${formatOf(format).extension}${endingOf(compression)}`;
}

/** Name of one file of an output, counted from 1. */
export function partPath(output: PlannedOutput, part: number): string {
  if (output.split === null) return output.path;
  const ending = `.${fullEnding(output)}`;
  return `${output.path.slice(0, -ending.length)}-${String(part).padStart(5, '0')}${ending}`;
}

/** sha-256 of the plan without its limits, in lower-case hex. */
export function hashPlan(plan: Plan): string {
  const { limits: _, ...recipe } = plan;
  return createHash('sha256')
    .update(canonicalize(recipe) ?? '')
    .digest('hex');
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
