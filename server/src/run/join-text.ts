import { type FileHandle, open } from 'node:fs/promises';
import type { Joining } from '../format/format.ts';
import { RowCounter } from '../format/row-counter.ts';
import type { ByteSink } from '../format/sink.ts';
import type { Joiner, SegmentPlace } from './join.ts';

type TextJoining = Joining & { by: 'text' };

/** Puts the text of segments together, with a head, a tail and separators, and counts its row ends. */
export class TextJoiner implements Joiner {
  readonly #sink: ByteSink;
  readonly #joining: TextJoining;
  readonly #counter: RowCounter;
  readonly #buffer: Buffer;
  /** The separator behind the last row so far: written only when another row follows. */
  readonly #held: Buffer;
  #hasRows = false;

  constructor(sink: ByteSink, joining: TextJoining) {
    this.#sink = sink;
    this.#joining = joining;
    this.#counter = new RowCounter(joining.isQuoted);
    this.#buffer = this.#counter.buffer;
    this.#held = Buffer.alloc(joining.separatorBytes);
  }

  get rows(): number {
    return this.#counter.rows;
  }

  async append({ path }: SegmentPlace): Promise<void> {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size === 0) return;
    const before = this.#hasRows ? this.#held : Buffer.from(this.#joining.head);
    if (before.length > 0) await this.#sink.write(before);
    this.#hasRows = true;
    await this.#copy(file, size);
  }

  async #copy(file: FileHandle, size: number): Promise<void> {
    const buffer = this.#buffer;
    const kept = size - this.#held.length;
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error('A segment became shorter while it was read.');
      this.#counter.count(buffer.subarray(0, bytesRead));
      const writable = Math.min(bytesRead, Math.max(0, kept - at));
      if (writable > 0) await this.#sink.write(buffer.subarray(0, writable));
      if (writable < bytesRead) buffer.copy(this.#held, Math.max(0, at - kept), writable, bytesRead);
      at += bytesRead;
    }
  }

  async finish(): Promise<void> {
    const { empty, tail } = this.#joining;
    if (this.#counter.insideQuotes) throw new Error('The output ended inside a quoted value.');
    const end = this.#hasRows ? tail : empty;
    if (end !== '') await this.#sink.write(Buffer.from(end));
    await this.#sink.end();
  }
}
