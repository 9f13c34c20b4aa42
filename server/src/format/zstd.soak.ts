import './zstd.test.ts';
import './zstd-blocks.test.ts';
import './zstd-frame.test.ts';
