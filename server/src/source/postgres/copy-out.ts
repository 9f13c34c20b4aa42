import type { Connection, Submittable } from 'pg';
import { Fault } from '../../base/errors.ts';
import { ReadSocket } from './read-socket.ts';
import type { SegmentFile } from './segment-file.ts';
import type { Taker } from './taker.ts';

/** `Z`: the server takes the next statement; whatever came before, this is the last message of one. */
const READY_FOR_QUERY = 0x5a;

/** A message's type in one byte and its length in four, which counts itself. */
const HEADER_BYTES = 5;

/** ReadyForQuery with its state. */
const READY_BYTES = HEADER_BYTES + 1;

export interface CopyAsk {
  readonly sql: string;
  /** Told what rows come. */
  readonly taker: Taker;
  readonly file: SegmentFile;
  onBytes(): void;
}

const EMPTY: Buffer = Buffer.alloc(0);

type Listener = (bytes: Buffer) => void;

/**
 * One COPY … TO STDOUT whose rows go from the socket into a file. While it runs it stands between
 * the socket and pg: rows are taken out of the stream, every other message goes on to pg as it came.
 */
export class CopyOut implements Submittable {
  /** Rows as the server counts them. */
  readonly rows: Promise<number>;
  readonly #ask: CopyAsk;
  readonly #settle: PromiseWithResolvers<number>;
  #connection: Connection | null = null;
  #listeners: Listener[] = [];
  readonly #taker: Taker;
  /** Bytes that came and are not with the taker. */
  #unread: Buffer = EMPTY;
  /** What is still to come of a message that goes on to pg. */
  #passing = 0;
  #tag = '';
  #error: unknown = null;

  constructor(ask: CopyAsk) {
    this.#ask = ask;
    this.#taker = ask.taker;
    this.#settle = Promise.withResolvers<number>();
    this.rows = this.#settle.promise;
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    const { stream } = connection;
    this.#listeners = stream.listeners('data') as Listener[];
    if (stream instanceof ReadSocket) {
      stream.tap = this.#onData;
    } else {
      for (const listener of this.#listeners) stream.off('data', listener);
      stream.on('data', this.#onData);
    }
    connection.query(this.#ask.sql);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#ask.onBytes();
    this.#unread = bytes;
    this.#go();
  };

  #go(): void {
    try {
      this.#take();
    } catch (error) {
      this.#fail(error instanceof Fault ? error : unlike(error));
    }
  }

  /** When the file has no room, the socket waits, and what came stays where it is. */
  #take(): void {
    const taker = this.#taker;
    for (;;) {
      if (!this.#drain()) break;
      const isOther = this.#passing > 0 || taker.take();
      // The file is closed as soon as pg says that all has come.
      if (taker.rows.length > 0 || (isOther && this.#passOn())) continue;
      taker.keep();
      if (this.#unread.length === 0) return;
      this.#unread = this.#unread.subarray(taker.receive(this.#unread));
    }
    this.#wait();
  }

  /** Gives the rows to the file; false when that has no room. Behind an error they are of no use. */
  #drain(): boolean {
    const { rows } = this.#taker;
    const taken = this.#error === null ? this.#ask.file.take(rows, 0, rows.length) : rows.length;
    this.#taker.drop(taken);
    return taken === rows.length;
  }

  /** A message that is none of rows goes on to pg, which keeps what is not yet a whole one. False when more has to come. */
  #passOn(): boolean {
    const { left } = this.#taker;
    const isReady = this.#passing === 0 && left[0] === READY_FOR_QUERY;
    if (this.#passing === 0) {
      if (left.length < (isReady ? READY_BYTES : HEADER_BYTES)) return false;
      this.#passing = 1 + left.readUInt32BE(1);
    }
    // pg may start its next statement as soon as it has this message.
    if (isReady) return this.#end();
    const part = left.subarray(0, this.#passing);
    this.#taker.skip(part.length);
    this.#passing -= part.length;
    this.#pass(part);
    return this.#passing === 0;
  }

  /** Gives the socket back, with all that came. */
  #end(): boolean {
    const rest = Buffer.concat([this.#taker.left, this.#unread]);
    this.#taker.skip(this.#taker.left.length);
    this.#unread = EMPTY;
    this.#giveBack();
    this.#pass(rest);
    return false;
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) for (const listener of this.#listeners) listener(Buffer.from(bytes));
  }

  #wait(): void {
    const stream = this.#connection?.stream;
    stream?.pause();
    this.#ask.file.room().then(
      () => {
        stream?.resume();
        this.#go();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Rows cannot be taken or written: the server is left to find its connection gone. */
  #fail(error: unknown): void {
    this.#error ??= error;
    this.#connection?.stream.destroy(error instanceof Error ? error : undefined);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#tag = message.text;
  }

  handleReadyForQuery(): void {
    if (this.#error === null) this.#settle.resolve(this.#counted());
    else this.#settle.reject(this.#error);
  }

  async #counted(): Promise<number> {
    const rows = rowsOf(this.#tag);
    const { count } = this.#taker;
    if (count !== rows) throw unlike(`${rows} rows in ${count} messages`);
    return rows;
  }

  /** pg tells of an error the server sent, behind which ReadyForQuery comes, or of a lost connection. */
  handleError(error: unknown): void {
    this.#error ??= error;
    this.#settle.reject(this.#error);
  }

  #giveBack(): void {
    const stream = this.#connection?.stream;
    if (stream instanceof ReadSocket) {
      stream.tap = null;
      return;
    }
    stream?.off('data', this.#onData);
    for (const listener of this.#listeners) stream?.on('data', listener);
  }
}

function unlike(cause: unknown): Fault {
  return new Fault('source.refused', 'The server sends rows in another way than PostgreSQL does.', { cause });
}

/** `COPY 1000000`. */
function rowsOf(tag: string): number {
  const rows = Number(/^COPY (\d+)$/.exec(tag)?.[1]);
  if (!Number.isSafeInteger(rows)) throw new Error('The server did not tell how many rows it copied.');
  return rows;
}
