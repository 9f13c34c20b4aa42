/** PostgreSQL to CSV by pg-query-stream and fast-csv. Arguments: URL, table, output. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { format } from 'fast-csv';
import { openRows } from './rows.ts';

const [url = '', table = '', output = ''] = process.argv.slice(2);
const { rows, close } = await openRows(url, `select * from ${table}`, { json: 'text' });
await pipeline(rows, format({ headers: true }), createWriteStream(output));
await close();
