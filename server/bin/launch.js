import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** @typedef {{ code: number, signal: null } | { code: null, signal: NodeJS.Signals }} Ending */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('node:child_process').SpawnOptions & { started?: (child: ChildProcess) => void }} Options */

/** @type {NodeJS.Signals[]} */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

// A terminal's Ctrl-C reaches every process of the group within a few ms; the rest is room for a busy machine.
const JUDGE_AFTER_MS = 250;
// npm repeats a signal to its script that the group has already had; within this time both are one.
const SAME_SIGNAL_MS = 1000;

/**
 * Runs a program in this process group and resolves to how it ended; rejects when it cannot be started.
 * The program gets each signal once: one sent to the whole group (Ctrl-C) reaches it without us,
 * one sent to this process alone (`kill PID`) is passed on.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Options} [options]
 * @returns {Promise<Ending>}
 */
export async function launch(command, args, { started, ...options } = {}) {
  const witness = groupWitness();
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  started?.(child);
  const passOn = signalPasser(child, witness);
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
    await witness.dismiss();
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

/**
 * @param {ChildProcess} child
 * @param {ReturnType<typeof groupWitness>} witness
 * @returns {(signal: NodeJS.Signals) => void}
 */
function signalPasser(child, witness) {
  /** @type {Set<NodeJS.Signals>} */
  const recent = new Set();
  return (signal) => {
    if (recent.has(signal)) return;
    recent.add(signal);
    setTimeout(() => {
      if (!witness.fell()) child.kill(signal);
      witness.renew();
    }, JUDGE_AFTER_MS).unref();
    setTimeout(() => recent.delete(signal), SAME_SIGNAL_MS).unref();
  };
}

/** A bystander in our process group: a signal that ends it was sent to the group, not to us alone. */
function groupWitness() {
  let bystander = startBystander();
  return {
    fell: () => bystander.exitCode !== null || bystander.signalCode !== null,
    renew() {
      if (this.fell()) bystander = startBystander();
    },
    /** Waits until it is gone: where nothing reaps orphans it would stay behind as a zombie. */
    async dismiss() {
      if (this.fell() || bystander.pid === undefined) return;
      const gone = once(bystander, 'exit');
      bystander.ref();
      bystander.kill('SIGKILL');
      await gone;
    },
  };
}

/** `cat` also ends by itself, its input closed, when this process is gone. */
function startBystander() {
  const bystander = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
  for (const part of [bystander, bystander.stdin]) part.on('error', () => bystander.unref());
  bystander.unref();
  // @ts-expect-error a pipe to a child is a socket, which can be unreferenced
  bystander.stdin.unref();
  return bystander;
}
