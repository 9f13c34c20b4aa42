import { Client, type ClientConfig, Connection as PgConnection } from 'pg';
import { Fault } from '../../base/errors.ts';
import type { CsvRows, JsonRows } from '../source.ts';
import type { CellKind } from './cells.ts';
import { CopyOut } from './copy-out.ts';
import { CopyRows } from './copy-rows.ts';
import { CsvCells } from './csv-cells.ts';
import { postgresFault, stalled } from './errors.ts';
import { JsonCells } from './json-cells.ts';
import { ReadSocket } from './read-socket.ts';
import { allocate, type Buffers, SegmentFile } from './segment-file.ts';
import type { Taker } from './taker.ts';

/** How long the server may take to end a cancelled statement or a connection; then the socket is cut. */
const GRACE_MS = 700;

/** A statement that brings neither bytes nor its end for this long is given up: ten minutes. */
export const STALL_MS = 10 * 60_000;

/** What of pg's objects its types leave out. */
interface Inside {
  readonly connection: PgConnection;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

interface Canceller extends PgConnection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

export interface ConnectionAsk {
  readonly config: ClientConfig;
  readonly signal: AbortSignal;
  readonly stallMs: number;
}

/** A COPY … TO STDOUT and the new file its rows go to. */
export interface Copying {
  readonly sql: string;
  readonly path: string;
  readonly rows: RowsAsk;
}

/** What is made of rows on their way: of CSV the same, or of binary cells, one kind a column, CSV or JSON. */
export type RowsAsk =
  | { readonly as: 'csv' }
  | { readonly as: 'cells'; readonly kinds: readonly CellKind[]; readonly made: CsvRows | JsonRows };

/** One connection: one statement at a time, the others wait their turn. Errors leave it as faults. */
export class Connection implements AsyncDisposable {
  readonly #client: Client & Inside;
  readonly #ask: ConnectionAsk;
  #tail: Promise<unknown> = Promise.resolve();
  #isBusy = false;
  #buffers: Buffers | null = null;
  #csv: CsvCells | null = null;
  #json: JsonCells | null = null;
  /** Why everything on this connection fails from now on. */
  #broken: unknown = null;

  private constructor(client: Client, ask: ConnectionAsk) {
    this.#client = client as Client & Inside;
    this.#ask = ask;
    // The statement under way tells of it; without one, the next does.
    client.on('error', (error) => {
      this.#broken ??= postgresFault(error);
    });
    ask.signal.addEventListener('abort', this.#onAbort);
  }

  /** Throws `run.cancelled` as soon as the signal fires. */
  static async open(ask: ConnectionAsk): Promise<Connection> {
    if (ask.signal.aborted) throw cancelled();
    const client = new Client(ask.config);
    const connection = new Connection(client, ask);
    try {
      await connection.#run(() => client.connect());
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
    return connection;
  }

  /** Rows of a statement, every value as the server's text. Several statements at once give those of the last. */
  async query(sql: string): Promise<(string | null)[][]> {
    return this.#run(async () => {
      const types = { getTypeParser: () => (text: string) => text } as never;
      const results = await this.#client.query<(string | null)[]>({ text: sql, rowMode: 'array', types });
      const last: typeof results | undefined = Array.isArray(results) ? results.at(-1) : results;
      return last?.rows ?? [];
    });
  }

  /** Writes what a COPY … TO STDOUT brings into a new file and gives the rows the server tells. */
  async copy({ path, sql, rows }: Copying): Promise<number> {
    return this.#run(async (onBytes) => {
      this.#buffers ??= allocate();
      const file = await SegmentFile.create(path, this.#buffers);
      const copy = new CopyOut({ sql, taker: this.#takerOf(rows), file, onBytes });
      try {
        this.#client.query(copy);
        return await copy.rows;
      } finally {
        await file.close();
      }
    });
  }

  #takerOf(rows: RowsAsk): Taker {
    if (rows.as === 'cells') return this.#cellsOf(rows.kinds, rows.made);
    const { stream } = this.#client.connection;
    const taker = stream instanceof ReadSocket ? stream.rows : new CopyRows();
    return taker.begin();
  }

  #cellsOf(kinds: readonly CellKind[], made: CsvRows | JsonRows): Taker {
    if (made.as === 'json') {
      this.#json ??= new JsonCells();
      return this.#json.begin(kinds, made);
    }
    this.#csv ??= new CsvCells();
    return this.#csv.begin(kinds, made);
  }

  async #run<T>(statement: (onBytes: () => void) => Promise<T>): Promise<T> {
    const turn = this.#tail.then(() => this.#runNow(statement));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  async #runNow<T>(statement: (onBytes: () => void) => Promise<T>): Promise<T> {
    if (this.#broken !== null) throw this.#broken;
    this.#isBusy = true;
    const watch = setTimeout(() => this.#giveUp(stalled()), this.#ask.stallMs);
    try {
      return await statement(() => watch.refresh());
    } catch (error) {
      const fault = postgresFault(error);
      if (!(fault instanceof Fault)) throw fault;
      // Behind an error the transaction is lost, and with it the snapshot.
      this.#broken ??= fault;
      throw this.#broken;
    } finally {
      clearTimeout(watch);
      this.#isBusy = false;
    }
  }

  readonly #onAbort = (): void => this.#giveUp(cancelled());

  #giveUp(fault: Fault): void {
    this.#broken ??= fault;
    if (!this.#isBusy) return;
    this.#sendCancel();
    setTimeout(() => this.#isBusy && this.#cut(), GRACE_MS);
  }

  /** Cancelling takes a connection of its own, which the server answers by closing it. */
  #sendCancel(): void {
    const { processID, secretKey, ssl, host, port } = this.#client;
    if (processID === null || secretKey === null) {
      this.#cut();
      return;
    }
    const canceller = new PgConnection({ ssl } as never) as Canceller;
    const send = () => canceller.cancel(processID, secretKey);
    canceller.on('connect', () => (ssl ? canceller.requestSsl() : send()));
    canceller.on('sslconnect', send);
    canceller.on('error', () => {});
    if (host.startsWith('/')) canceller.connect(`${host}/.s.PGSQL.${port}`);
    else canceller.connect(port, host);
    const end = setTimeout(() => canceller.stream.destroy(), GRACE_MS);
    canceller.once('end', () => clearTimeout(end));
  }

  #cut(): void {
    this.#client.connection.stream.destroy();
  }

  /** Takes no longer than the grace, even when the server answers nothing any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ask.signal.removeEventListener('abort', this.#onAbort);
    if (this.#isBusy) this.#giveUp(cancelled());
    this.#broken ??= cancelled();
    const grace = Promise.withResolvers<void>();
    const cut = setTimeout(grace.resolve, GRACE_MS);
    await Promise.race([this.#tail.then(() => this.#client.end()), grace.promise]).catch(() => {});
    clearTimeout(cut);
    this.#cut();
  }
}

function cancelled(): Fault {
  return new Fault('run.cancelled', 'The run was cancelled.');
}
