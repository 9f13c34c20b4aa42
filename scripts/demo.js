import { join } from 'node:path';
import { root, startPinned } from './setup.js';

await startPinned([join(root, 'server', 'src', 'cli', 'main.ts'), 'demo', ...process.argv.slice(2)]);
