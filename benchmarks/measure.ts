import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A finished command: wall time and the highest sum of resident memory of its process tree. */
export interface Measured {
  readonly seconds: number;
  readonly peakMb: number;
}

const SAMPLE_MS = 100;
const PAGE_BYTES = 4096;
const GIVE_UP_MS = 10 * 60_000;

/** Runs a command and samples the memory of it and all its descendants every 100 ms. Throws when it fails. */
export async function measure(command: readonly string[]): Promise<Measured> {
  const [program = '', ...args] = command;
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: GIVE_UP_MS });
  let words = '';
  child.stderr.on('data', (data: Buffer) => {
    words = (words + data).slice(-2000);
  });
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, treeBytes(child.pid ?? 0));
  }, SAMPLE_MS);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${words}`);
  return { seconds: (performance.now() - started) / 1000, peakMb: peakBytes / 1e6 };
}

/** Resident bytes of a process and its descendants, from /proc. */
function treeBytes(root: number): number {
  const parents = new Map<number, number>();
  const bytes = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(Number(name), Number(fields[1]));
      bytes.set(Number(name), Number(fields[21]) * PAGE_BYTES);
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  const isInTree = (pid: number): boolean => pid === root || (parents.has(pid) && isInTree(parents.get(pid) ?? 0));
  return [...bytes].filter(([pid]) => isInTree(pid)).reduce((sum, [, each]) => sum + each, 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
