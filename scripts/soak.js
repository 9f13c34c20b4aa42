import { runTests } from './tests.js';

const HOUR_MS = 3_600_000;

process.env.DRAYAGE_SOAK = '1';
await runTests({ ending: /\.soak\.[jt]s$/, testTimeoutMs: HOUR_MS, totalMs: 6 * HOUR_MS });
