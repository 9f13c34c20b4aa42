import { join } from 'node:path';
import { keptFolder } from '../destination/download.ts';

/** Where a finished file of a run stands on this machine. */
export function keptPath(dataFolder: string, run: string, path: string): string {
  return join(keptFolder(dataFolder, run), path);
}
