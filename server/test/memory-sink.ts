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

/** Fails from write number `failAt` on, the first being 0; every write takes a turn of the event loop. */
export class FailingSink implements ByteSink {
  readonly #failAt: number;
  writes = 0;
  ended = false;

  constructor(failAt: number) {
    this.#failAt = failAt;
  }

  async write(): Promise<void> {
    const number = this.writes;
    this.writes += 1;
    await setImmediate();
    if (number >= this.#failAt) throw new Error(`disk full at write ${number}`);
  }

  async end(): Promise<void> {
    this.ended = true;
  }
}

/** Writes the input in chunks of these lengths, what is left as one, and ends the sink. */
export async function writeChunked(
  into: ByteSink,
  input: Uint8Array,
  chunkLengths: readonly number[] = [],
): Promise<void> {
  let at = 0;
  for (let index = 0; at < input.length; index += 1) {
    // The caller's memory may change as soon as the promise resolves: so it does here.
    const chunk = Uint8Array.from(input.subarray(at, at + (chunkLengths[index] ?? input.length)));
    await into.write(chunk);
    chunk.fill(0);
    at += chunk.length;
  }
  await into.end();
}
