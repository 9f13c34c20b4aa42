/** PostgreSQL to JSON lines by pg-query-stream and JSON.stringify. Arguments: URL, table, output. */
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openRows } from './rows.ts';

const [url = '', table = '', output = ''] = process.argv.slice(2);
const { rows, close } = await openRows(url, `select * from ${table}`, { json: 'parsed' });
const lines = new Transform({
  writableObjectMode: true,
  transform(row, _encoding, done) {
    done(null, `${JSON.stringify(row)}\n`);
  },
});
await pipeline(rows, lines, createWriteStream(output));
await close();
