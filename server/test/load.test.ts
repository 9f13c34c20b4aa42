import { holdLimits } from './load.ts';

// The soak watches until all are done.
holdLimits({ creates: 60, claims: 36 });
