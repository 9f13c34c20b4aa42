import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  comesTrue,
  descendants,
  freePort,
  isRunning,
  runCommand,
  type StartedCommand,
  startCommand,
} from './command-line.ts';

const run = promisify(execFile);

const whyNoCurl = await run('curl', ['--version']).then(
  () => false as const,
  () => 'no curl on this machine',
);

describe('drayage demo', () => {
  let folder: string;
  let port: number;
  let started: StartedCommand;
  /** What it has said since it was started. */
  let told = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drayage demo '));
    port = await freePort();
    started = await startDemo();
  });

  after(async () => {
    started.process.kill('SIGTERM');
    await started.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  async function startDemo(): Promise<StartedCommand> {
    const env = { DRAYAGE_DATA: 'data', DEMO_ROWS: '3000', PORT: String(port) };
    const command = startCommand(['demo'], { cwd: folder, env });
    told = '';
    command.process.stdout?.on('data', (text: string) => {
      told += text;
    });
    await command.said('Ctrl-C stops it');
    return command;
  }

  async function restart(): Promise<void> {
    // As a terminal's Ctrl-C does by way of npm.
    started.process.kill('SIGINT');
    started.process.kill('SIGINT');
    const { code, stderr } = await started.ended;
    assert.equal(code, 0, stderr);
    started = await startDemo();
  }

  it('is ready when it says so, on loopback', async () => {
    assert.deepEqual(await (await fetch(`http://127.0.0.1:${port}/health`)).json(), { status: 'ok' });
    assert.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
  });

  it('prints curl lines that work as printed, and keys; a restart goes on with its jobs', {
    skip: whyNoCurl,
  }, async () => {
    const text = told;
    const [create = '', list = '', datasets = '', ...more] = text.split('\n').filter((line) => /^ +curl /.test(line));
    assert.deepEqual(more, []);
    for (const key of ['dk_demo_acme', 'dk_demo_globex', 'dk_demo_free']) assert.ok(text.includes(key), key);
    const job = await answerOf(create);
    assert.equal(job.state, 'queued');
    const found = await succeeded(list, job.id);
    const { url, sha256, rows } = found.run.files[0];
    assert.ok(rows > 0 && url.startsWith(`http://127.0.0.1:${port}/v1/files/`), url);
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
    const { data } = await answerOf(datasets);
    assert.deepEqual(
      data.map((each: { name: string }) => each.name),
      ['events'],
    );
    await restart();
    assert.equal((await succeeded(list, job.id)).run.files[0].sha256, sha256);
  });

  it('keeps the free tier to its formats, its week and one run', async () => {
    const ask = (body: object) =>
      fetch(`http://127.0.0.1:${port}/v1/jobs`, {
        method: 'POST',
        headers: { authorization: 'Bearer dk_demo_free', 'content-type': 'application/json' },
        body: JSON.stringify({ dataset: 'events', window: { start: '2026-03-02', end: '2026-03-09' }, ...body }),
      });
    const codeOf = async (body: object) => ((await (await ask(body)).json()) as { code: string }).code;
    assert.equal((await ask({ format: 'jsonl' })).status, 202);
    assert.equal(await codeOf({ format: 'parquet' }), 'tier.format');
    assert.equal(await codeOf({ format: 'csv', window: { start: '2026-03-01', end: '2026-03-09' } }), 'tier.range');
    assert.equal(await codeOf({ format: 'csv', window: { start: '2026-03-02' } }), 'tier.range');
  });

  it('refuses a second one on the same data, naming the first', async () => {
    const env = { DRAYAGE_DATA: 'data', DEMO_ROWS: '3000', PORT: String(await freePort()) };
    const { code, stderr } = await runCommand(['demo'], { cwd: folder, env });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`process ${started.process.pid}, runs on .*conflict\\.running`));
  });

  it('leaves no process behind', async () => {
    const children = descendants(started.process.pid ?? 0);
    started.process.kill('SIGKILL');
    await started.ended;
    assert.ok(await comesTrue(() => !children.some(isRunning), 5000));
  });

  /** What a printed line answers, run by a shell as it stands. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  async function answerOf(line: string): Promise<any> {
    const { stdout } = await run('bash', ['-c', line], { env: { PATH: process.env.PATH?.split(delimiter).join(':') } });
    return JSON.parse(stdout);
  }

  async function succeeded(list: string, id: string) {
    for (let at = 0; at < 100; at++) {
      const { data } = await answerOf(list);
      const found = data.find((job: { id: string }) => job.id === id);
      if (found?.state === 'succeeded') return found;
      await wait(100);
    }
    throw new Error(`${id} did not succeed.`);
  }
});
