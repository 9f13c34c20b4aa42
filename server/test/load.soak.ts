import { holdLimits } from './load.ts';

holdLimits({ creates: 200, claims: Number.POSITIVE_INFINITY });
