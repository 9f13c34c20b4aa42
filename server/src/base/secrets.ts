import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from './errors.ts';

/** The secret in a file, made at first use and readable by its owner only. */
export async function openSecret(path: string, make: () => string): Promise<string> {
  const existing = await readSecret(path);
  if (existing !== null) return existing;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await chmod(dirname(path), 0o700);
  // Linked into place, so that two first starts at once end up with one secret, and never with half of one.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, make(), { mode: 0o600, flush: true });
  await link(draft, path).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
  });
  await rm(draft);
  return readFile(path, 'utf8');
}

/** The secret in a file, or null when none was made yet. */
export async function readSecret(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}
