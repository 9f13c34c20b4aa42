import { crc32 } from 'node:zlib';
import type { ByteSink } from '../sink.ts';

/** What 32 and 16 bits hold; these values themselves say that the number stands in the ZIP64 part. */
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;

/** 1980-01-01, the first day a zip can name: entries carry no clock. */
const DATE = 0x21;

const VERSION = 20;
const ZIP64_VERSION = 45;
/** Made by Unix, so that the mode is read. */
const MADE_BY = (3 << 8) | ZIP64_VERSION;
const MODE = 0o100644;

/** The directory is kept in pieces of about this size, since it is as long as the zip has entries. */
const PIECE_BYTES = 1024 * 1024;

/** Writes a zip (APPNOTE 6.3) of stored entries, with ZIP64 records where numbers need them. Names are ASCII and differ. */
export class ZipWriter {
  readonly #sink: ByteSink;
  readonly #directory: Buffer[] = [];
  #piece = Buffer.alloc(PIECE_BYTES);
  #pieceEnd = 0;
  #entries = 0;
  #end = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Adds a file of less than 4 GB. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    const checksum = crc32(bytes);
    this.#note(name, bytes.length, checksum);
    const head = Buffer.alloc(30 + name.length);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(VERSION, 4);
    head.writeUInt16LE(DATE, 12);
    head.writeUInt32LE(checksum, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt32LE(bytes.length, 22);
    head.writeUInt16LE(name.length, 26);
    head.write(name, 30, 'latin1');
    await this.#write(head);
    await this.#write(bytes);
  }

  /** Writes the directory and ends the sink. */
  async finish(): Promise<void> {
    const start = this.#end;
    for (const piece of [...this.#directory, this.#piece.subarray(0, this.#pieceEnd)]) await this.#write(piece);
    await this.#write(endRecords({ entries: this.#entries, start, end: this.#end }));
    await this.#sink.end();
  }

  #note(name: string, size: number, checksum: number): void {
    const isFar = this.#end >= MAX_32;
    const entry = Buffer.alloc(46 + name.length + (isFar ? 12 : 0));
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(MADE_BY, 4);
    entry.writeUInt16LE(isFar ? ZIP64_VERSION : VERSION, 6);
    entry.writeUInt16LE(DATE, 14);
    entry.writeUInt32LE(checksum, 16);
    entry.writeUInt32LE(size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(isFar ? 12 : 0, 30);
    entry.writeUInt32LE((MODE << 16) >>> 0, 38);
    entry.writeUInt32LE(Math.min(this.#end, MAX_32), 42);
    entry.write(name, 46, 'latin1');
    if (isFar) {
      entry.writeUInt16LE(1, 46 + name.length);
      entry.writeUInt16LE(8, 48 + name.length);
      entry.writeBigUInt64LE(BigInt(this.#end), 50 + name.length);
    }
    this.#entries++;
    this.#keep(entry);
  }

  #keep(entry: Buffer): void {
    if (this.#pieceEnd + entry.length > this.#piece.length) {
      this.#directory.push(this.#piece.subarray(0, this.#pieceEnd));
      this.#piece = Buffer.alloc(PIECE_BYTES);
      this.#pieceEnd = 0;
    }
    this.#pieceEnd += entry.copy(this.#piece, this.#pieceEnd);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#end += bytes.length;
  }
}

interface Directory {
  readonly entries: number;
  /** Where it starts and ends in the file. */
  readonly start: number;
  readonly end: number;
}

function endRecords(directory: Directory): Buffer {
  const { entries, start, end } = directory;
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(Math.min(entries, MAX_16), 8);
  record.writeUInt16LE(Math.min(entries, MAX_16), 10);
  record.writeUInt32LE(Math.min(end - start, MAX_32), 12);
  record.writeUInt32LE(Math.min(start, MAX_32), 16);
  const isLarge = entries >= MAX_16 || start >= MAX_32 || end - start >= MAX_32;
  return isLarge ? Buffer.concat([zip64Records(directory), record]) : record;
}

function zip64Records({ entries, start, end }: Directory): Buffer {
  const records = Buffer.alloc(56 + 20);
  records.writeUInt32LE(0x06064b50, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeUInt16LE(MADE_BY, 12);
  records.writeUInt16LE(ZIP64_VERSION, 14);
  records.writeBigUInt64LE(BigInt(entries), 24);
  records.writeBigUInt64LE(BigInt(entries), 32);
  records.writeBigUInt64LE(BigInt(end - start), 40);
  records.writeBigUInt64LE(BigInt(start), 48);
  records.writeUInt32LE(0x07064b50, 56);
  records.writeBigUInt64LE(BigInt(end), 64);
  records.writeUInt32LE(1, 72);
  return records;
}
