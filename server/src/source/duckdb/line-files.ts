import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { type ByteReader, openBytes, openUnpacked } from './unpacked.ts';

/** Longest line that is read, in bytes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** A memory that lines stand in, and are read in. */
export interface LineRoom {
  /** Void when more room is made. */
  readonly room: Buffer;
  /** Makes room for so many bytes, and keeps what is there. */
  makeRoom(lineBytes: number): void;
}

/** A line that cannot be read; `at` is where in the memory, `words` is what follows on the line's number. */
export class BadLine extends Error {
  readonly at: number;
  readonly words: string;

  constructor(at: number, words: string) {
    super(words);
    this.at = at;
    this.words = words;
  }
}

/** Lines that stand in the memory of `lines`, whole. */
export interface Lines {
  readonly start: number;
  readonly end: number;
  /** The byte of the file behind them. */
  readonly nextByte: number;
}

export interface Feeding {
  readonly path: string;
  /** Where a line begins. */
  readonly fromByte: number;
  /** Where one ends; infinite for the end of the file. */
  readonly toByte: number;
  readonly lines: LineRoom;
  /** Reads lines; false when no more are wanted. */
  take(some: Lines): boolean | Promise<boolean>;
}

/**
 * Feeds a file's lines through the memory of a reader, and gives how many bytes they were. Throws `source.refused` and
 * `value.refused` with the number of a line that cannot be read, `source.unreachable` when the file cannot.
 */
export async function feedLines(feeding: Feeding): Promise<number> {
  const { path, fromByte, toByte } = feeding;
  const feed = new Feed(feeding);
  try {
    await using bytes = await readable(path, openBytes(path, fromByte, toByte));
    await feed.all(bytes);
    return feed.bytes;
  } catch (error) {
    if (!(error instanceof BadLine)) throw error;
    throw await badLine(path, fromByte + feed.start + error.at, error.words);
  }
}

/** What is told of the line in which a byte of the file stands. */
export async function badLine(path: string, byte: number, words: string): Promise<Fault> {
  const line = await lineAt(path, byte);
  if (words === NO_UTF8)
    return new Fault('value.refused', `${NO_UTF8} It stands in line ${line} of ${basename(path)}.`);
  return new Fault('source.refused', `Line ${line} of ${basename(path)} ${words}.`);
}

const NO_UTF8 = 'A text is not valid UTF-8.';

class Feed {
  /** Byte, counted from where feeding began, that the memory of lines begins with. */
  start = 0;
  readonly #feeding: Feeding;
  #filled = 0;

  constructor(feeding: Feeding) {
    this.#feeding = feeding;
  }

  get bytes(): number {
    return this.start + this.#filled;
  }

  /** Until the file ends, or no more is wanted. */
  async all(bytes: ByteReader): Promise<void> {
    const { lines, path } = this.#feeding;
    for (;;) {
      const read = await readable(path, bytes.read(lines.room.subarray(this.#filled)));
      if (read === 0) break;
      this.#filled += read;
      if (this.#filled === lines.room.length && !(await this.#turn())) return;
    }
    // One byte is always free for it.
    if (this.#filled > 0 && lines.room[this.#filled - 1] !== LINE_FEED) {
      lines.room[this.#filled] = LINE_FEED;
      await this.#take(this.#filled + 1);
    } else if (this.#filled > 0) await this.#take(this.#filled);
  }

  async #turn(): Promise<boolean> {
    const { lines } = this.#feeding;
    const { room } = lines;
    const end = room.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) {
      if (room.length >= MAX_LINE_BYTES) throw new BadLine(0, `is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`);
      lines.makeRoom(2 * room.length);
      return true;
    }
    if (!(await this.#take(end))) return false;
    room.copyWithin(0, end, this.#filled);
    this.start += end;
    this.#filled -= end;
    return true;
  }

  async #take(end: number): Promise<boolean> {
    const { fromByte, lines, take } = this.#feeding;
    const some = lines.room.subarray(0, end);
    if (!isUtf8(some)) throw new BadLine(wrongLine(some), NO_UTF8);
    const isFirst = fromByte + this.start === 0;
    const start =
      isFirst && some.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
    return take({ start, end, nextByte: fromByte + this.start + end });
  }
}

/** Where the first line begins that is no UTF-8. */
function wrongLine(lines: Buffer): number {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_FEED, start) + 1;
    if (!isUtf8(lines.subarray(start, end))) return start;
    start = end;
  }
  return 0;
}

/** The number of the line, counted from 1, in which a byte of the file stands. Lines end as the first one does. */
async function lineAt(path: string, byte: number): Promise<number> {
  let line = 1;
  let start = 0;
  let lineEnd = LINE_FEED;
  for await (const chunk of openUnpacked(path)) {
    if (start === 0 && /^[^\r\n]*\r(?!\n|$)/.test(chunk.toString('latin1'))) lineEnd = CARRIAGE_RETURN;
    const before = chunk.subarray(0, Math.max(0, byte - start));
    for (let at = before.indexOf(lineEnd); at >= 0; at = before.indexOf(lineEnd, at + 1)) line++;
    start += chunk.length;
    if (start >= byte) break;
  }
  return line;
}

/** What comes of reading a file; its errors are those of the file. What is done with it fails on its own account. */
export async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z'))
    return new Fault('source.refused', `${basename(path)} cannot be unpacked.`, { cause: error });
  if (/^E[A-Z0-9]+$/.test(code))
    return new Fault('source.unreachable', 'An input file is not there or cannot be read.', { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}
