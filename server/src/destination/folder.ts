import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault, isSystemError } from '../base/errors.ts';
import { isAlive } from '../base/processes.ts';
import type { SelfRecovering } from './destination.ts';

/** Where on this machine the files go. */
export interface FolderOptions {
  readonly folder: string;
  /** Add to a folder that is not empty, replacing files of the same name. */
  readonly replace: boolean;
}

/** Name every stage begins with, so that a later start finds what a crash left. */
const STAGE_PREFIX = '.drayage-';

/** Written last of all into a folder: who sees it sees the whole export. */
const LAST_FILE = 'manifest.json';

/** What a stage says of itself, for whoever finds it after a crash. */
interface Owner {
  readonly pid: number;
  readonly target: string;
  readonly replace: boolean;
  /** The topmost folder made on the way to the target, or null. */
  readonly made: string | null;
}

/** A folder on this machine. */
export const folder: SelfRecovering<FolderOptions> = { stage, publish, discard, recover, sweep };

/**
 * Prepares a stage beside the target folder, on the same file system, so that publishing is a
 * rename. Throws `destination.denied` when the target is not new or empty and may not be added to.
 */
async function stage({ folder: path, replace }: FolderOptions): Promise<string> {
  const target = resolve(path);
  const state = await stateOf(target);
  if (state === 'file') throw new Fault('destination.denied', `${path} is a file; allowed is a new or empty folder.`);
  if (state === 'filled' && !replace) {
    throw new Fault('destination.denied', `${path} is not empty; allowed is a new or empty folder, or --force.`);
  }
  try {
    const made = (await mkdir(dirname(target), { recursive: true })) ?? null;
    const staged = await makeStage(dirname(target), state === 'absent' ? null : target);
    const owner: Owner = { pid: process.pid, target, replace, made };
    await mkdir(join(staged, 'files'));
    await writeFile(join(staged, 'owner.json'), JSON.stringify(owner));
    return staged;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('destination.denied', `${path} cannot be written to.`, { cause: error });
  }
}

/** Beside the target, or inside it where only that may be written to. */
async function makeStage(parent: string, target: string | null): Promise<string> {
  const name = `${STAGE_PREFIX}${randomUUID()}`;
  try {
    return await made(join(parent, name));
  } catch (error) {
    const isShut = ['EACCES', 'EPERM', 'EROFS'].some((code) => isSystemError(error, code));
    if (target === null || !isShut) throw error;
    return await made(join(target, name));
  }
}

async function made(path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 });
  return path;
}

/**
 * Publishes the stage's files. From the first line on the export is committed: whatever stops this
 * is made good by `recover`. Into a new or empty folder all files appear at once.
 */
async function publish(stage: string): Promise<void> {
  await syncFolder(join(stage, 'files'));
  await writeFile(join(stage, 'committed'), '', { flush: true });
  await syncFolder(stage);
  await finishPublishing(stage);
}

async function finishPublishing(stage: string): Promise<void> {
  const owner = await readOwner(stage);
  const { target } = owner;
  const files = join(stage, 'files');
  if ((await stateOf(files)) !== 'absent' && !(await moveAtOnce(files, owner))) await moveEach(files, target);
  await syncFolder(dirname(target));
  await rm(stage, { recursive: true, force: true });
}

/**
 * Puts the files in the place of a folder that is absent or empty, and tells whether it did. Throws
 * `destination.denied`, with nothing moved and the commit taken back, when they may not be added to
 * what came to be there meanwhile.
 */
async function moveAtOnce(files: string, { target, replace }: Owner): Promise<boolean> {
  try {
    await rename(files, target);
    return true;
  } catch (error) {
    // EBUSY: a mount point. EINVAL: the stage is inside the target. EACCES, EPERM: only the target may be written to.
    const isShut = ['EBUSY', 'EINVAL', 'EACCES', 'EPERM'].some((code) => isSystemError(error, code));
    if (replace || isShut) return false;
    await rm(join(dirname(files), 'committed'));
    throw new Fault('destination.denied', `${target} is not empty any more.`, { cause: error });
  }
}

async function moveEach(files: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  const names = await readdir(files);
  for (const name of names.filter((each) => each !== LAST_FILE)) await rename(join(files, name), join(target, name));
  await syncFolder(target);
  if (names.includes(LAST_FILE)) await rename(join(files, LAST_FILE), join(target, LAST_FILE));
  await syncFolder(target);
}

/** Removes a stage, and the folders made for it. A committed one stays, for `recover` to finish. */
async function discard(stage: string): Promise<void> {
  if ((await stateOf(join(stage, 'committed'))) === 'file') return;
  const made = await readOwner(stage).then(
    (owner) => owner.made,
    () => null,
  );
  await rm(stage, { recursive: true, force: true, maxRetries: 3 });
  if (made !== null) await removeEmpty(dirname(stage), made);
}

async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let at = folder; at.startsWith(last); at = dirname(at)) {
    const isGone = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

/** Ends what a crash interrupted: a committed stage is published, any other leaves nothing. Safe to repeat. */
async function recover(stage: string): Promise<void> {
  if ((await stateOf(stage)) === 'absent') return;
  if ((await stateOf(join(stage, 'committed'))) === 'file') await finishPublishing(stage);
  else await discard(stage);
}

/** Recovers the stages beside and inside a target whose process is gone. */
async function sweep({ folder: path }: FolderOptions): Promise<void> {
  const target = resolve(path);
  for (const parent of [dirname(target), target]) {
    const names = await readdir(parent).catch(() => []);
    for (const name of names.filter((each) => each.startsWith(STAGE_PREFIX))) {
      const stage = join(parent, name);
      const owner = await readOwner(stage).catch(() => null);
      if (owner?.target === target && !isAlive(owner.pid)) await recover(stage);
    }
  }
}

async function readOwner(stage: string): Promise<Owner> {
  return JSON.parse(await readFile(join(stage, 'owner.json'), 'utf8'));
}

async function stateOf(path: string): Promise<'absent' | 'file' | 'empty' | 'filled'> {
  try {
    if (!(await stat(path)).isDirectory()) return 'file';
    return (await readdir(path)).length === 0 ? 'empty' : 'filled';
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'absent';
    throw new Fault('destination.denied', `${path} cannot be looked at.`, { cause: error });
  }
}

/** A rename is on the disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
