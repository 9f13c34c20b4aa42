import { join } from 'node:path';
import { root, startPinned } from './setup.js';

const BENCHES = ['run', 'create'];

const [first = 'run', ...rest] = process.argv.slice(2);
const [name, args] = BENCHES.includes(first) ? [first, rest] : ['run', process.argv.slice(2)];
await startPinned([join(root, 'benchmarks', `${name}.ts`), ...args]);
