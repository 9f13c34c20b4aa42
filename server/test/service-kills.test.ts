import { killServices } from './service-kills.ts';

// The soak strikes 66 times.
killServices({ kills: 6, perPhase: 1, bigRows: 100_000 });
