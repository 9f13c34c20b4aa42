// Runs on Node 20 and before anything is installed: plain JavaScript, no dependency.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { endLike, launch } from '../server/bin/launch.js';
import { node, orSay, root, setup } from './setup.js';

const BENCHES = ['run', 'memory', 'create', 'flood', 'documents'];

const folder = join(root, 'benchmarks');
const [first = 'run', ...rest] = process.argv.slice(2);
const [name, args] = BENCHES.includes(first) ? [first, rest] : ['run', process.argv.slice(2)];

await orSay(async () => {
  await setup();
  if (name === 'run' && !args.includes('--list')) await setupPeers();
  endLike(await launch(node, [join(folder, `${name}.ts`), ...args]));
});

/** Installs what we are compared with. Without it the comparisons that need it are skipped by name. */
async function setupPeers() {
  if (hasPeers()) return;
  process.stderr.write('drayage: installing the packages to compare with …\n');
  // npm looks at the engines of packages: it runs on the pinned Node, found first on PATH.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
  const options = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code } = await launch('npm', options, { cwd: folder, env });
  if (code !== 0) process.stderr.write('drayage: npm ci failed in the folder benchmarks; going on without.\n');
}

function hasPeers() {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(dependencies).every(([peer, version]) => {
    const file = join(folder, 'node_modules', peer, 'package.json');
    // One of them has a v before its number.
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version.replace(/^v/, '') === version;
  });
}
