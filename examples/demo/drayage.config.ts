import { resolve } from 'node:path';
import { defineConfig } from 'drayage';

/** Where `drayage demo` keeps what it makes. */
const folder = resolve(process.env.DRAYAGE_DATA || '.drayage', 'demo');

export default defineConfig({
  tiers: {
    enterprise: { concurrentRuns: 2, queuedRuns: 1000 },
    free: { formats: ['csv', 'jsonl'], maxWindow: '7d', concurrentRuns: 1, queuedRuns: 20, fileLife: '1d' },
  },
  datasets: {
    events: {
      source: { type: 'duckdb', files: [`${folder}/events-fixed.parquet`, `${folder}/events-recent.parquet`] },
      columns: [
        { name: 'event_id', type: 'uuid' },
        { name: 'tenant', type: 'text', description: 'Whose event it is; never exported' },
        { name: 'user_id', type: 'int64' },
        { name: 'company_id', type: 'int64' },
        { name: 'event_type', type: 'text' },
        { name: 'occurred_at', type: 'instant', description: 'UTC, exact to the microsecond' },
        { name: 'properties', type: 'json' },
        { name: 'amount', type: 'decimal(18,4)', description: 'Of purchases and refunds' },
        { name: 'flag', type: 'bool' },
        { name: 'note', type: 'text' },
      ],
      key: ['event_id'],
      time: 'occurred_at',
      tenancy: { column: 'tenant' },
    },
  },
});
