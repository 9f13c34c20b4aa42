import { killAndResume } from './resume-kills.ts';

// The soak strikes 100 times, over every format.
killAndResume({ kills: 8, segments: 8, asks: ['csv gzip', 'csv zstd', 'parquet', 'csv ordered'] });
