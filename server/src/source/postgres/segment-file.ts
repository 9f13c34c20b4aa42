import { type FileHandle, open } from 'node:fs/promises';

/** Large enough that a write costs next to nothing, small enough that two for each connection do not matter. */
const BUFFER_BYTES = 1024 * 1024;

/** What files are written through, one after the other. */
export type Buffers = readonly [Buffer, Buffer];

export function allocate(): Buffers {
  return [Buffer.allocUnsafeSlow(BUFFER_BYTES), Buffer.allocUnsafeSlow(BUFFER_BYTES)];
}

/** A new file written from its start through two buffers: one is filled while the other is on its way to the disk. */
export class SegmentFile {
  readonly #file: FileHandle;
  #filling: Buffer;
  #spare: Buffer | null;
  #used = 0;
  #written: Promise<void> = Promise.resolve();
  #error: unknown = null;

  private constructor(file: FileHandle, [filling, spare]: Buffers) {
    this.#file = file;
    this.#filling = filling;
    this.#spare = spare;
  }

  /** Throws EEXIST where there is one already. */
  static async create(path: string, buffers: Buffers): Promise<SegmentFile> {
    return new SegmentFile(await open(path, 'wx'), buffers);
  }

  /** Takes what fits of `bytes[start, end)` and gives where it left off; less than all means: wait for `room`. */
  take(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#used === BUFFER_BYTES && !this.#turn()) return at;
      const taken = bytes.copy(this.#filling, this.#used, at, end);
      this.#used += taken;
      at += taken;
    }
    return at;
  }

  /** Ends when bytes can be taken again. Throws the system's error when a write failed. */
  async room(): Promise<void> {
    await this.#written;
    if (this.#error !== null) throw this.#error;
  }

  /** Writes what is left and closes the file, whatever went wrong. */
  async close(): Promise<void> {
    try {
      await this.#written;
      if (this.#used > 0) this.#turn();
      await this.room();
    } finally {
      await this.#file.close();
    }
  }

  /** Sends the full buffer off and goes on with the spare one, if it is back. */
  #turn(): boolean {
    const full = this.#filling;
    if (this.#spare === null) return false;
    this.#written = this.#write(full, this.#used);
    this.#filling = this.#spare;
    this.#spare = null;
    this.#used = 0;
    return true;
  }

  async #write(buffer: Buffer, length: number): Promise<void> {
    try {
      for (let at = 0; at < length; ) at += (await this.#file.write(buffer, at, length - at)).bytesWritten;
    } catch (error) {
      this.#error ??= error;
    }
    this.#spare = buffer;
  }
}
