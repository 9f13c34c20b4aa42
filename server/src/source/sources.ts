import type { SourceOptions } from './options.ts';
import type { Source } from './source.ts';

/** Every kind of source there is, by the `type` of its options. */
const SOURCES: Readonly<Record<SourceOptions['type'], () => Promise<Source>>> = {
  duckdb: async () => (await import('./duckdb/duckdb.ts')).duckdb,
  postgres: async () => (await import('./postgres/postgres.ts')).postgres,
};

/** Only the one that is asked for is loaded: PostgreSQL's driver takes 30 ms of a child's start. */
export function loadSource(type: SourceOptions['type']): Promise<Source> {
  return SOURCES[type]();
}
