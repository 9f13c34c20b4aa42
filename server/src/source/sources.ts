import { duckdb } from './duckdb/duckdb.ts';
import type { SourceOptions } from './options.ts';
import { postgres } from './postgres/postgres.ts';
import type { Source } from './source.ts';

/** Every kind of source there is, by the `type` of its options. */
export const sources: Readonly<Record<SourceOptions['type'], Source>> = { duckdb, postgres };
