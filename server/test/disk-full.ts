/** Carries a plan out on a disk that is too small, and tells the fault and what it left there. */
import { readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { recordOf } from '../src/base/errors.ts';
import { openLive } from '../src/run/open.ts';
import { exportInto } from './export-into.ts';

const { plan, folder, when, access } = JSON.parse(process.argv[2] ?? '');
const disk = dirname(folder);

/** Leaves no byte free. */
async function fill(): Promise<void> {
  const { bavail, bsize } = statfsSync(disk);
  if (bavail > 0) writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize), { flag: 'a' });
}

const { signal } = new AbortController();
let told: object = { code: 'none' };
try {
  await exportInto(plan, folder, {
    isResumable: when === 'noting',
    openLive: () => openLive(plan, access, signal),
    ...(when === 'joining' ? { segmentWritten: fill } : {}),
  });
} catch (error) {
  const { code, detail } = recordOf(error);
  told = code === 'destination.full' ? { code } : { code, detail };
}
process.stdout.write(JSON.stringify({ ...told, left: readdirSync(disk).filter((name) => name !== 'filler') }));
