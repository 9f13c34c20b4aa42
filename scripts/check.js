import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { node, orSay, root, setup } from './setup.js';

/** @typedef {{ name: string, args: string[] }} Step */

const AT_A_TIME = 2;

await orSay(async () => {
  await setup();
  const waiting = steps();
  const results = await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      let passed = true;
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        passed = (await run(step)) && passed;
      }
      return passed;
    }),
  );
  if (results.includes(false)) process.exitCode = 1;
});

/** @returns {Step[]} */
function steps() {
  const tool = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
  const projects = ['.', 'server', 'sdk', 'console'].filter((folder) =>
    existsSync(join(root, folder, 'tsconfig.json')),
  );
  return [
    { name: 'format, lint, size limits', args: [tool('biome'), 'ci', '--colors=off', '--error-on-warnings', '.'] },
    ...projects.map((folder) => ({ name: `types of ${folder}`, args: [tool('tsc'), '-p', folder] })),
    { name: 'unused exports, files, dependencies', args: [tool('knip')] },
    {
      name: 'import rules, no exemptions',
      args: [
        '--test',
        `--test-reporter=${join(root, 'scripts', 'reporter.js')}`,
        'server/test/imports.test.ts',
        'server/test/limits.test.ts',
      ],
    },
  ];
}

/**
 * Prints what the step says only if it fails.
 * @param {Step} step
 * @returns {Promise<boolean>} whether it passed
 */
function run({ name, args }) {
  const begun = Date.now();
  let output = '';
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = ((Date.now() - begun) / 1000).toFixed(1);
      process.stdout.write(
        code === 0 ? `ok      ${name} (${seconds} s)\n` : `\nFAILED  ${name} (${seconds} s)\n${output}\n`,
      );
      resolve(code === 0);
    });
  });
}
