/** PostgreSQL to Parquet by pg-query-stream and @dsnp/parquetjs. Arguments: URL, table, output. */
import { ParquetSchema, ParquetWriter } from '@dsnp/parquetjs';
import { openRows } from './rows.ts';

/** Its own 4096 make files that are slow to read. */
const ROW_GROUP_ROWS = 50_000;

// The library computes decimals as doubles, so the amount is text.
const schema = new ParquetSchema({
  event_id: { type: 'UTF8', compression: 'SNAPPY' },
  tenant: { type: 'UTF8', compression: 'SNAPPY' },
  user_id: { type: 'INT64', compression: 'SNAPPY' },
  company_id: { type: 'INT64', compression: 'SNAPPY' },
  event_type: { type: 'UTF8', compression: 'SNAPPY' },
  occurred_at: { type: 'TIMESTAMP_MICROS', compression: 'SNAPPY' },
  properties: { type: 'UTF8', compression: 'SNAPPY' },
  amount: { type: 'UTF8', compression: 'SNAPPY' },
  flag: { type: 'BOOLEAN', compression: 'SNAPPY' },
  note: { type: 'UTF8', compression: 'SNAPPY', optional: true },
});

const [url = '', table = '', output = ''] = process.argv.slice(2);
const sql = `select event_id, tenant, user_id, company_id, event_type,
  (extract(epoch from occurred_at) * 1000000)::int8 as occurred_at, properties, amount, flag, note from ${table}`;
const { rows, close } = await openRows(url, sql, { json: 'text' });
const writer = await ParquetWriter.openFile(schema, output, { rowGroupSize: ROW_GROUP_ROWS });
for await (const row of rows) await writer.appendRow(row);
await writer.close();
await close();
