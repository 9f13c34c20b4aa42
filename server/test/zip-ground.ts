import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { whyNo } from './source-server.ts';

/** Tests of an archive that stands at `path()` while they run, and of what else reads it. */
export function describeZip(tests: (path: () => string) => void): void {
  describe('ZipWriter', { skip: whyNo('unzip', 'python3') }, () => {
    let folder = '';

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'drayage-zip-'));
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    tests(() => join(folder, 'made.zip'));
  });
}
