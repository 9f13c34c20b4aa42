import { fork } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { now } from '../base/clock.ts';
import { Fault, faultOf, isSystemError } from '../base/errors.ts';
import { isAlive } from '../base/processes.ts';
import { batchSlices } from './demo-batch.ts';
import type { DemoOrder, DemoReport } from './demo-child.ts';
import { eventSlices } from './demo-events.ts';
import { ironcladSlices } from './demo-ironclad.ts';
import { shoalSlices } from './demo-shoal.ts';
import type { DemoSlice } from './demo-slice.ts';
import { userpilotSlices } from './demo-userpilot.ts';

export interface DemoAsk {
  /** Folder of our own data; the demo's goes into `demo` inside. */
  readonly dataFolder: string;
  /** Of the native events. */
  readonly rows: number;
  /** ISO 8601 instant with milliseconds the recent rows are dated back from; null for the one they have, or today. */
  readonly now: string | null;
  /** Ends the making; nothing is left of it then. */
  readonly signal: AbortSignal;
  /** Called when there is something to make. */
  making(): void;
}

export interface DemoData {
  readonly folder: string;
  readonly isNew: boolean;
  readonly files: Stamp['files'];
}

const stampSchema = z.object({
  now: z.string(),
  /** Sha-256 of the SQL the files were made by: another size, instant or version makes them anew. */
  recipe: z.string(),
  files: z.array(
    z.object({
      file: z.string(),
      rows: z.number(),
      span: z.object({ start: z.string(), end: z.string() }).nullable(),
      bytes: z.number(),
      sha256: z.string(),
    }),
  ),
});

type Stamp = z.infer<typeof stampSchema>;

const STAMP = 'stamp.json';
const CHILD = fileURLToPath(new URL('./demo-child.ts', import.meta.url));

/** The demo data, made unless it is there as asked, byte for byte. A start that dies on the way leaves nothing that is used. */
export async function demoData(ask: DemoAsk): Promise<DemoData> {
  const folder = join(ask.dataFolder, 'demo');
  const found = await readStamp(folder);
  const at = ask.now ?? found?.now ?? `${now().slice(0, 10)}T00:00:00.000Z`;
  const vendors = [shoalSlices, userpilotSlices, batchSlices, ironcladSlices];
  const slices = [...eventSlices(ask.rows, at), ...vendors.flatMap((slicesAt) => slicesAt(at))];
  const recipe = sha256Of(JSON.stringify(slices));
  const isMade = found?.recipe === recipe;
  if (isMade && (await isIntact(folder, found))) return { folder, isNew: false, files: found.files };
  ask.making();
  try {
    if (isMade) await rm(folder, { recursive: true });
    const stamp = await make({ ask, folder, slices, at, recipe });
    return { folder, isNew: true, files: stamp.files };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('destination.denied', `The demo data cannot be written into ${folder}.`, { cause: error });
  }
}

async function readStamp(folder: string): Promise<Stamp | null> {
  const text = await readFile(join(folder, STAMP), 'utf8').catch(() => '');
  try {
    return stampSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function isIntact(folder: string, { files }: Stamp): Promise<boolean> {
  for (const { file, sha256 } of files) {
    const found = await hashFile(join(folder, file)).catch(() => null);
    if (found !== sha256) return false;
  }
  return true;
}

interface Making {
  readonly ask: DemoAsk;
  readonly folder: string;
  readonly slices: readonly DemoSlice[];
  readonly at: string;
  readonly recipe: string;
}

const DRAFT_PREFIX = '.demo-';

/** Under another name first, so that what a crash leaves is never taken for the data. */
async function make({ ask, folder, slices, at, recipe }: Making): Promise<Stamp> {
  const { dataFolder, signal } = ask;
  await mkdir(dataFolder, { recursive: true });
  await sweepDrafts(dataFolder);
  const draft = join(dataFolder, `${DRAFT_PREFIX}${process.pid}-${randomUUID()}`);
  try {
    await mkdir(draft);
    const rows = await makeInChild({ folder: draft, slices }, signal);
    const files = await Promise.all(slices.map((slice, index) => stampFile(draft, slice, rows[index] ?? 0)));
    const stamp = { now: at, recipe, files };
    await writeFile(join(draft, STAMP), `${JSON.stringify(stamp, null, 2)}\n`, { flush: true });
    await place(draft, folder, recipe);
    return stamp;
  } finally {
    await rm(draft, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Removes what starts left whose process is gone. */
async function sweepDrafts(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    const [, pid] = /^\.demo-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dataFolder, name), { recursive: true, force: true });
  }
}

async function stampFile(draft: string, { file, span }: DemoSlice, rows: number): Promise<Stamp['files'][number]> {
  const path = join(draft, file);
  const [{ size: bytes }, sha256] = [await stat(path), await hashFile(path)];
  return { file, rows, span, bytes, sha256 };
}

/** Puts the draft in the folder's place, unless another start was quicker to make the same. */
async function place(draft: string, folder: string, recipe: string): Promise<void> {
  if ((await readStamp(folder))?.recipe === recipe) return;
  const aside = `${draft}-old`;
  try {
    await rename(folder, aside).catch((error: unknown) => {
      if (!isSystemError(error, 'ENOENT')) throw error;
    });
    await rename(draft, folder).catch((error: unknown) => {
      if (!isSystemError(error, 'ENOTEMPTY') && !isSystemError(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  if ((await readStamp(folder))?.recipe === recipe) return;
  throw new Fault('conflict.running', `Another start made other demo data in ${folder} meanwhile; start again.`);
}

/** Gives the rows of each slice. */
async function makeInChild(order: DemoOrder, signal: AbortSignal): Promise<readonly number[]> {
  // glibc would give every thread an arena of its own, and keep what each once held.
  const env = { MALLOC_ARENA_MAX: '2', TZ: 'UTC' };
  const child = fork(CHILD, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], signal, killSignal: 'SIGKILL' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const { fault, rows } = await new Promise<DemoReport>((resolve, reject) => {
      child.once('message', resolve).on('error', reject);
      child.once('exit', (code, by) => {
        const cause = `exit code ${code}, signal ${by}`;
        reject(new Fault('internal', 'The process that makes the demo data ended unexpectedly.', { cause }));
      });
      child.send(order);
    });
    if (fault !== null) throw faultOf(fault);
    return rows;
  } catch (error) {
    throw signal.aborted ? new Fault('run.cancelled', 'The demo was cancelled.') : error;
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
