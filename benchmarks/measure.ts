import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A finished command. */
export interface Measured {
  readonly seconds: number;
  /** User and system time of it and all its descendants. */
  readonly cpuSeconds: number;
  /** The highest sum of the resident memory of its process tree. Pages that processes share count in each. */
  readonly peakMb: number;
}

/** Often enough to see what lasts; reading /proc this often costs about 2 % of one core. */
const SAMPLE_MS = 100;
const PAGE_BYTES = 4096;
/** In ticks of 10 ms, as Linux has it on every platform Node runs on. */
const TICKS_PER_SECOND = 100;
const GIVE_UP_MS = 10 * 60_000;
/** From SIGTERM to SIGKILL: time enough to remove temporary files. */
const KILL_AFTER_MS = 5000;

let current: ChildProcess | null = null;
let isOver = false;

/** Ends the command that is being measured, with its descendants, and lets no other begin. For Ctrl-C. */
export function endMeasuring(): void {
  isOver = true;
  if (current) killTree(current, 'SIGKILL');
}

/** Runs a command, one at a time, and samples the memory of its process tree. Throws when it fails or takes 10 minutes. */
export async function measure(command: readonly string[]): Promise<Measured> {
  // What is started now would outlive the benchmark.
  if (isOver) return new Promise(() => {});
  const [program = '', ...args] = command;
  const cpuBefore = cpuOfEndedChildren();
  const started = performance.now();
  // A group of its own, so that all of it can be ended.
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  current = child;
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, treeBytes(child.pid ?? 0));
  }, SAMPLE_MS);
  const [late, never] = [
    setTimeout(() => killTree(child, 'SIGTERM'), GIVE_UP_MS),
    setTimeout(() => killTree(child, 'SIGKILL'), GIVE_UP_MS + KILL_AFTER_MS),
  ];
  const ending = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`));
  });
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  for (const each of [late, never]) clearTimeout(each);
  current = null;
  if (ending !== null) throw new Error(`${ending}: ${words.trim()}`);
  return { seconds, cpuSeconds: cpuOfEndedChildren() - cpuBefore, peakMb: peakBytes / 1e6 };
}

function killTree(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}

/** Seconds of processor time of children that have ended and were waited for, and of their descendants. */
function cpuOfEndedChildren(): number {
  const fields = statFields(readFileSync('/proc/self/stat', 'utf8'));
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** Resident bytes of a process and its descendants, from /proc. */
function treeBytes(root: number): number {
  const parents = new Map<number, number>();
  const bytes = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const fields = statFields(readFileSync(`/proc/${name}/stat`, 'utf8'));
      parents.set(Number(name), Number(fields[1]));
      bytes.set(Number(name), Number(fields[21]) * PAGE_BYTES);
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  const isInTree = (pid: number): boolean => pid === root || (parents.has(pid) && isInTree(parents.get(pid) ?? 0));
  return [...bytes].filter(([pid]) => isInTree(pid)).reduce((sum, [, each]) => sum + each, 0);
}

/** The fields of /proc/PID/stat from the third on: the second, the name, may hold blanks and brackets. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
