import pg from 'pg';
import QueryStream from 'pg-query-stream';

/** Types whose JavaScript values would lose something: 64-bit integers, decimals, instants with microseconds. */
const KEPT_AS_TEXT = [20, 1700, 1184];
const JSON_TYPE = 114;

/** Rows to a round trip; the library's own 100 makes it slower. */
const BATCH_ROWS = 1000;

/** A query's rows as objects, in batches, with backpressure; no value loses anything. */
export async function openRows(
  url: string,
  sql: string,
  { json }: { json: 'text' | 'parsed' },
): Promise<{ rows: QueryStream; close: () => Promise<void> }> {
  const kept = new Set(json === 'text' ? [...KEPT_AS_TEXT, JSON_TYPE] : KEPT_AS_TEXT);
  const asText = (text: string) => text;
  const getTypeParser = (type: number, form?: 'text' | 'binary') =>
    kept.has(type) ? asText : pg.types.getTypeParser(type, form);
  const client = new pg.Client(url);
  await client.connect();
  const rows = client.query(new QueryStream(sql, [], { batchSize: BATCH_ROWS, types: { getTypeParser } }));
  return { rows, close: () => client.end() };
}
