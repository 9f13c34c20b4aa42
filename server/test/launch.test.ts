import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';

const launcher = new URL('../bin/launch.js', import.meta.url).href;
const HEAR_SIGNALS = `
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
    console.log(signal);
    process.exit(7);
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
    it(`gets ${signal} when it is sent to the launcher or the whole group`, async () => {
      for (const send of [
        (child: ChildProcess) => child.kill(signal),
        (child: ChildProcess) => process.kill(-(child.pid ?? 0), signal),
      ]) {
        const child = start(HEAR_SIGNALS);
        await ready(child);
        send(child);
        assert.deepEqual(await ended(child), { code: 7, signal: null, output: `ready\n${signal}\n` });
      }
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
