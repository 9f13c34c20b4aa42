import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { ByteSink } from '../src/format/sink.ts';

/** Keeps what it is given; every write takes a turn of the event loop. */
export class MemorySink implements ByteSink {
  readonly #parts: Uint8Array[] = [];
  ended = false;

  async write(bytes: Uint8Array): Promise<void> {
    assert.equal(this.ended, false);
    await setImmediate();
    this.#parts.push(Uint8Array.from(bytes));
  }

  async end(): Promise<void> {
    this.ended = true;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
