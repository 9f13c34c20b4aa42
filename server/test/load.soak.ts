import { holdLimits } from './load.ts';

holdLimits({ watchMs: 10 * 60_000, untilDone: true });
