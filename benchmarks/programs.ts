import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of a program in one of the folders or on PATH, or null. */
export function findProgram(name: string, folders: readonly string[] = []): string | null {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)].map((folder) => join(folder, name));
  return places.find(isExecutable) ?? null;
}

/** What to install for a program that is not there, or null. */
export function missingProgram(name: string, debianPackage: string): string | null {
  return findProgram(name) ? null : `apt-get install ${debianPackage}`;
}

/** First line a program says of its version, or null when it is not there. */
export function programVersion(name: string, flag = '--version'): string | null {
  if (!findProgram(name)) return null;
  const { stdout, stderr } = spawnSync(name, [flag], { encoding: 'utf8' });
  return (stdout || stderr).split('\n')[0]?.trim() ?? '';
}

/** The version of an npm package as the benchmarks have it, or null when it is not there. */
export function packageVersion(name: string): string | null {
  const folders = ['./node_modules/', '../node_modules/'].map((folder) =>
    fileURLToPath(new URL(`${folder}${name}/package.json`, import.meta.url)),
  );
  const file = folders.find((each) => existsSync(each));
  return file === undefined ? null : JSON.parse(readFileSync(file, 'utf8')).version.replace(/^v/, '');
}

/** What to do when one of the packages is not there, or null. */
export function missingPackage(...names: string[]): string | null {
  return names.every((name) => packageVersion(name)) ? null : 'npm ci, in the folder benchmarks';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
