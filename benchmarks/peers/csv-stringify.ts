/** PostgreSQL to CSV by pg-query-stream and csv-stringify. Arguments: URL, table, output. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import { openRows } from './rows.ts';

const [url = '', table = '', output = ''] = process.argv.slice(2);
const { rows, close } = await openRows(url, `select * from ${table}`, { json: 'text' });
const csv = stringify({ header: true, cast: { boolean: (value) => (value ? 'true' : 'false') } });
await pipeline(rows, csv, createWriteStream(output));
await close();
