import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../bin/drayage.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedCommand {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard output has a line that holds the text, or when the command ends. */
  said(text: string): Promise<void>;
}

export interface CommandOptions {
  readonly cwd: string;
  /** A command to put before ours. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `drayage` with these arguments, its data folder inside `cwd`. */
export function startCommand(args: readonly string[], { cwd, within = [], env = {} }: CommandOptions): StartedCommand {
  const [program = '', ...rest] = [...within, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const heard = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    heard.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    heard.stderr += text;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, ...heard })),
  );
  const said = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => heard.stdout.includes(text) && resolve();
      child.stdout?.on('data', look);
      look();
      void ended.then(() => resolve());
    });
  return { process: child, ended, said };
}

export function runCommand(args: readonly string[], options: CommandOptions): Promise<Ended> {
  return startCommand(args, options).ended;
}

/** Process ids below this one, from /proc. */
export function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

/** True while the process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the condition holds, at most `limitMs`; tells whether it came to hold. */
export async function comesTrue(holds: () => boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) return false;
    await wait(10);
  }
  return true;
}

/** Free at this moment; nobody else picks it in a test's time. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
