import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../base/errors.ts';
import type { Destination } from './destination.ts';

/** Where a run's files go inside the data folder. */
export interface DownloadOptions {
  readonly dataFolder: string;
  readonly run: string;
  /** Each attempt has a stage of its own: a dead one's processes may still be writing into theirs. */
  readonly attempt: number;
}

/** Files kept under the data folder, for download by link. What is committed stands in the database alone. */
export const download: Destination<DownloadOptions> = { stage, publish, discard };

/** Folder of the stages of all runs. */
export function stagesFolder(dataFolder: string): string {
  return join(dataFolder, 'stage');
}

/** Folder of a run's published files. */
export function keptFolder(dataFolder: string, run: string): string {
  return join(dataFolder, 'files', run);
}

/** The stage of an attempt, whether it is there or not. */
export function stageOf({ dataFolder, run, attempt }: DownloadOptions): string {
  return join(stagesFolder(dataFolder), `${run}-${attempt}`);
}

/** Run and attempt of a stage by its folder's name, or null for a name that is none. */
export function readStageName(name: string): { run: string; attempt: number } | null {
  const [, run, attempt] = /^(run_[0-9a-z]+)-(\d+)$/.exec(name) ?? [];
  return run === undefined ? null : { run, attempt: Number(attempt) };
}

async function stage(options: DownloadOptions): Promise<string> {
  const path = stageOf(options);
  await mkdir(join(path, 'files'), { recursive: true, mode: 0o700 });
  return path;
}

/** After this not even a power cut takes the stage's files away: only then may it be committed. */
export async function syncStage(stage: string): Promise<void> {
  for (const folder of [join(stage, 'files'), stage, dirname(stage), dirname(dirname(stage))]) await syncFolder(folder);
}

/** One rename shows all files. Run again after a crash, it goes on where that one stopped. */
async function publish(stage: string): Promise<void> {
  const { run } = readStageName(stage.slice(dirname(stage).length + 1)) ?? {};
  if (run === undefined) throw new Error(`${stage} is no stage.`);
  const target = keptFolder(dirname(dirname(stage)), run);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  if (!(await isFolder(target))) {
    await rename(join(stage, 'files'), target);
    await syncFolder(dirname(target));
  }
  await discard(stage);
}

async function discard(stage: string): Promise<void> {
  await rm(stage, { recursive: true, force: true, maxRetries: 3 });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A rename is on the disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
