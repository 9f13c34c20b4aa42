import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { withLock } from './lock.js';

describe('a lock file', () => {
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-lock-'));
    file = join(folder, 'a.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets one in at a time and leaves nothing behind', async () => {
    let inside = 0;
    const work = async () => {
      inside += 1;
      assert.equal(inside, 1);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, {}, work)));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is given back when the work fails', async () => {
    await assert.rejects(
      withLock(file, {}, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(existsSync(file), false);
  });

  it('is taken over from a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    hold(pid, hostname());
    assert.equal(await withLock(file, { giveUpMs: 0 }, async () => 'done'), 'done');
  });

  it('is taken over from another machine that has not touched it for long', async () => {
    hold(process.pid, 'elsewhere');
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(file, longAgo, longAgo);
    assert.equal(await withLock(file, { giveUpMs: 0 }, async () => 'done'), 'done');
  });

  it('is waited for, then given up, while its holder lives', async () => {
    hold(process.pid, hostname());
    const told: string[] = [];
    await assert.rejects(
      withLock(file, { giveUpMs: 1, waiting: (holder) => told.push(holder) }, async () => {}),
      /gave up waiting/,
    );
    assert.deepEqual(told, [`process ${process.pid}`]);
    assert.equal(existsSync(file), true);
  });

  function hold(pid: number, host: string) {
    writeFileSync(file, JSON.stringify({ pid, host, id: 'held' }));
  }
});
