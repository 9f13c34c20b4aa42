import type duckdb from '@duckdb/node-bindings';
import { LAYOUT_BYTES, type Layout, type Vectors } from '../column/vectors.ts';
import type { Bindings } from './connection.ts';

/** The vectors of a chunk, flat, and valid as long as it is. Dispose takes back what it gave. */
export class ChunkVectors implements Vectors, Disposable {
  readonly rows: number;
  readonly #bindings: Bindings;
  readonly #layouts: readonly Layout[];
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
    this.#vectors = layouts.map((_, at) => bindings.data_chunk_get_vector(chunk, at));
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
  }

  #giving(view: Uint8Array): Uint8Array {
    this.#given.push(view);
    return view;
  }
}
