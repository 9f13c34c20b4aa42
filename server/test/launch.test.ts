import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';

const launcher = new URL('../bin/launch.js', import.meta.url).href;
const COUNT_SIGNALS = `
  let count = 0;
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
    count += 1;
    if (count === 1) setTimeout(() => { console.log(count + ' ' + signal); process.exit(7); }, 1500);
  });
  setInterval(() => {}, 1000);
  console.log('ready');`;

describe('a launched program', () => {
  it('hands on its exit code', async () => {
    assert.equal((await ended(start('process.exit(5)'))).code, 5);
  });

  it('hands on the signal that ended it', async () => {
    assert.equal((await ended(start(`process.kill(process.pid, 'SIGTERM')`))).signal, 'SIGTERM');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`gets ${signal} once when it is sent to the launcher`, async () => {
      const child = start(COUNT_SIGNALS);
      await ready(child);
      child.kill(signal);
      assert.deepEqual(await ended(child), { code: 7, signal: null, output: `ready\n1 ${signal}\n` });
    });

    it(`gets ${signal} once when it is sent to the whole group`, async () => {
      const child = start(COUNT_SIGNALS);
      await ready(child);
      process.kill(-(child.pid ?? 0), signal);
      assert.deepEqual(await ended(child), { code: 7, signal: null, output: `ready\n1 ${signal}\n` });
    });
  }
});

const outputs = new WeakMap<ChildProcess, string[]>();

/** The launcher, in a process group of its own. */
function start(program: string): ChildProcess {
  const code = `
    import { endLike, launch } from ${JSON.stringify(launcher)};
    endLike(await launch(process.execPath, ['-e', ${JSON.stringify(program)}]));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output: string[] = [];
  outputs.set(child, output);
  child.stdout?.setEncoding('utf8').on('data', (text) => output.push(text));
  return child;
}

async function ready(child: ChildProcess) {
  while (!outputs.get(child)?.join('').includes('ready')) await once(child.stdout ?? child, 'data');
}

async function ended(child: ChildProcess) {
  const [code, signal] = await once(child, 'close');
  return { code, signal, output: outputs.get(child)?.join('') };
}
