import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { execute } from '../src/run/execute.ts';
import { type ExecuteAsk, filesFolder, type OutputResult, segmentsFolder } from '../src/run/execution.ts';
import { hashPlan, type OutputAsk, type Plan, type PlanAsk } from '../src/run/plan.ts';
import { adoptSegments } from '../src/run/segment-record.ts';
import { format, planOf } from './table-export.ts';

/** Rows of a segment. */
const SEGMENT_ROWS = 4096;

function output(type: string, more: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format({ type }), compression: { type: 'none' }, ...more };
}

/** Exports that are resumed: every format, every codec, an order, a split, and two outputs of one run. */
export const ASKS = {
  csv: { outputs: [output('csv')] },
  'csv gzip': { outputs: [output('csv', { compression: { type: 'gzip', level: 1 } })] },
  'csv zstd': { outputs: [output('csv', { compression: { type: 'zstd', level: 1 } })] },
  jsonl: { outputs: [output('jsonl')] },
  json: { outputs: [output('json')] },
  xml: { outputs: [output('xml')] },
  parquet: { outputs: [output('parquet')] },
  avro: { outputs: [output('avro')] },
  'csv ordered': { order: ['kind', '-amount'], outputs: [output('csv')] },
  'csv split': { outputs: [output('csv', { split: { rows: 10_000 } })] },
  'csv and parquet': { outputs: [output('csv'), output('parquet')] },
} satisfies Record<string, PlanAsk>;

/** The state of each whole segment of a stage, by file name. */
export type WholeSegments = ReadonlyMap<string, string>;

export interface Attempted {
  readonly stage: string;
  readonly results: readonly OutputResult[];
}

/** A source of many small segments, and the stages of one run's attempts. Dispose removes all. */
export class ResumeGround implements AsyncDisposable {
  readonly source: string;
  readonly #folder: string;
  readonly #segments: number;
  readonly #plans = new Map<PlanAsk, Plan>();
  /** Newest first. */
  #stages: string[] = [];
  readonly #sums = new Map<string, readonly string[]>();

  private constructor(folder: string, segments: number) {
    this.#folder = folder;
    this.#segments = segments;
    this.source = join(folder, 'rows.parquet');
  }

  static async open(segments: number): Promise<ResumeGround> {
    const folder = realpathSync(await mkdtemp(join(tmpdir(), 'drayage-resume-')));
    const ground = new ResumeGround(folder, segments);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    await connection.run(
      `copy (select id, 'k' || id % 3 as kind, (id % 9973 / 7)::decimal(18,4) as amount, 'text, "' || id || '"' as text, repeat(md5(id::varchar), 4) as ballast
        from range(${segments * SEGMENT_ROWS}) rows(id)) to '${ground.source}' (format parquet, row_group_size ${SEGMENT_ROWS})`,
    );
    connection.closeSync();
    instance.closeSync();
    return ground;
  }

  /** The plan, cut finer than so few rows are; made once for each ask. */
  async plan(ask: PlanAsk): Promise<Plan> {
    const plan = this.#plans.get(ask) ?? this.#cutFiner(await planOf({ file: this.source }, ask));
    this.#plans.set(ask, plan);
    return plan;
  }

  #cutFiner(plan: Plan): Plan {
    if (plan.cut.by === 'rows') return { ...plan, cut: { by: 'rows', segmentRows: SEGMENT_ROWS } };
    const segments = Array.from({ length: this.#segments }, (_, at) => ({
      files: [0, 0] as const,
      rows: [at * SEGMENT_ROWS, (at + 1) * SEGMENT_ROWS] as const,
      bytes: SEGMENT_ROWS * 200,
    }));
    return { ...plan, cut: { by: 'pieces', segments } };
  }

  /** The stage of the next attempt; it has taken over what the last one left. */
  async nextStage(): Promise<string> {
    const stage = await mkdtemp(join(this.#folder, 'stage-'));
    await adoptSegments(stage, this.#stages);
    this.#stages = [stage, ...this.#stages];
    for (const folder of [segmentsFolder(stage), filesFolder(stage)]) await mkdir(folder, { recursive: true });
    return stage;
  }

  /** What an attempt leaves that ended before its first segment. */
  async emptyStage(hasFolder: boolean): Promise<void> {
    const stage = await mkdtemp(join(this.#folder, 'stage-'));
    this.#stages = [stage, ...this.#stages];
    if (hasFolder) await mkdir(segmentsFolder(stage));
  }

  /** The next run has no attempts yet. */
  async startOver(): Promise<void> {
    for (const stage of this.#stages) await rm(stage, { recursive: true });
    this.#stages = [];
  }

  /** An attempt in this process, in a stage that is given or the next one. */
  async attempt(plan: Plan, more: Partial<ExecuteAsk> = {}): Promise<Attempted> {
    const stage = more.stage ?? (await this.nextStage());
    const { signal } = new AbortController();
    const results = await execute({ plan, signal, report: () => {}, isResumable: true, ...more, stage });
    return { stage, results };
  }

  /** Name and sha-256 of every file of an undisturbed run. */
  async undisturbed(plan: Plan): Promise<readonly string[]> {
    const known = this.#sums.get(hashPlan(plan));
    if (known) return known;
    const stage = await mkdtemp(join(this.#folder, 'undisturbed-'));
    const { results } = await this.attempt(plan, { stage, isResumable: false });
    const sums = await sumsOf(stage, results);
    this.#sums.set(hashPlan(plan), sums);
    return sums;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** Name and sha-256 of every file there is, which must be what the results say and no others. */
export async function sumsOf(stage: string, results: readonly OutputResult[]): Promise<string[]> {
  const names = (await readdir(filesFolder(stage))).sort();
  const sums = await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(filesFolder(stage), name));
      return `${name} ${createHash('sha256').update(bytes).digest('hex')}`;
    }),
  );
  const told = results.flatMap(({ files }) => files.map(({ path, sha256 }) => `${path} ${sha256}`));
  assert.deepEqual(told.sort(), sums);
  return sums;
}

/** The segments that have a valid record, as the test itself judges it; no record may be less than whole. */
export async function wholeSegments(stage: string, plan: Plan): Promise<WholeSegments> {
  const folder = segmentsFolder(stage);
  const whole = new Map<string, string>();
  for (const record of (await readdir(folder)).filter((name) => name.endsWith('.done'))) {
    const name = record.slice(0, -'.done'.length);
    const noted = JSON.parse(await readFile(join(folder, record), 'utf8'));
    const { plan: of, bytes, modifiedNs, inode } = noted;
    const state = await stateOf(join(folder, name));
    if (of === hashPlan(plan) && state === `${inode} ${bytes} ${modifiedNs}`) whole.set(name, state);
  }
  return whole;
}

async function stateOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

/** Those that were whole before are the same files as then, and all others are new. */
export async function assertKept(stage: string, before: WholeSegments): Promise<void> {
  for (const [name, state] of before)
    assert.equal(await stateOf(join(segmentsFolder(stage), name)), state, `${name} was written anew`);
}

/** How many segments of the outputs were used again. */
export function reusedOf(results: readonly OutputResult[]): number {
  return results.reduce((sum, { segments }) => sum + segments.reused, 0);
}
