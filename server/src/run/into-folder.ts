import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { now } from '../base/clock.ts';
import { destinations } from '../destination/destinations.ts';
import type { SourceOptions } from '../source/options.ts';
import { filesFolder, type Progress } from './execution.ts';
import type { Signer } from './keys.ts';
import { type Manifest, makeManifest, manifestText } from './manifest.ts';
import type { Plan } from './plan.ts';
import type { Worker } from './worker.ts';

export interface FolderRun {
  readonly plan: Plan;
  /** How the plan's source is reached. */
  readonly access: SourceOptions;
  /** A stage of the folder destination. */
  readonly stage: string;
  readonly signer: Signer;
  readonly worker: Worker;
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** Called when the counts agree and nothing can stop the export any more but a crash, which is made good. */
  committing(): void;
}

/**
 * Runs a plan into a folder: execute, sign, publish. The folder shows nothing before the commit and
 * the whole export after it. The worker outlives the publishing, to finish it should this process die.
 */
export async function runIntoFolder({
  plan,
  access,
  stage,
  signer,
  worker,
  signal,
  progress,
  committing,
}: FolderRun): Promise<Manifest> {
  try {
    const results = await worker.execute({ plan, access, stage, recovers: true, isResumable: false, signal, progress });
    const manifest = makeManifest({ plan, results, createdAt: now(), signer, run: null, job: null });
    await writeFile(join(filesFolder(stage), 'manifest.json'), manifestText(manifest), { flush: true });
    committing();
    await destinations.folder.publish(stage);
    return manifest;
  } catch (error) {
    await destinations.folder.discard(stage);
    throw error;
  }
}
