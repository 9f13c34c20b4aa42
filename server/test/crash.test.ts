import { killExports } from './kills.ts';

killExports(12);
