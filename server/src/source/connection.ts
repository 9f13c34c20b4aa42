import type duckdb from '@duckdb/node-bindings';

export type Bindings = typeof duckdb;

/**
 * The engine's C interface. Its wrapper for JavaScript comes in 60 modules, 35 ms that a thread which only copies or
 * scans does without.
 */
export function loadBindings(): Promise<Bindings> {
  loading ??= import('@duckdb/node-bindings').then(
    ({ default: bindings }) => bindings,
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

let loading: Promise<Bindings> | null = null;

/** A connection to the engine. Dispose closes it. */
export class Connection implements Disposable {
  readonly bindings: Bindings;
  readonly #handle: duckdb.Connection;

  constructor(bindings: Bindings, handle: duckdb.Connection) {
    this.bindings = bindings;
    this.#handle = handle;
  }

  /** Runs what it is given, for statements of our own. */
  async query(sql: string): Promise<void> {
    await this.bindings.query(this.#handle, sql);
  }

  /** The statements that a text holds, one at least, each yet to be prepared. Throws what the engine says of others. */
  async extract(sql: string): Promise<readonly (() => Promise<Prepared>)[]> {
    const { extracted_statements, statement_count } = await this.bindings.extract_statements(this.#handle, sql);
    if (statement_count === 0) throw new Error(this.bindings.extract_statements_error(extracted_statements));
    return Array.from({ length: statement_count }, (_, at) => async () => {
      const handle = await this.bindings.prepare_extracted_statement(this.#handle, extracted_statements, at);
      return new Prepared(this.bindings, handle);
    });
  }

  /** Gives SQL a function of any arguments that is called with each chunk of them, and gives bytes of no meaning. */
  register(name: string, take: (chunk: duckdb.DataChunk) => void): void {
    const { bindings } = this;
    const made = bindings.create_scalar_function();
    bindings.scalar_function_set_name(made, name);
    bindings.scalar_function_set_varargs(made, bindings.create_logical_type(bindings.Type.ANY));
    bindings.scalar_function_set_return_type(made, bindings.create_logical_type(bindings.Type.UTINYINT));
    // It takes NULL as other values, and is called for every row, even where all are alike.
    bindings.scalar_function_set_special_handling(made);
    bindings.scalar_function_set_volatile(made);
    bindings.scalar_function_set_function(made, (_info, chunk) => take(chunk));
    bindings.register_scalar_function(this.#handle, made);
    bindings.destroy_scalar_function_sync(made);
  }

  /** Share of the running statement that is done, 0 to 1, or null when the engine cannot tell. */
  fraction(): number | null {
    const { percentage } = this.bindings.query_progress(this.#handle);
    return percentage < 0 ? null : Math.min(1, percentage / 100);
  }

  interrupt(): void {
    this.bindings.interrupt(this.#handle);
  }

  [Symbol.dispose](): void {
    this.bindings.disconnect_sync(this.#handle);
  }
}

/** A prepared statement. Dispose frees it: left to the collector, each would hold the scan of its segment until then. */
export class Prepared implements Disposable {
  readonly #bindings: Bindings;
  readonly #handle: duckdb.PreparedStatement;

  constructor(bindings: Bindings, handle: duckdb.PreparedStatement) {
    this.#bindings = bindings;
    this.#handle = handle;
  }

  /** As SQL calls it: SELECT, COPY and so on. */
  get kind(): string {
    return this.#bindings.StatementType[this.#bindings.prepared_statement_type(this.#handle)] ?? '';
  }

  run(): Promise<duckdb.Result> {
    return this.#bindings.execute_prepared(this.#handle);
  }

  /** Its rows come as they are fetched. */
  stream(): Promise<duckdb.Result> {
    return this.#bindings.execute_prepared_streaming(this.#handle);
  }

  [Symbol.dispose](): void {
    this.#bindings.destroy_prepare_sync(this.#handle);
  }
}
