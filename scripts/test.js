import { runTests } from './tests.js';

await runTests({ ending: /\.test\.[jt]s$/, testTimeoutMs: 120_000, totalMs: 12 * 60_000 });
