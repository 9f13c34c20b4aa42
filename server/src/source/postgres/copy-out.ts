import type { Connection, Submittable } from 'pg';
import { Fault } from '../../base/errors.ts';
import { ReadSocket } from './read-socket.ts';
import type { SegmentFile } from './segment-file.ts';
import type { Stamps } from './stamps.ts';

/** `d`: the only message whose bytes are rows. */
const COPY_DATA = 0x64;

/** `Z`: the server takes the next statement; whatever came before, this is the last message of one. */
const READY_FOR_QUERY = 0x5a;

/** A message's type in one byte and its length in four, which counts itself. */
const HEADER_BYTES = 5;

export interface CopyAsk {
  readonly sql: string;
  /** Rewrites moments on the way; null for rows that go as they come. */
  readonly stamps: Stamps | null;
  readonly file: SegmentFile;
  onBytes(): void;
}

type Listener = (bytes: Buffer) => void;

/**
 * One COPY … TO STDOUT whose rows go from the socket into a file. While it runs it stands between
 * the socket and pg: rows are taken out of the stream, every other message goes on to pg as it came.
 */
export class CopyOut implements Submittable {
  /** Rows as the server counts them. */
  readonly rows: Promise<number>;
  readonly #sql: string;
  readonly #stamps: Stamps | null;
  readonly #file: SegmentFile;
  readonly #onBytes: () => void;
  readonly #settle: PromiseWithResolvers<number>;
  #connection: Connection | null = null;
  #listeners: Listener[] = [];
  #tag = '';
  #messages = 0;
  #error: unknown = null;

  /** Bytes of the header that have come, and what is still to come of the message behind it. */
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #rest = 0;

  constructor({ sql, stamps, file, onBytes }: CopyAsk) {
    this.#sql = sql;
    this.#stamps = stamps;
    this.#file = file;
    this.#onBytes = onBytes;
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
    connection.query(this.#sql);
  }

  /** When the file has no room, the socket waits and the rest of the bytes comes here again. */
  readonly #onData = (bytes: Buffer): void => {
    this.#onBytes();
    let at = 0;
    while (at < bytes.length) {
      if (this.#rest === 0) at = this.#readHeader(bytes, at);
      // Of a header that has not come as a whole nothing is known yet.
      if (this.#headerBytes > 0) break;
      const end = Math.min(bytes.length, at + this.#rest);
      const taken = this.#takeBody(bytes, at, end);
      this.#rest -= taken - at;
      if (taken < end) {
        this.#wait(bytes, taken);
        return;
      }
      at = end;
    }
    if (!this.#drain()) this.#wait(bytes, bytes.length);
  };

  /** Gives what is rewritten to the file; false when that has no room. */
  #drain(): boolean {
    if (this.#stamps === null || this.#error !== null) return true;
    const { pending } = this.#stamps;
    this.#stamps.drop(this.#file.take(pending, 0, pending.length));
    return this.#stamps.pending.length === 0;
  }

  #takeBody(bytes: Buffer, at: number, end: number): number {
    if (this.#header[0] !== COPY_DATA) {
      // The file is closed as soon as pg says that all has come.
      if (!this.#drain()) return at;
      // pg may start its next statement as soon as it has all of this message.
      const isLast = this.#header[0] === READY_FOR_QUERY && end - at === this.#rest;
      if (isLast) this.#giveBack();
      this.#pass(bytes.subarray(at, end));
      return end;
    }
    if (this.#error !== null) return end;
    if (this.#stamps === null) return this.#file.take(bytes, at, end);
    this.#stamps.take(bytes, at, end);
    // A header that has not come as a whole has no body yet.
    if (end > at && end - at === this.#rest) this.#endRow(this.#stamps);
    return end;
  }

  /** The server sends a message a row; that it did is looked at in the end. */
  #endRow(stamps: Stamps): void {
    this.#messages++;
    stamps.endRow();
  }

  /** A header may come in parts. Those of other messages than rows go on to pg. */
  #readHeader(bytes: Buffer, start: number): number {
    const header = this.#header;
    let at = start;
    if (this.#headerBytes === 0 && bytes[at] === COPY_DATA && at + HEADER_BYTES <= bytes.length) {
      header[0] = COPY_DATA;
      this.#rest = bytes.readUInt32BE(at + 1) - 4;
      return at + HEADER_BYTES;
    }
    while (this.#headerBytes < HEADER_BYTES && at < bytes.length) header[this.#headerBytes++] = bytes[at++] ?? 0;
    if (this.#headerBytes < HEADER_BYTES) return at;
    this.#headerBytes = 0;
    this.#rest = header.readUInt32BE(1) - 4;
    if (header[0] !== COPY_DATA) this.#pass(header);
    return at;
  }

  #pass(bytes: Buffer): void {
    // pg keeps what is not yet a whole message.
    if (bytes.length > 0) for (const listener of this.#listeners) listener(Buffer.from(bytes));
  }

  #wait(bytes: Buffer, at: number): void {
    const stream = this.#connection?.stream;
    const rest = Buffer.from(bytes.subarray(at));
    stream?.pause();
    this.#file.room().then(
      () => {
        stream?.resume();
        this.#onData(rest);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** The file failed: the server is left to find its connection gone. */
  #fail(error: unknown): void {
    this.#error ??= error;
    this.#connection?.stream.destroy();
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
    const isRowEach = this.#stamps === null || this.#messages === rows;
    if (!isRowEach) {
      const cause = `${rows} rows in ${this.#messages} messages`;
      throw new Fault('source.refused', 'The server sends rows in another way than PostgreSQL does.', { cause });
    }
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

/** `COPY 1000000`. */
function rowsOf(tag: string): number {
  const rows = Number(/^COPY (\d+)$/.exec(tag)?.[1]);
  if (!Number.isSafeInteger(rows)) throw new Error('The server did not tell how many rows it copied.');
  return rows;
}
