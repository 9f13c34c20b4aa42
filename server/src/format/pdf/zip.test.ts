import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { readZip } from '../../../test/readers/python-zip.ts';
import { describeZip } from '../../../test/zip-ground.ts';
import { ZipWriter } from './zip.ts';

const MANY = 70_000;

describeZip((path) => {
  it('writes more entries than 16 bits count', async () => {
    const parts: Uint8Array[] = [];
    const zip = new ZipWriter({ write: async (bytes) => void parts.push(bytes), end: async () => {} });
    for (let at = 0; at < MANY; at++) await zip.add(`${at}.txt`, Buffer.from(`${at}`));
    await zip.finish();
    writeFileSync(path(), Buffer.concat(parts));
    assert.match(execFileSync('unzip', ['-tq', path()], { encoding: 'utf8' }), /No errors detected/);
    const { entries, year, last } = readZip(path());
    assert.deepEqual([entries, last.name, last.text, year], [MANY, `${MANY - 1}.txt`, String(MANY - 1), 1980]);
  });
});
