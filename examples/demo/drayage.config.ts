import { resolve } from 'node:path';
import { defineConfig } from 'drayage';

/** Where `drayage demo` keeps what it makes. */
const folder = resolve(process.env.DRAYAGE_DATA || '.drayage', 'demo');

function parquet(...names: string[]) {
  return { type: 'duckdb' as const, files: names.map((name) => `${folder}/${name}.parquet`) };
}

/** A dialect's shape gives columns, types, key and time; whose a row is stands in one column more. */
function userpilot(name: string) {
  return {
    source: parquet(name),
    // The vendor prints app_token, and a column of tenancy is never printed: so it is there twice.
    columns: [{ name: 'tenant', from: 'app_token' }],
    tenancy: { column: 'tenant' },
  };
}

function batch(name: string) {
  return { source: parquet(name), columns: [{ name: 'app' }], tenancy: { column: 'app' } };
}

function ironclad(...names: string[]) {
  return {
    source: parquet(...names),
    // The vendor prints the site, so it is there twice, too.
    columns: [{ name: 'tenant', from: 'site' }],
    tenancy: { column: 'tenant' },
  };
}

export default defineConfig({
  hosts: {
    'shoal.localhost': 'shoal',
    'userpilot.localhost': 'userpilot',
    'batch.localhost': 'batch',
    'ironclad.localhost': 'ironclad',
  },
  tiers: {
    enterprise: { concurrentRuns: 2, queuedRuns: 1000 },
    growth: { dialects: ['native'], maxWindow: '90d', concurrentRuns: 2, queuedRuns: 100 },
    starter: { dialects: ['native'], maxWindow: '30d', concurrentRuns: 1, queuedRuns: 50 },
    basic: { dialects: ['native'], maxWindow: '30d', concurrentRuns: 1, queuedRuns: 50 },
    free: {
      dialects: ['native'],
      formats: ['csv', 'jsonl'],
      maxWindow: '7d',
      concurrentRuns: 1,
      queuedRuns: 20,
      fileLife: '1d',
    },
  },
  datasets: {
    events: {
      source: parquet('events-fixed', 'events-recent'),
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

    'shoal.events': { source: parquet('shoal.events-fixed', 'shoal.events-recent'), tenancy: 'shared' },
    'shoal.timeline': { source: parquet('shoal.timeline-fixed', 'shoal.timeline-recent'), tenancy: 'shared' },
    'shoal.organizations': { source: parquet('shoal.organizations'), tenancy: 'shared' },

    'userpilot.events': userpilot('userpilot.events'),
    'userpilot.user_properties': userpilot('userpilot.user_properties'),
    'userpilot.company_properties': userpilot('userpilot.company_properties'),
    'userpilot.features_events': userpilot('userpilot.features_events'),
    'userpilot.resource_center_modules': userpilot('userpilot.resource_center_modules'),
    'userpilot.checklists': userpilot('userpilot.checklists'),
    'userpilot.flows': userpilot('userpilot.flows'),
    'userpilot.banners': userpilot('userpilot.banners'),
    'userpilot.spotlights': userpilot('userpilot.spotlights'),
    'userpilot.embeds': userpilot('userpilot.embeds'),
    'userpilot.surveys': userpilot('userpilot.surveys'),
    'userpilot.segments': userpilot('userpilot.segments'),
    'userpilot.events_properties': userpilot('userpilot.events_properties'),

    'batch.push': { ...batch('batch.push'), lookback: '90d' },
    'batch.transactional': { ...batch('batch.transactional'), lookback: '90d' },
    'batch.inapp': { ...batch('batch.inapp'), lookback: '90d' },
    'batch.reachability': { ...batch('batch.reachability'), lookback: '90d' },
    'batch.installs': batch('batch.installs'),
    'batch.targets': batch('batch.targets'),

    'ironclad.activities': ironclad('ironclad.activities-fixed', 'ironclad.activities-recent'),
    'ironclad.contract_versions': ironclad('ironclad.contract_versions'),
    'ironclad.sites': ironclad('ironclad.sites'),
  },
});
