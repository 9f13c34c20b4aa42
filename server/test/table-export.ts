import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnType } from '../src/column/type.ts';
import type { Dataset } from '../src/dataset/dataset.ts';
import { type FormatOptions, formatOptions } from '../src/format/options.ts';
import { describeSource } from '../src/run/describe.ts';
import { execute } from '../src/run/execute.ts';
import { filesFolder } from '../src/run/execution.ts';
import { openLive } from '../src/run/open.ts';
import { type Limits, makePlan, type Plan, type PlanAsk } from '../src/run/plan.ts';
import type { SourceOptions } from '../src/source/options.ts';
import { POSITION } from '../src/source/relation.ts';
import type { SourceShape } from '../src/source/source.ts';

const LIMITS: Limits = { threads: 2, memoryBytes: 400 * 2 ** 20 };

/** For files of a few rows: a second thread would start and end with nothing to do. */
const ONE_THREAD: Limits = { ...LIMITS, threads: 1 };

/** For a few rows of a database file: all the memory that lanes take there, so that one engine counts and encodes. */
export const ONE_ENGINE: Limits = { threads: 1, memoryBytes: 128 * 2 ** 20 };

/** A file, or what any other source is asked with. */
export type ExportInput = (
  | { readonly file: string; readonly delimiter?: string | undefined }
  | { readonly source: SourceOptions }
) & {
  readonly types?: Readonly<Record<string, ColumnType>>;
  /** Columns that tell rows apart; their place in the source when left out. */
  readonly key?: readonly string[];
  /** The column windows are cut on. */
  readonly time?: string;
};

/** A format's options as a caller would send them. */
export function format(options: { readonly type: string; readonly [option: string]: unknown }): FormatOptions {
  return formatOptions.parse(options);
}

function sourceOf(input: ExportInput): SourceOptions {
  if ('source' in input) return input.source;
  const { file, delimiter } = input;
  return { type: 'duckdb', files: [file], ...(delimiter === undefined ? {} : { delimiter }) };
}

/** The plan for bare files or a table, as the command line makes it. */
export async function planOf(input: ExportInput, ask: PlanAsk, limits = LIMITS): Promise<Plan> {
  const options = sourceOf(input);
  const { shape, engine } = await describeSource({ options, types: input.types ?? {}, folder: '.' }, limits);
  const plan = makePlan(ask, {
    dataset: datasetOf(shape, input),
    scope: { is: 'shared' },
    shape,
    engine,
    limits,
    now: '2026-01-01T00:00:00.000Z',
  });
  // Two outputs of one format would share a name.
  return { ...plan, outputs: plan.outputs.map((output, at) => ({ ...output, path: `${at}-${output.path}` })) };
}

interface DatasetWords {
  readonly key?: readonly string[];
  readonly time?: string | null;
}

function datasetOf(shape: SourceShape, { key = [POSITION], time = null }: DatasetWords): Dataset {
  const plain = { description: null, hidden: false };
  const columns = shape.columns.map(({ name, type, nullable }) => ({ name, type, nullable, from: name, ...plain }));
  const position = {
    name: POSITION,
    type: { is: 'integer', bits: 64 },
    nullable: false,
    from: POSITION,
    description: null,
    hidden: true,
  } as const;
  return {
    name: 'records',
    columns: [...columns, position],
    key,
    time,
    tenancy: 'shared',
    lookbackDays: null,
  };
}

/**
 * Carries the plan out in a new folder below `folder` and gives the paths of its files, in the order of its outputs.
 * A live relation is read by way of `access`.
 */
export async function carriedOut(plan: Plan, folder: string, access?: SourceOptions): Promise<string[]> {
  const stage = await mkdtemp(join(folder, 'stage-'));
  const { signal } = new AbortController();
  const live = access && plan.live ? { openLive: () => openLive(plan, access, signal) } : {};
  const results = await execute({ plan, stage, signal, report: () => {}, ...live });
  return results.flatMap(({ files }) => files.map(({ path }) => join(filesFolder(stage), path)));
}

/** What is live is read over two connections all the same. */
function fewRows(input: ExportInput): Limits {
  if ('source' in input) return LIMITS;
  return input.file.endsWith('.duckdb') ? ONE_ENGINE : ONE_THREAD;
}

/** Exports a file or table into each of the formats at once. */
export async function exported(
  input: ExportInput,
  formats: readonly FormatOptions[],
  folder: string,
): Promise<string[]> {
  const ask: PlanAsk = { outputs: formats.map((each) => ({ format: each, compression: { type: 'none' } })) };
  const plan = await planOf(input, ask, fewRows(input));
  return carriedOut(plan, folder, sourceOf(input));
}
