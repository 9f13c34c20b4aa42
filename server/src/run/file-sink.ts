import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSink } from '../format/sink.ts';

/** A finished file as the manifest lists it. */
export interface WrittenFile {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** The disk is kept busy behind the writing, so that little is left to wait for at the end. */
const SYNC_BYTES = 64 * 1024 * 1024;

/** Writes a new file and hashes what it writes. Dispose closes it, finished or not. */
export class FileSink implements ByteSink, AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #syncedBytes = 0;
  #syncing: Promise<void> = Promise.resolve();
  #isSyncing = false;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Throws EEXIST when the file is there already: two outputs never share a name. */
  static async create(path: string): Promise<FileSink> {
    return new FileSink(await open(path, 'wx', 0o644));
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const writing = this.#handle.writev([bytes], this.#bytes);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    const { bytesWritten } = await writing;
    if (bytesWritten !== bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    if (!this.#isSyncing && this.#bytes - this.#syncedBytes >= SYNC_BYTES) this.#syncBehind();
  }

  /** The bytes are on the disk, not only in its cache, before anything says that they are there. */
  async end(): Promise<void> {
    await this.#syncing;
    await this.#handle.datasync();
  }

  /** What fails here fails again, and is told, at the end. */
  #syncBehind(): void {
    this.#isSyncing = true;
    this.#syncedBytes = this.#bytes;
    const settled = () => {
      this.#isSyncing = false;
    };
    this.#syncing = this.#handle.datasync().then(settled, settled);
  }

  /** What was written. Call it once, at the end. */
  finish(): WrittenFile {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
    await this.#handle.close();
  }
}
