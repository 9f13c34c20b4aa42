// Runs on Node 20 and before anything is installed: plain JavaScript, no dependency.
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ pid: number, host: string, id: string }} Holder */

// A holder touches its lock this often; one untouched for six times as long has lost its holder.
const TOUCH_MS = 5000;
const FORSAKEN_MS = 30_000;
const RETRY_MS = 250;
const GIVE_UP_MS = 10 * 60_000;

/**
 * Does `work` while no other process does work under the same lock file. Waits for a living holder, at most
 * ten minutes, and takes over from a dead one.
 * @template T
 * @param {string} file
 * @param {{ waiting?: (holder: string) => void, giveUpMs?: number }} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, { waiting, giveUpMs = GIVE_UP_MS }, work) {
  const mine = { pid: process.pid, host: hostname(), id: randomUUID() };
  const giveUpAt = Date.now() + giveUpMs;
  for (let told = false; !take(file, mine); told = true) {
    const holder = readHolder(file);
    if (holder !== null && isForsaken(file, holder)) discard(file, holder);
    else if (holder !== null) {
      if (!told) waiting?.(`process ${holder.pid}`);
      if (Date.now() > giveUpAt) throw new Error(`${file} is held by process ${holder.pid}; gave up waiting for it.`);
      await sleep(RETRY_MS);
    }
  }
  const touching = setInterval(() => utimesSync(file, new Date(), new Date()), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    if (readHolder(file)?.id === mine.id) rmSync(file, { force: true });
  }
}

/**
 * Linked into place, so that a lock is never seen half written.
 * @param {string} file
 * @param {Holder} mine
 */
function take(file, mine) {
  const draft = `${file}.${mine.id}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * @param {string} file
 * @returns {Holder | null} null when nobody holds it any more
 */
function readHolder(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * @param {string} file
 * @param {Holder} holder
 */
function isForsaken(file, holder) {
  const touchedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return (holder.host === hostname() && !isAlive(holder.pid)) || Date.now() - touchedAt > FORSAKEN_MS;
}

/**
 * Moves the lock aside before removing it: of two who found it forsaken, the slower one would otherwise
 * remove the lock that the faster one has just taken. Such a lock is put back.
 * @param {string} file
 * @param {Holder} holder
 */
function discard(file, holder) {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    if (readHolder(aside)?.id !== holder.id) linkSync(aside, file);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
