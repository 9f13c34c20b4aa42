import type duckdb from '@duckdb/node-bindings';
import { LAYOUT_BYTES, type Layout, type Vectors } from '../column/vectors.ts';
import type { Bindings, Connection, Prepared } from './connection.ts';
import { checkSelect, prepareSelect } from './statement.ts';

/** What is scanned. */
export interface Scanned {
  /** One select, by itself a whole statement. */
  readonly select: string;
  /** How many columns it gives. */
  readonly columns: number;
}

/** The rows of a select, in the engine's own memory. */
export interface Scan {
  readonly layouts: readonly Layout[];
  /** Some rows at a time, in order. */
  readonly vectors: AsyncIterable<Vectors>;
}

/** The rows ended before the last one; why, the engine does not tell. */
export class ScanBroken extends Error {}

/** Runs a statement; what it throws are faults. */
type Translated = <R>(statement: () => Promise<R>) => Promise<R>;

const SIMPLE: Readonly<Record<string, Layout>> = {
  VARCHAR: { is: 'text' },
  BOOLEAN: { is: 'bool' },
  INTEGER: { is: 'int32', scale: 0 },
  BIGINT: { is: 'int64', scale: 0 },
  UUID: { is: 'uuid' },
  DATE: { is: 'date' },
  TIME: { is: 'time' },
  TIMESTAMP: { is: 'timestamp' },
  TIMESTAMP_TZ: { is: 'instant' },
};

/**
 * Runs one select and hands its rows to `use` while the engine reads on. The engine's errors go through `translated`,
 * but those behind the first rows, which it does not tell: then `use` meets `ScanBroken` in place of the last rows.
 */
export async function scanRows<T>(
  connection: Connection,
  scanned: Scanned,
  translated: Translated,
  use: (scan: Scan) => Promise<T>,
): Promise<T> {
  const { bindings } = connection;
  using prepared = await translated(() => prepareEnded(connection, scanned));
  const result = await translated(() => prepared.stream());
  const layouts = Array.from({ length: bindings.column_count(result) - 1 }, (_, at) =>
    layoutOf(bindings, bindings.column_logical_type(result, at)),
  );
  return await use({ layouts, vectors: vectorsOf(result, layouts, { bindings, translated }) });
}

/**
 * The select with a last row behind it, which has true in a column of its own. A stream that failed or was
 * interrupted ends like one that is whole; that row tells them apart.
 */
async function prepareEnded(connection: Connection, { select, columns }: Scanned): Promise<Prepared> {
  await checkSelect(connection, select);
  const nulls = Array.from({ length: columns }, () => 'null').join(', ');
  return prepareSelect(connection, `select *, false from (${select}) union all select ${nulls}, true`);
}

function layoutOf(bindings: Bindings, type: duckdb.LogicalType): Layout {
  const name = bindings.Type[bindings.get_type_id(type)] ?? '';
  const width = name === 'DECIMAL' ? bindings.decimal_width(type) : 0;
  if (width > 0 && width <= 18) {
    return { is: width <= 4 ? 'int16' : width <= 9 ? 'int32' : 'int64', scale: bindings.decimal_scale(type) };
  }
  const layout = SIMPLE[name];
  if (!layout) throw new Error(`Vectors of ${name} are read by nobody.`);
  return layout;
}

/** One chunk is fetched while the one before it is used. */
async function* vectorsOf(
  result: duckdb.Result,
  layouts: readonly Layout[],
  { bindings, translated }: { bindings: Bindings; translated: Translated },
): AsyncGenerator<Vectors> {
  const fetch = () => {
    const chunk = translated(() => bindings.fetch_chunk(result));
    // Its error is met when its turn comes: until then it is not unhandled.
    chunk.catch(() => undefined);
    return chunk;
  };
  let isEnded = false;
  let next = fetch();
  try {
    for (let chunk = await next; chunk !== null; chunk = await next) {
      const given = bindings.data_chunk_get_size(chunk);
      if (given === 0) break;
      next = fetch();
      if (isEnded) throw new Error('Rows came behind the last one.');
      const rows = rowsBefore(bindings, chunk, layouts.length);
      isEnded = rows < given;
      if (rows === 0) continue;
      using some = new ChunkVectors(bindings, chunk, { layouts, rows });
      yield some;
    }
    if (!isEnded) throw new ScanBroken('The engine gave less than all rows.');
  } finally {
    await next.catch(() => null);
  }
}

/** How many of the chunk's rows come before the one that ends all. */
function rowsBefore(bindings: Bindings, chunk: duckdb.DataChunk, column: number): number {
  const rows = bindings.data_chunk_get_size(chunk);
  const end = bindings.vector_get_data(bindings.data_chunk_get_vector(chunk, column), rows).indexOf(1);
  if (end >= 0 && end < rows - 1) throw new Error('Rows came behind the last one.');
  return end < 0 ? rows : end;
}

/** Dispose takes back what it gave. */
export class ChunkVectors implements Vectors, Disposable {
  readonly rows: number;
  readonly #bindings: Bindings;
  readonly #layouts: readonly Layout[];
  /** The chunk keeps them in memory. */
  readonly #chunk: duckdb.DataChunk;
  readonly #vectors: duckdb.Vector[];
  readonly #values: Uint8Array[] = [];
  /**
   * Each view counts as memory of its own to the collector and brings its next run nearer: left to it, those runs took
   * a quarter of all processor time.
   */
  readonly #given: Uint8Array[] = [];

  constructor(
    bindings: Bindings,
    chunk: duckdb.DataChunk,
    { layouts, rows }: { readonly layouts: readonly Layout[]; readonly rows: number },
  ) {
    this.rows = rows;
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
    const values = this.#giving(this.#bindings.vector_get_data(vector, this.rows * LAYOUT_BYTES[is]));
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
    const { buffer, byteOffset } = values;
    return this.#giving(this.#bindings.get_data_from_pointer(buffer as ArrayBuffer, byteOffset + offset, length));
  }

  [Symbol.dispose](): void {
    for (const view of this.#given) if (view.buffer instanceof ArrayBuffer) view.buffer.transfer(0);
    // Its texts are freed now, not when the chunk is collected.
    this.#bindings.data_chunk_reset(this.#chunk);
  }

  #giving(view: Uint8Array): Uint8Array {
    this.#given.push(view);
    return view;
  }
}
