import type duckdb from '@duckdb/node-bindings';
import { Fault } from '../base/errors.ts';
import type { Layout, Vectors } from '../column/vectors.ts';
import { ChunkVectors } from './chunk-vectors.ts';
import type { Bindings, Connection } from './connection.ts';
import { readRows } from './read-rows.ts';
import { checkSelect } from './statement.ts';

/** What is scanned. */
export interface Scanned {
  /** One select, by itself a whole statement. */
  readonly select: string;
  /** How many columns it gives. */
  readonly columns: number;
}

/** Takes some rows at a time, in order, out of the engine's own memory; it waits meanwhile. What it throws ends the scan. */
export type Take = (rows: Vectors, layouts: readonly Layout[]) => void;

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

interface Taking {
  readonly take: Take;
  layouts: readonly Layout[] | null;
  rows: number;
  failed: { readonly error: unknown } | null;
}

/**
 * Runs selects on one connection, one at a time, and hands on their rows: by a function of SQL that is called for each
 * chunk. Chunks that are streamed would be copied, texts and all, and a stream that fails ends like one that is whole.
 */
export class Scanner {
  readonly #connection: Connection;
  readonly #name: string;
  #isRegistered = false;
  #taking: Taking | null = null;

  /** `name` is that of the function: no other scanner of the engine has it. */
  constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /** Gives how many rows there were. The engine's errors go through `translated`, those of `take` come as they are. */
  async scan({ select, columns }: Scanned, take: Take, translated: Translated): Promise<number> {
    const names = Array.from({ length: columns }, (_, at) => `c${at}`).join(', ');
    const taking: Taking = { take, layouts: null, rows: 0, failed: null };
    this.#taking = taking;
    this.#register();
    const told = await translated(async () => {
      await checkSelect(this.#connection, select);
      // What is last depends on the order: asked for it, the engine keeps that.
      const sql = `select count(*), last(${this.#name}(${names}))::integer from (${select}) as scanned(${names})`;
      const { rows } = await readRows(this.#connection, sql);
      return Number(rows[0]?.[0]);
    }).catch((error: unknown) => {
      throw taking.failed === null ? error : taking.failed.error;
    });
    if (told !== taking.rows) throw new Fault('run.short', `Of ${told} rows ${taking.rows} were taken.`);
    return told;
  }

  #register(): void {
    if (this.#isRegistered) return;
    this.#isRegistered = true;
    this.#connection.register(this.#name, (chunk) => {
      const taking = this.#taking as Taking;
      try {
        this.#take(chunk, taking);
      } catch (error) {
        taking.failed ??= { error };
        throw new Error('Rows could not be taken.', { cause: error });
      }
    });
  }

  #take(chunk: duckdb.DataChunk, taking: Taking): void {
    const { bindings } = this.#connection;
    taking.layouts ??= layoutsOf(bindings, chunk);
    const rows = bindings.data_chunk_get_size(chunk);
    using vectors = new ChunkVectors(bindings, chunk, { layouts: taking.layouts, rows });
    taking.take(vectors, taking.layouts);
    taking.rows += rows;
  }
}

function layoutsOf(bindings: Bindings, chunk: duckdb.DataChunk): Layout[] {
  return Array.from({ length: bindings.data_chunk_get_column_count(chunk) }, (_, at) =>
    layoutOf(bindings, bindings.vector_get_column_type(bindings.data_chunk_get_vector(chunk, at))),
  );
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
