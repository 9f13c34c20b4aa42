import './zstd.test.ts';
