// Runs on Node 20 and before anything is installed: plain JavaScript, no dependency.
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endLike, launch } from '../server/bin/launch.js';
import { withLock } from './lock.js';

/** The folder of the workspace. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The Node that the workspace runs on; there after `setup`. */
export const node = join(root, 'node_modules', 'node', 'bin', 'node');

const stampFile = join(root, 'node_modules', '.drayage-install');
const lockFile = join(root, '.install.lock');
const NO_NETWORK = /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/;

/** What keeps the workspace from starting, in words for who started it. */
class SetupError extends Error {}

/**
 * Installs what is missing, runs the pinned Node with `args` in its place and ends as it ended.
 * @param {readonly string[]} args
 */
export async function startPinned(args) {
  await orSay(async () => {
    await setup();
    endLike(await launch(node, args));
  });
}

/**
 * Does the work of a script; what stops it is said in one line instead of a stack.
 * @param {() => Promise<void>} work
 */
export async function orSay(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say(error instanceof SetupError ? error.message : `${error.stack}`);
    process.exitCode = 1;
  }
}

/** Makes sure that node_modules holds what package-lock.json says, on this platform. */
export async function setup() {
  if (isInstalled()) return;
  const waiting = (/** @type {string} */ holder) => say(`waiting for the installation that ${holder} has begun …`);
  await withLock(lockFile, { waiting }, async () => {
    if (!isInstalled()) await install();
  }).catch((error) => {
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
    throw new SetupError(`The packages must be installed, but ${root} is not writable for this user.`);
  });
}

function isInstalled() {
  if (!isExecutable(node)) return false;
  const wanted = Object.entries(readPackages(join(root, 'package-lock.json'))).filter(
    ([path, entry]) => path !== '' && !entry.optional,
  );
  if (!wanted.every(([path]) => existsSync(join(root, path, 'package.json')))) return false;
  if (readOrEmpty(stampFile) === stamp()) return true;
  return adopt(wanted);
}

/**
 * An `npm ci` or `npm install` by hand counts too: npm's own record, written last, then agrees with the lock file.
 * @param {[string, LockEntry][]} wanted
 */
function adopt(wanted) {
  const stamped = readOrEmpty(stampFile);
  if (stamped !== '' && !stamped.endsWith(` ${platform()}\n`)) return false;
  const found = readPackages(join(root, 'node_modules', '.package-lock.json'));
  const same = wanted.every(
    ([path, { version, integrity }]) => found[path]?.version === version && found[path]?.integrity === integrity,
  );
  if (same) writeStamp();
  return same;
}

function writeStamp() {
  try {
    writeFileSync(stampFile, stamp());
  } catch {
    // Installed by another user: the next start compares again, which takes a few ms.
  }
}

// The lock file also pins the Node version, so the hash covers it.
function stamp() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${platform()}\n`;
}

function platform() {
  return `${process.platform}-${process.arch}`;
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry */

/**
 * @param {string} file
 * @returns {Record<string, LockEntry>}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return {};
  }
}

async function install() {
  say('installing packages (first start or changed lock file; this takes about a minute) …');
  const begun = Date.now();
  const { ending, output } = await runNpm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  if (ending.signal !== null || output.includes('npm error process terminated')) {
    throw new SetupError('The installation was interrupted; the next start repeats it.');
  }
  if (ending.code !== 0) {
    const why = NO_NETWORK.test(output) ? 'no npm registry answers; is there a network?' : 'npm ci failed, see above.';
    throw new SetupError(`npm says:\n${output.trim()}\ndrayage: The packages could not be installed: ${why}`);
  }
  if (!isExecutable(node)) {
    throw new SetupError(
      'npm ci installed no Node: a setting of npm (ignore-scripts?) kept its install script from running.',
    );
  }
  writeStamp();
  say(`installed in ${Math.round((Date.now() - begun) / 1000)} s.`);
}

/** @param {string[]} args */
async function runNpm(args) {
  const [command, before] = npm();
  let output = '';
  const started = (/** @type {import('node:child_process').ChildProcess} */ child) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
  };
  const ending = await launch(command, [...before, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    started,
  }).catch((cause) => {
    throw new SetupError(`npm could not be started: ${cause.message}`, { cause });
  });
  return { ending, output };
}

/**
 * The npm that started us, run by the Node that runs it: the one of this workspace is about to be replaced.
 * @returns {[string, string[]]}
 */
function npm() {
  const { npm_execpath: script = '', npm_node_execpath: runner = '' } = process.env;
  const isNpm = /^npm(-cli)?\.c?js$/.test(basename(script)) && existsSync(script);
  return isNpm ? [existsSync(runner) ? runner : process.execPath, [script]] : ['npm', []];
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} file */
function readOrEmpty(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`drayage: ${text}\n`);
}
