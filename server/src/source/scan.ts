import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import { LAYOUT_BYTES, type Layout, type Vectors } from '../column/vectors.ts';
import { prepareSelect } from './statement.ts';

/** The rows of a select, in the engine's own memory. */
export interface Scan {
  readonly layouts: readonly Layout[];
  /** Some rows at a time, in order. */
  readonly vectors: AsyncIterable<Vectors>;
}

type Bindings = typeof duckdb;

const SIMPLE: Readonly<Record<string, Layout>> = {
  VARCHAR: { is: 'text' },
  BOOLEAN: { is: 'bool' },
  INTEGER: { is: 'int32', scale: 0 },
  BIGINT: { is: 'int64', scale: 0 },
  UUID: { is: 'uuid' },
  DATE: { is: 'date' },
  TIME: { is: 'time' },
  TIMESTAMP: { is: 'timestamp' },
  'TIMESTAMP WITH TIME ZONE': { is: 'instant' },
};

/** Runs one select and hands its rows to `use` while the engine reads on. The engine's errors go through `translated`. */
export async function scanRows<T>(
  connection: DuckDBConnection,
  select: string,
  translated: <R>(act: () => Promise<R>) => Promise<R>,
  use: (scan: Scan) => Promise<T>,
): Promise<T> {
  const { default: bindings } = await import('@duckdb/node-bindings');
  const prepared = await translated(() => prepareSelect(connection, select));
  try {
    const result = await translated(() => prepared.stream());
    const layouts = result.columnTypes().map(layoutOf);
    return await use({ layouts, vectors: vectorsOf(result, layouts, { bindings, translated }) });
  } finally {
    prepared.destroySync();
  }
}

function layoutOf(type: DuckDBType): Layout {
  if ('width' in type && 'scale' in type && type.width <= 18) {
    return { is: type.width <= 4 ? 'int16' : type.width <= 9 ? 'int32' : 'int64', scale: type.scale };
  }
  const layout = SIMPLE[type.alias === 'JSON' ? 'VARCHAR' : type.toString()];
  if (!layout) throw new Error(`Vectors of ${type.toString()} are read by nobody.`);
  return layout;
}

/** One chunk is fetched while the one before it is used. */
async function* vectorsOf(
  result: DuckDBResult,
  layouts: readonly Layout[],
  { bindings, translated }: { bindings: Bindings; translated: <R>(act: () => Promise<R>) => Promise<R> },
): AsyncGenerator<Vectors> {
  const fetch = () => translated(() => result.fetchChunk());
  let next = fetch();
  try {
    for (let chunk = await next; chunk !== null && chunk.rowCount > 0; chunk = await next) {
      next = fetch();
      yield new ChunkVectors(bindings, chunk.chunk, layouts);
    }
  } finally {
    await next.catch(() => null);
  }
}

class ChunkVectors implements Vectors {
  readonly rows: number;
  readonly #bindings: Bindings;
  readonly #layouts: readonly Layout[];
  /** The chunk keeps them in memory. */
  readonly #chunk: duckdb.DataChunk;
  readonly #vectors: duckdb.Vector[];
  /** Each view counts as memory of its own to the collector, and brings its next run nearer. */
  readonly #values: Uint8Array[] = [];

  constructor(bindings: Bindings, chunk: duckdb.DataChunk, layouts: readonly Layout[]) {
    this.rows = bindings.data_chunk_get_size(chunk);
    this.#bindings = bindings;
    this.#layouts = layouts;
    this.#chunk = chunk;
    this.#vectors = layouts.map((_, at) => bindings.data_chunk_get_vector(this.#chunk, at));
  }

  values(column: number): Uint8Array {
    const known = this.#values[column];
    if (known) return known;
    const { is } = this.#layouts[column] as Layout;
    const vector = this.#vectors[column] as duckdb.Vector;
    const values = this.#bindings.vector_get_data(vector, this.rows * LAYOUT_BYTES[is]);
    this.#values[column] = values;
    return values;
  }

  validity(column: number): Uint8Array | null {
    // The engine has 64 rows in a word. Without a word every row has a value.
    const bits = this.#bindings.vector_get_validity(
      this.#vectors[column] as duckdb.Vector,
      Math.ceil(this.rows / 64) * 8,
    );
    return bits ? bits.subarray(0, Math.ceil(this.rows / 8)) : null;
  }

  beyond(values: Uint8Array, offset: number, length: number): Uint8Array {
    return this.#bindings.get_data_from_pointer(values.buffer as ArrayBuffer, values.byteOffset + offset, length);
  }
}
