#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endLike, launch } from './launch.js';

// The first Node that runs the source as it is: types stripped, `await using` known.
const OLDEST_MAJOR = 24;

const here = fileURLToPath(import.meta.url);
const pinned = runsSource() ? null : pinnedNode();
if (runsSource()) {
  // Stripped types and compiled code are kept for the next start, a third of a second sooner.
  module.enableCompileCache?.();
  await import('../src/cli/main.ts');
} else if (pinned === null) {
  process.stderr.write(`drayage needs Node ${OLDEST_MAJOR} or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
} else {
  endLike(await launch(pinned, [here, ...process.argv.slice(2)]));
}

function runsSource() {
  return Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR;
}

/** The Node that the workspace around this file has installed, or null. */
function pinnedNode() {
  for (let folder = dirname(here); folder !== dirname(folder); folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(node)) return node;
  }
  return null;
}
