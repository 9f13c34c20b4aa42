import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const reporter = new URL('reporter.js', import.meta.url).href;
const leftovers = new URL('leftovers.js', import.meta.url).href;

describe('the reporter', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-reporter-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('counts tests, not the suites and tests around them', () => {
    const { lastLine, status } = run(
      `describe('a', () => { describe('b', () => { it('c', () => {}); it('d', () => {}); }); });
       it('e', async (t) => { await t.test('f', () => {}); await t.test('g', () => {}); });
       describe('empty', () => {});`,
    );
    assert.equal(lastLine, '4 passed, 0 failed');
    assert.equal(status, 0);
  });

  it('prints a failure whole, and counts it once', () => {
    const { lastLine, status, output } = run(
      `describe('a', () => { it('b', () => { throw new Error('outer', { cause: new Error('inner') }); }); it('c', () => {}); });`,
    );
    assert.equal(lastLine, '1 passed, 1 failed');
    assert.equal(status, 1);
    assert.match(output, /FAILED: a\.test\.js › a › b/);
    assert.match(output, /Error: outer[\s\S]*\[cause\]: Error: inner/);
  });

  it('names every skipped test and its reason', () => {
    const { lastLine, status, output } = run(
      `it('a', () => {}); it('b', { skip: 'no server' }, () => {}); it('c', (t) => t.skip('too old'));
       describe.skip('d', () => { it('e', () => {}); }); it('f', { todo: 'soon' }, () => { throw new Error(); });`,
    );
    assert.equal(lastLine, '1 passed, 0 failed, 4 skipped');
    assert.equal(status, 0);
    assert.match(output, /SKIPPED:\n.*› b – no server\n.*› c – too old\n.*› d – no reason given\n.*› f – todo: soon\n/);
  });

  it('fails the run for a skipped test where none may be', () => {
    const { lastLine, status, output } = run(`it('a', () => {}); it.skip('b', () => {});`, { DRAYAGE_NO_SKIP: '1' });
    assert.equal(lastLine, '1 passed, 0 failed, 1 skipped');
    assert.equal(status, 1);
    assert.match(output, /DRAYAGE_NO_SKIP=1 allows no skipped test/);
  });

  it('fails a file that crashes, saying how', () => {
    const { lastLine, output } = run(
      `it('a', () => {}); setTimeout(() => process.exit(3), 50); setInterval(() => {}, 9);`,
    );
    assert.equal(lastLine, '1 passed, 1 failed');
    assert.match(output, /ended with exit code 3/);
    assert.match(run(`console.error('last words'); throw new Error('at load');`).output, /last words[\s\S]*at load/);
  });

  it('fails a file without tests', () => {
    const { lastLine, status } = run('');
    assert.equal(lastLine, '0 passed, 1 failed');
    assert.equal(status, 1);
  });

  it('fails a file that leaves something open, saying what', () => {
    const { lastLine, output } = run(`it('a', () => {}); setInterval(() => {}, 1000);`);
    assert.equal(lastLine, '1 passed, 1 failed');
    assert.match(output, /Still open .*Timeout/);
  });

  function run(code: string, env: Record<string, string> = {}) {
    writeFileSync(join(folder, 'a.test.js'), `const { describe, it } = require('node:test');\n${code}`);
    // Without it the inner runner takes itself for a test file of the outer one.
    const { NODE_TEST_CONTEXT: _, DRAYAGE_NO_SKIP: __, ...outer } = process.env;
    const args = ['--test', `--test-reporter=${reporter}`, `--import=${leftovers}`, 'a.test.js'];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...outer, ...env },
    });
    return { output: stdout + stderr, lastLine: stdout.trimEnd().split('\n').at(-1), status };
  }
});
