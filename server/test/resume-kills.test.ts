import { killAndResume } from './resume-kills.ts';

// The soak strikes 100 times, over every format.
killAndResume({ kills: 7, segments: 8, asks: ['csv gzip', 'parquet', 'csv ordered'] });
