import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { later, now } from '../base/clock.ts';
import { isSystemError } from '../base/errors.ts';
import { keptFolder, readStageName, stagesFolder } from '../destination/download.ts';
import { type AttemptGround, rollForward } from './attempt.ts';
import type { History } from './history-queries.ts';
import type { Sweep } from './sweep-queries.ts';

export interface SweepGround extends Pick<AttemptGround, 'work' | 'dataFolder' | 'log'> {
  readonly sweep: Sweep;
  readonly history: History;
  /** How long runs are known after their end; undefined for ever. */
  readonly historyMs: number | undefined;
  /** Who adopts runs. */
  readonly worker: string;
}

/**
 * Clears up once: silent workers' runs, files over their life, stages that crashes left; with
 * `everything` also kept folders that no row names, which takes a look at each, and what is over for
 * long. Gives how much it did.
 */
export async function sweepOnce(ground: SweepGround, everything: boolean): Promise<number> {
  const silent = await endSilent(ground);
  const expired = await removeExpired(ground);
  const strays = await removeStrays(ground, everything);
  await ground.sweep.forgetIdempotency();
  if (everything) await forgetHistory(ground);
  return silent + expired + strays;
}

async function endSilent(ground: SweepGround): Promise<number> {
  const { sweep, worker, log } = ground;
  const silent = await sweep.silent();
  for (const { isCommitting, ...claim } of silent) {
    const names = { run: claim.run, attempt: claim.attempt, tenant: claim.tenant };
    if (!isCommitting) {
      if (await sweep.bury(claim)) log.warn(names, 'attempt buried');
    } else if (await sweep.adopt(claim, worker)) {
      // What keeps one run from being published must keep nothing else from being swept.
      await rollForward(claim, { ...ground, log: log.child(names) }).catch((error: unknown) =>
        log.error({ err: error, ...names }, 'not published'),
      );
    }
  }
  return silent.length;
}

/** The rows first: files without a row are strays, which any later sweep removes. */
async function removeExpired({ sweep, dataFolder, log }: SweepGround): Promise<number> {
  const runs = await sweep.expired();
  for (const run of runs) {
    log.info({ run }, 'sweeping');
    await sweep.markRemoved(run);
    await rm(keptFolder(dataFolder, run), { recursive: true, force: true });
    log.info({ run }, 'expired');
  }
  return runs.length;
}

/** Folders that no row names: stages of attempts that are over, files of runs that keep none. */
async function removeStrays({ sweep, dataFolder, log }: SweepGround, everything: boolean): Promise<number> {
  const stages = (await namesIn(stagesFolder(dataFolder))).map((name) => ({ name, ...readStageName(name) }));
  const named = stages.flatMap(({ run, attempt }) =>
    run === undefined || attempt === undefined ? [] : [{ run, attempt }],
  );
  const live = await sweep.liveStages(named);
  const kept = everything ? await namesIn(join(dataFolder, 'files')) : [];
  const keeping = await sweep.keptRuns(kept);
  const strays = [
    ...stages.filter(({ name }) => !live.has(name)).map(({ name }) => join(stagesFolder(dataFolder), name)),
    ...kept.filter((run) => !keeping.has(run)).map((run) => keptFolder(dataFolder, run)),
  ];
  for (const path of strays) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  if (strays.length > 0) log.info({ strays: strays.length }, 'strays removed');
  return strays.length;
}

/** Nothing shows a notice once it is sent or given up, and it holds an address. */
const NOTICE_LIFE_MS = 30 * 86_400_000;

async function forgetHistory({ history, historyMs, log }: SweepGround): Promise<void> {
  const at = now();
  const notices = await history.forgetNotices(later(at, -NOTICE_LIFE_MS));
  const runs = historyMs === undefined ? 0 : await history.forgetRuns(later(at, -historyMs));
  if (notices + runs > 0) log.info({ notices, runs }, 'history forgotten');
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
