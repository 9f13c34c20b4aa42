import { killServices } from './service-kills.ts';

killServices({ kills: 66, perPhase: 8, bigRows: 400_000 });
