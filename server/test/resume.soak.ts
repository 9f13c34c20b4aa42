import { killAndResume } from './resume-kills.ts';

killAndResume({ kills: 100, segments: 16 });
