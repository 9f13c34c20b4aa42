import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../src/run/plan.ts';
import type { SourceOptions } from '../src/source/options.ts';

const DISK_FULL = fileURLToPath(new URL('./disk-full.ts', import.meta.url));

/** A program, and what makes mounts a process's own. */
const [UNSHARE, OWN_MOUNTS] = ['unshare', ['-m', ...(process.getuid?.() === 0 ? [] : ['-Ur'])]] as const;

/** Runs a shell script where mounts are its own. */
function within(script: string, ...args: string[]) {
  return spawnSync(UNSHARE, [...OWN_MOUNTS, 'sh', '-c', script, 'sh', ...args], { encoding: 'utf8' });
}

/** Why no disk can be made small here, or false. */
export function whyNoSmallDisk(): string | false {
  const { status } = within(`mount -t tmpfs -o size=1m tmpfs '${tmpdir()}'`);
  return status === 0 ? false : 'no mount namespaces here (unshare of util-linux): the disk cannot be made small';
}

export interface SmallDisk {
  /** Options of the mount, such as `size=1m`. */
  readonly mount: string;
  /** `joining`: the rest of the disk is filled when the first segment is there. `noting`: segments are noted. */
  readonly when: 'never' | 'joining' | 'noting';
  /** How a live relation is reached. */
  readonly access?: SourceOptions;
}

/** The run ends with `destination.full` and leaves nothing on a disk that is mounted on a new folder at `path`. */
export function assertFull(plan: Plan, path: string, { mount, ...how }: SmallDisk): void {
  mkdirSync(path);
  const order = JSON.stringify({ plan, folder: join(path, 'out'), ...how });
  const script = `mount -t tmpfs -o ${mount} tmpfs '${path}' && exec "$@"`;
  const { stdout, stderr } = within(script, process.execPath, DISK_FULL, order);
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), { code: 'destination.full', left: [] });
}
