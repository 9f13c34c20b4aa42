import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { it } from 'node:test';
import { readZip } from '../../../test/readers/python-zip.ts';
import { describeZip } from '../../../test/zip-ground.ts';
import type { ByteSink } from '../sink.ts';
import { ZipWriter } from './zip.ts';

const LARGE_BYTES = 2 ** 28;

describeZip((path) => {
  it('writes entries beyond what 32 bits reach', async () => {
    const zip = new ZipWriter(sparseSink(path()));
    const zeros = Buffer.alloc(LARGE_BYTES);
    for (let at = 0; at <= 2 ** 32 / LARGE_BYTES; at++) await zip.add(`zeros-${at}`, zeros);
    await zip.add('last.txt', Buffer.from('the end'));
    await zip.finish();
    const { entries, last } = readZip(path());
    assert.deepEqual([entries, last.name, last.text], [18, 'last.txt', 'the end']);
    assert.ok(last.offset > 2 ** 32);
    assert.match(execFileSync('unzip', ['-p', path(), 'last.txt'], { encoding: 'utf8' }), /^the end$/);
  });
});

/** Leaves holes where there are zeros, so that 4 GB take no room on the disk. */
function sparseSink(path: string): ByteSink {
  const file = openSync(path, 'w');
  let end = 0;
  return {
    async write(bytes) {
      const seen = bytes.length < LARGE_BYTES ? bytes : bytes.subarray(0, 1);
      writeSync(file, seen, 0, seen.length, end);
      end += bytes.length;
    },
    async end() {
      ftruncateSync(file, end);
      closeSync(file);
    },
  };
}
