import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** @typedef {{ code: number, signal: null } | { code: null, signal: NodeJS.Signals }} Ending */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('node:child_process').SpawnOptions & { started?: (child: ChildProcess) => void }} Options */

/** @type {NodeJS.Signals[]} */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program in this process group and resolves to how it ended; rejects when it cannot be started.
 * Signals are passed on. A terminal's Ctrl-C reaches the program by itself too: twice is as good as once to ours.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<Ending>}
 */
export async function launch(command, args, { started, ...options } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  started?.(child);
  const passOn = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve(signal ? { code: null, signal } : { code: code ?? 1, signal: null }),
      );
    });
  } finally {
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}

/**
 * Ends this process the way the program ended.
 * @param {Ending} ending
 */
export function endLike(ending) {
  if (ending.signal === null) process.exitCode = ending.code;
  else if (PASSED_ON.includes(ending.signal)) process.kill(process.pid, ending.signal);
  else process.exitCode = 128 + (constants.signals[ending.signal] ?? 0);
}
