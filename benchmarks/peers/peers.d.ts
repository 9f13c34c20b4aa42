// What the peers' scripts use of packages that are installed for a benchmark only.

declare module 'csv-stringify' {
  export function stringify(options: {
    header: boolean;
    cast: { boolean: (value: boolean) => string };
  }): import('node:stream').Transform;
}

declare module 'fast-csv' {
  export function format(options: { headers: boolean }): import('node:stream').Transform;
}

declare module 'pg-query-stream' {
  import { Readable } from 'node:stream';
  import type { Connection } from 'pg';

  class QueryStream extends Readable {
    constructor(sql: string, values: readonly unknown[], options: { batchSize: number; types: object });
    submit(connection: Connection): void;
  }
  export = QueryStream;
}

declare module '@dsnp/parquetjs' {
  interface Field {
    readonly type: 'UTF8' | 'INT64' | 'BOOLEAN' | 'TIMESTAMP_MICROS';
    readonly compression: 'SNAPPY';
    readonly optional?: boolean;
  }
  export class ParquetSchema {
    constructor(fields: Record<string, Field>);
  }
  export class ParquetWriter {
    static openFile(schema: ParquetSchema, path: string, options: { rowGroupSize: number }): Promise<ParquetWriter>;
    appendRow(row: object): Promise<void>;
    close(): Promise<void>;
  }
}

declare module 'nodejs-polars' {
  export function scanParquet(path: string): { sinkCSV(path: string): { collectSync(): unknown } };
}
