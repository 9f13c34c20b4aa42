import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endLike, launch } from '../server/bin/launch.js';
import { node, orSay, root, setup } from './setup.js';

const FOLDERS = ['server', 'sdk', 'console', 'scripts'];
// After the time is up, how long the runner has to say what was still running.
const LAST_WORDS_MS = 20_000;

/**
 * Runs the test files whose name ends so on the pinned Node. Arguments of the command line: files and folders
 * to run only these, and options for `node --test`.
 * @param {{ ending: RegExp, testTimeoutMs: number, totalMs: number }} suite
 */
export async function runTests({ ending, testTimeoutMs, totalMs }) {
  await orSay(async () => {
    await setup();
    const args = process.argv.slice(2);
    const files = chosen(
      args.filter((arg) => !arg.startsWith('-')),
      findFiles(ending),
    );
    if (files.length === 0) return noTests();
    // Stripped types and compiled code are kept for the next start, in the many processes that tests start too.
    process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compiled');
    const options = [
      '--test',
      '--test-concurrency=3',
      `--test-timeout=${testTimeoutMs}`,
      `--test-reporter=${here('reporter.js')}`,
      `--import=${here('leftovers.js')}`,
      ...args.filter((arg) => arg.startsWith('-')),
    ];
    const ended = await launch(node, [...options, ...files], {
      cwd: root,
      started: (runner) => stopAfter(totalMs, runner),
    });
    if (ended.signal === 'SIGKILL') process.stdout.write('The test runner was killed.\n0 passed, 1 failed\n');
    endLike(ended);
  });
}

/**
 * As an address, since processes that the tests fork inherit it and stand elsewhere.
 * @param {string} script
 */
function here(script) {
  return pathToFileURL(join(root, 'scripts', script)).href;
}

/** @param {RegExp} ending */
function findFiles(ending) {
  return FOLDERS.filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => filesBelow(join(root, folder)))
    .filter((file) => ending.test(file))
    .map((file) => relative(root, file))
    .sort();
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path);
    return [path];
  });
}

/**
 * @param {string[]} asked files and folders, relative to where the user stands
 * @param {string[]} files
 */
function chosen(asked, files) {
  if (asked.length === 0) return files;
  const from = process.env.INIT_CWD ?? process.cwd();
  return asked.flatMap((path) => {
    const wanted = relative(root, resolve(from, path));
    const found = files.filter((file) => wanted === '' || file === wanted || file.startsWith(wanted + sep));
    if (found.length === 0) process.stderr.write(`No test file at ${path}.\n`);
    return found;
  });
}

function noTests() {
  process.stdout.write('No tests were found.\n0 passed, 1 failed\n');
  process.exitCode = 1;
}

/**
 * The limit of one test cannot stop a loop that never yields; this one does.
 * @param {number} ms
 * @param {import('node:child_process').ChildProcess} runner
 */
function stopAfter(ms, runner) {
  const timer = setTimeout(() => {
    process.stderr.write(`The tests have not finished within ${ms / 60_000} minutes.\n`);
    runner.kill('SIGTERM');
    setTimeout(() => runner.kill('SIGKILL'), LAST_WORDS_MS).unref();
  }, ms);
  runner.once('exit', () => clearTimeout(timer));
}
