import { killServices } from './service-kills.ts';

killServices({ kills: 24, perPhase: 4, bigRows: 150_000 });
