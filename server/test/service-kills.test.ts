import { killServices } from './service-kills.ts';

// The soak strikes 66 times.
killServices({ kills: 12, perPhase: 2, bigRows: 150_000 });
