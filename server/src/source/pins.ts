import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Fault, isSystemError } from '../base/errors.ts';
import type { PinnedFile } from './source.ts';

/** Notes what the files are like now. */
export function pinFiles(paths: readonly string[]): Promise<PinnedFile[]> {
  return Promise.all(paths.map(pin));
}

async function pin(path: string): Promise<PinnedFile> {
  const entry = await stat(path, { bigint: true });
  return { path, sizeBytes: Number(entry.size), modifiedNs: String(entry.mtimeNs), inode: String(entry.ino) };
}

/** Throws `source.changed` naming the first input file that is no longer as it was pinned. */
export async function checkPins(inputs: readonly PinnedFile[]): Promise<void> {
  for (const expected of inputs) {
    const actual = await pin(expected.path).catch((error: unknown) => {
      if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return null;
      const message = `The input file ${basename(expected.path)} cannot be looked at.`;
      throw new Fault('source.unreachable', message, { cause: error });
    });
    const what = difference(expected, actual);
    if (what)
      throw new Fault('source.changed', `The input file ${basename(expected.path)} ${what} after the run was planned.`);
  }
}

function difference(expected: PinnedFile, actual: PinnedFile | null): string | null {
  if (actual === null) return 'was removed';
  if (actual.inode !== expected.inode) return 'was replaced';
  if (actual.sizeBytes !== expected.sizeBytes) return actual.sizeBytes > expected.sizeBytes ? 'grew' : 'shrank';
  return actual.modifiedNs === expected.modifiedNs ? null : 'was written to';
}
