/** A Parquet file to Avro by DuckDB's Node binding and avsc. Arguments: input, output, codec, threads. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deflateRaw, zstdCompress } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import avro from 'avsc';

/** Bytes to a block before compression; the library's own 64 KB make it slower. */
const BLOCK_BYTES = 256 * 1024;

type Done = (error: null, block: Buffer) => void;

/** JavaScript's numbers end at 2^53. */
const long = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => Number(left > right) - Number(left < right),
});

const type = avro.Type.forSchema(
  {
    type: 'record',
    name: 'event',
    fields: [
      { name: 'event_id', type: 'string' },
      { name: 'tenant', type: 'string' },
      { name: 'user_id', type: 'long' },
      { name: 'company_id', type: 'long' },
      { name: 'event_type', type: 'string' },
      { name: 'occurred_at', type: 'long' },
      { name: 'properties', type: 'string' },
      { name: 'amount', type: 'bytes' },
      { name: 'flag', type: 'boolean' },
      { name: 'note', type: ['null', 'string'] },
    ],
  },
  { registry: { long }, wrapUnions: false },
);

const [input = '', output = '', codec = 'null', threads = '2'] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
const encoder = new avro.streams.BlockEncoder(type, {
  codec,
  blockSize: BLOCK_BYTES,
  codecs: { null: (block: Buffer, done: Done) => done(null, block), deflate: deflateRaw, zstandard: zstdCompress },
});
await pipeline(Readable.from(events()), encoder, createWriteStream(output));

async function* events(): AsyncGenerator<Record<string, unknown>> {
  const result = await connection.stream(`select event_id::varchar, tenant, user_id, company_id, event_type,
    epoch_us(occurred_at), properties, (amount * 10000)::bigint, flag, note from read_parquet('${input}')`);
  for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) {
    for (const row of chunk.getRows()) yield record(row);
  }
}

function record(row: readonly unknown[]): Record<string, unknown> {
  const [event_id, tenant, user_id, company_id, event_type, occurred_at, properties, unscaled, flag, note] = row;
  const amount = Buffer.alloc(8);
  amount.writeBigInt64BE(BigInt(String(unscaled)));
  return { event_id, tenant, user_id, company_id, event_type, occurred_at, properties, amount, flag, note };
}
