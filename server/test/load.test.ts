import { holdLimits } from './load.ts';

holdLimits({ watchMs: 6000, untilDone: false });
