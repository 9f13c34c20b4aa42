import { killExports } from './kills.ts';

// Every place, format and victim; the soak kills 300 times.
killExports(8);
