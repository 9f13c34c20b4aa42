import type duckdb from '@duckdb/node-bindings';
import type { Layout, Vectors } from '../column/vectors.ts';
import { ChunkVectors } from './chunk-vectors.ts';
import type { Connection } from './connection.ts';
import { type EngineType, readType } from './engine-types.ts';
import { prepareSelect } from './statement.ts';

export interface Rows {
  readonly names: readonly string[];
  readonly types: readonly EngineType[];
  readonly rows: readonly (readonly unknown[])[];
}

/** All rows of a small result. Integers of 64 bits are bigint. */
export async function readRows(connection: Connection, sql: string): Promise<Rows> {
  const { bindings } = connection;
  using prepared = await prepareSelect(connection, sql);
  const result = await prepared.run();
  const columns = Array.from({ length: bindings.column_count(result) }, (_, at) => at);
  const names = columns.map((at) => bindings.column_name(result, at));
  const types = columns.map((at) => readType(bindings, bindings.column_logical_type(result, at)));
  const layouts = types.flatMap(({ sql }) => (Object.hasOwn(LAYOUTS, sql) ? [LAYOUTS[sql] as Layout] : []));
  const rows = layouts.length < types.length ? await readAny(result) : await readPlain(connection, result, layouts);
  return { names, types, rows };
}

/** Values that are read here; for a few of them, the engine's own reader would take longer to load than all else takes. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  VARCHAR: { is: 'text' },
  BOOLEAN: { is: 'bool' },
  INTEGER: { is: 'int32', scale: 0 },
  BIGINT: { is: 'int64', scale: 0 },
};

async function readAny(result: duckdb.Result): Promise<Rows['rows']> {
  const { DuckDBMaterializedResult } = await import('@duckdb/node-api');
  return new DuckDBMaterializedResult(result).getRowsJS();
}

async function readPlain({ bindings }: Connection, result: duckdb.Result, layouts: readonly Layout[]) {
  const rows: unknown[][] = [];
  for (let chunk = await bindings.fetch_chunk(result); chunk !== null; chunk = await bindings.fetch_chunk(result)) {
    const count = bindings.data_chunk_get_size(chunk);
    if (count === 0) break;
    using vectors = new ChunkVectors(bindings, chunk, { layouts, rows: count });
    const columns = layouts.map(({ is }, column) => cellsOf(vectors, column, is));
    for (let row = 0; row < count; row++) rows.push(columns.map((cells) => cells[row]));
  }
  return rows;
}

function cellsOf(vectors: Vectors, column: number, is: Layout['is']): unknown[] {
  const bytes = vectors.values(column);
  const values = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const validity = vectors.validity(column);
  return Array.from({ length: vectors.rows }, (_, row) => {
    if (validity !== null && (((validity[row >> 3] as number) >> (row & 7)) & 1) === 0) return null;
    if (is === 'bool') return values[row] === 1;
    if (is === 'int32') return values.readInt32LE(row * 4);
    if (is === 'int64') return values.readBigInt64LE(row * 8);
    const length = values.readUInt32LE(row * 16);
    if (length <= 12) return values.toString('utf8', row * 16 + 4, row * 16 + 4 + length);
    return Buffer.from(vectors.beyond(bytes, row * 16 + 8, length)).toString();
  });
}
