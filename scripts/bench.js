import { join } from 'node:path';
import { root, startPinned } from './setup.js';

await startPinned([join(root, 'benchmarks', 'run.ts'), ...process.argv.slice(2)]);
