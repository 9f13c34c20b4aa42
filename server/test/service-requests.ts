import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Config } from '../src/job/config.ts';
import type { JobRequest } from './service-client.ts';

/** Tenants and their tiers. */
export const TENANTS = { acme: 'lasting', globex: 'lasting', brief: 'brief' };

/** Long enough that a kill meets them in the middle. */
export const BIG: readonly JobRequest[] = [
  { tenant: 'acme', body: { dataset: 'big', format: 'csv', compression: 'gzip' } },
  { tenant: 'acme', body: { dataset: 'big', format: 'jsonl', order: ['-amount', 'id'] } },
  { tenant: 'acme', body: { dataset: 'big', format: 'parquet' } },
  { tenant: 'acme', body: { dataset: 'big', format: 'csv', filter: { id: { gte: 1000 } } } },
];

export const SMALL: readonly JobRequest[] = [
  { tenant: 'brief', body: { dataset: 'small', format: 'csv' } },
  { tenant: 'globex', body: { dataset: 'small', format: 'parquet' } },
  { tenant: 'brief', body: { dataset: 'small', format: 'jsonl', compression: 'gzip' } },
  { tenant: 'globex', body: { dataset: 'small', format: 'csv', order: ['-id'] } },
];

/** Row groups small enough that many segments are joined one after the other. */
export async function writeSources(folder: string, bigRows: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  for (const [name, rows] of [
    ['big', bigRows],
    ['small', 2000],
  ] as const)
    await connection.run(`copy (select i as id, (i % 9973) / 7 as amount, 'text, "' || i || '"' as text,
      repeat(md5(i::varchar), 4) as ballast from range(${rows}) t(i))
      to '${join(folder, name)}.parquet' (format parquet, row_group_size 20480)`);
  connection.closeSync();
  instance.closeSync();
}

/** Datasets `big` and `small` of the sources in a folder; files of the tier `brief` live two seconds. */
export function configOver(folder: string): Config {
  const columns = ['id', 'amount', 'text', 'ballast'].map((name) => ({ name }));
  const declared = (name: string) => ({
    source: { type: 'duckdb' as const, files: join(folder, `${name}.parquet`) },
    columns,
    key: ['id'],
    tenancy: 'shared' as const,
  });
  return {
    datasets: { big: declared('big'), small: declared('small') },
    tiers: { lasting: { concurrentRuns: 2, queuedRuns: 10_000 }, brief: { fileLife: '2s', queuedRuns: 10_000 } },
    runs: { atOnce: 2, diskFloor: '1MB' },
    native: { requestsPerSecond: 100_000 },
  };
}
