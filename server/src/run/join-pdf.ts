import { createReadStream } from 'node:fs';
import { Fault } from '../base/errors.ts';
import type { Joining } from '../format/format.ts';
import { free } from '../format/free.ts';
import type { BatchDocument } from '../format/pdf/set-batch.ts';
import { DocumentThreads } from '../format/pdf/threads.ts';
import { ZipWriter } from '../format/pdf/zip.ts';
import type { ByteSink } from '../format/sink.ts';
import type { Joiner, JoinGround, SegmentPlace } from './join.ts';

/** A batch ends with the row that reaches either: 16 documents are a tenth of a second on a thread. */
const BATCH_ROWS = 16;
const BATCH_LENGTH = 256 * 1024;

/** What is kept of each document (name, line of the index, entry of the directory) is about 500 bytes. */
const MAX_DOCUMENTS = 500_000;

const READ_BYTES = 256 * 1024;
const LINE_FEED = 10;

const INDEX = 'index.csv';
/** A line by itself would stand in Node's pool and keep the rows beside it: 1 KB a document. */
const INDEX_PIECE_LENGTH = 64 * 1024;
const INDEX_HEAD = 'name,sha256,pages,bytes\n';

type PdfJoining = Joining & { by: 'pdf' };

/** Makes a zip with a PDF for each row of the segments and an index. The bytes depend on the rows and the layout, not on threads. */
export class PdfJoiner implements Joiner {
  readonly #ground: JoinGround;
  readonly #joining: PdfJoining;
  readonly #zip: ZipWriter;
  readonly #names = new Set<string>();
  readonly #index: Buffer[] = [];
  /** Lines of the index that are in no piece yet. */
  #lines = INDEX_HEAD;
  readonly #threads: DocumentThreads;
  /** Batches being made, oldest first. */
  readonly #inFlight: Promise<readonly BatchDocument[]>[] = [];
  #asked = 0;

  constructor(sink: ByteSink, joining: PdfJoining, ground: JoinGround) {
    this.#ground = ground;
    this.#joining = joining;
    this.#zip = new ZipWriter(sink);
    this.#threads = new DocumentThreads(ground.threads);
  }

  get rows(): number {
    return this.#names.size;
  }

  async append({ path }: SegmentPlace): Promise<void> {
    let batch: string[] = [];
    let length = 0;
    for await (const line of linesOf(path)) {
      batch.push(line);
      length += line.length;
      if (batch.length < BATCH_ROWS && length < BATCH_LENGTH) continue;
      await this.#ask(batch);
      batch = [];
      length = 0;
    }
    if (batch.length > 0) await this.#ask(batch);
    while (this.#inFlight.length > 0) await this.#writeOldest();
  }

  async finish(): Promise<void> {
    await this.#zip.add(INDEX, Buffer.concat([...this.#index, Buffer.from(this.#lines)]));
    await this.#zip.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }

  async #ask(lines: readonly string[]): Promise<void> {
    const { layout } = this.#joining;
    const documents = this.#threads.set({ lines, firstRow: this.#asked + 1, layout });
    // Its error is met when its turn to be written comes: until then it is not unhandled.
    documents.catch(() => undefined);
    this.#asked += lines.length;
    if (this.#inFlight.push(documents) >= this.#threads.room) await this.#writeOldest();
  }

  async #writeOldest(): Promise<void> {
    if (this.#ground.signal.aborted) throw new Fault('run.cancelled', 'The run was cancelled.');
    for (const document of (await this.#inFlight.shift()) ?? []) await this.#write(document);
  }

  async #write({ name, bytes, pages, sha256 }: BatchDocument): Promise<void> {
    const row = this.#names.size + 1;
    if (row > MAX_DOCUMENTS) {
      throw new Fault('value.refused', `A zip holds at most ${MAX_DOCUMENTS} documents; ask for split rows.`);
    }
    if (this.#names.has(name)) {
      throw new Fault(
        'value.refused',
        `Row ${row} cannot name a document by ${this.#joining.layout.name}: ${name} is there already; names have to differ.`,
      );
    }
    this.#names.add(name);
    this.#lines += `${name},${sha256},${pages},${bytes.length}\n`;
    if (this.#lines.length >= INDEX_PIECE_LENGTH) {
      this.#index.push(Buffer.from(this.#lines));
      this.#lines = '';
    }
    await this.#zip.add(name, bytes);
    free(bytes);
  }
}

/** The lines of a file, which all end with a line feed. Node's readline would also split at U+2028 inside of a value. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let open: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield Buffer.concat([...open, chunk.subarray(start, end)]).toString();
      open = [];
      start = end + 1;
    }
    if (start < chunk.length) open.push(chunk.subarray(start));
  }
  if (open.length > 0) throw new Error('A segment does not end with a whole row.');
}
