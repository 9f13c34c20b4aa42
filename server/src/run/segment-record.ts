import { readFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isSystemError } from '../base/errors.ts';
import { segmentsFolder } from './execution.ts';

/** What is noted of a whole segment, beside it. */
interface SegmentRecord {
  /** sha-256 of the plan it belongs to. */
  readonly plan: string;
  readonly rows: number;
  readonly bytes: number;
  readonly modifiedNs: string;
  readonly inode: string;
  /** After a power cut a file may have its size and time, but not its bytes: what an earlier boot wrote is not used. */
  readonly boot: string;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Tells this boot of the machine from others; null where the system does not say, and nothing is used again. */
function bootId(): string | null {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    return null;
  }
}

function recordPath(path: string): string {
  return `${path}.done`;
}

/** Notes that the file is whole, for the attempt after a crash. The note is there whole or not at all. */
export async function noteWhole(path: string, plan: string, rows: number): Promise<void> {
  const boot = bootId();
  if (boot === null) return;
  const record: SegmentRecord = { plan, rows, boot, ...(await stateOf(path)) };
  const draft = `${recordPath(path)}.new`;
  await writeFile(draft, JSON.stringify(record));
  await rename(draft, recordPath(path));
}

/** Rows of a file that an attempt at the same plan left whole and that is still as it was; else null, and what there is of it is gone. */
export async function findWhole(path: string, plan: string): Promise<number | null> {
  try {
    const { rows, ...record }: Partial<SegmentRecord> = JSON.parse(await readFile(recordPath(path), 'utf8'));
    const state = await stateOf(path);
    const isSame = record.plan === plan && record.boot === bootId() && isState(record, state);
    if (isSame && isCount(rows)) return rows;
  } catch {
    // No record, or half of one: the segment is written anew.
  }
  for (const each of [recordPath(path), path]) await rm(each, { force: true });
  return null;
}

async function stateOf(path: string): Promise<Pick<SegmentRecord, 'bytes' | 'modifiedNs' | 'inode'>> {
  const entry = await stat(path, { bigint: true });
  return { bytes: Number(entry.size), modifiedNs: String(entry.mtimeNs), inode: String(entry.ino) };
}

function isCount(rows: unknown): rows is number {
  return Number.isSafeInteger(rows) && Number(rows) >= 0;
}

function isState(record: Partial<SegmentRecord>, state: Awaited<ReturnType<typeof stateOf>>): boolean {
  return record.bytes === state.bytes && record.modifiedNs === state.modifiedNs && record.inode === state.inode;
}

/**
 * Takes the segments of the newest of these stages that has any into `stage`, before anything is written
 * there. A process of an attempt long given up may still write into them: it loses its folder.
 */
export async function adoptSegments(stage: string, earlier: readonly string[]): Promise<void> {
  for (const other of earlier) {
    try {
      if ((await readdir(segmentsFolder(other))).length === 0) continue;
      await rename(segmentsFolder(other), segmentsFolder(stage));
      return;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT') && !isSystemError(error, 'ENOTEMPTY')) throw error;
    }
  }
}
