#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endLike, launch } from './launch.js';

// The first Node that runs TypeScript by itself.
const OLDEST = { major: 22, minor: 18 };

const here = fileURLToPath(import.meta.url);
const pinned = runsTypeScript() ? null : pinnedNode();
if (runsTypeScript()) {
  // Stripped types and compiled code are kept for the next start, a third of a second sooner.
  module.enableCompileCache?.();
  await import('../src/cli/main.ts');
} else if (pinned === null) {
  process.stderr.write(`drayage needs Node ${OLDEST.major}.${OLDEST.minor} or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
} else {
  endLike(await launch(pinned, [here, ...process.argv.slice(2)]));
}

function runsTypeScript() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}

/** The Node that the workspace around this file has installed, or null. */
function pinnedNode() {
  for (let folder = dirname(here); folder !== dirname(folder); folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(node)) return node;
  }
  return null;
}
