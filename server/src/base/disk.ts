import { statfs } from 'node:fs/promises';
import { ticks } from './clock.ts';

/** Disks do not fill up faster than somebody would notice. */
const LOOK_EVERY_MS = 1000;

/** Tells the bytes that may still be written on the file system of a folder, as of at most a second ago. */
export class FreeSpace {
  readonly #folder: string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async bytes(): Promise<number> {
    if (ticks() - this.#lookedAt > LOOK_EVERY_MS) {
      const { bavail, bsize } = await statfs(this.#folder);
      this.#bytes = bavail * bsize;
      this.#lookedAt = ticks();
    }
    return this.#bytes;
  }
}
