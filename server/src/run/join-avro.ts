import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { avroLong } from '../format/avro-long.ts';
import { type AvroBlock, AvroRows } from '../format/avro-rows.ts';
import type { Joining } from '../format/format.ts';
import { free } from '../format/free.ts';
import type { ByteSink } from '../format/sink.ts';
import { zstdFrameInPool } from '../format/zstd-blocks.ts';
import type { Joiner, SegmentPlace } from './join.ts';

const deflateInPool = promisify(deflateRaw);

/** Events of ten columns: 2.2 s of processor time a million rows, 2.7 times smaller; level 6 takes 4.3 s for 2.8. */
const DEFLATE_LEVEL = 1;
/** The same events: 0.8 s, 3.0 times smaller; level 3 takes 1.1 s for 2.9. */
const ZSTD_LEVEL = 1;
/** Of the four threads in Node's pool this leaves one to file reads and writes. */
const MAX_IN_FLIGHT = 3;

/** Blocks end with a whole row, so that one may be longer than the one before. */
const SPARE_BYTES = 2 ** 14;

type AvroJoining = Joining & { by: 'avro' };

interface SealedBlock {
  readonly rows: number;
  /** Memory of its rows, which is free again when `data` is there. */
  readonly memory: Buffer;
  readonly data: Promise<Uint8Array>;
}

/**
 * Makes an Avro object container file of segments. The bytes depend on the segments, the joining and zlib's version,
 * not on timing. When compressing or the sink fails, a later call rejects; none may follow that.
 */
export class AvroJoiner implements Joiner {
  readonly #sink: ByteSink;
  readonly #joining: AvroJoining;
  readonly #source: AvroRows;
  /** Blocks being compressed, oldest first. */
  readonly #inFlight: SealedBlock[] = [];
  /** Memory of blocks that are written. */
  readonly #spare: Buffer[] = [];
  #hasHeader = false;
  #rows = 0;

  constructor(sink: ByteSink, joining: AvroJoining) {
    this.#sink = sink;
    this.#joining = joining;
    this.#source = new AvroRows(joining.columns);
  }

  get rows(): number {
    return this.#rows;
  }

  async append({ path }: SegmentPlace): Promise<void> {
    await using file = await open(path);
    for (;;) {
      const room = this.#source.room();
      const { bytesRead } = await file.read(room, 0, room.length);
      this.#source.take(bytesRead);
      const isLast = bytesRead === 0;
      for (let block = this.#source.next(isLast); block !== null; block = this.#source.next(isLast)) {
        await this.#add(block);
      }
      if (isLast) return;
    }
  }

  async finish(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#writeOldest();
    await this.#writeHeader();
    await this.#sink.end();
  }

  async #add(block: AvroBlock): Promise<void> {
    if (this.#joining.codec === 'null') return this.#writePlain(block);
    if (this.#inFlight.length === MAX_IN_FLIGHT) await this.#writeOldest();
    const size = block.end - block.start;
    const spare = this.#spare.pop();
    const memory = spare && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size + SPARE_BYTES);
    block.buffer.copy(memory, 0, block.start, block.end);
    const data = this.#compress(memory.subarray(0, size));
    // Its error is met when its turn to be written comes: until then it is not unhandled.
    data.catch(() => undefined);
    this.#inFlight.push({ rows: block.rows, memory, data });
  }

  /** The block's head and sync marker go around its rows in place, so that one write does it. */
  async #writePlain({ rows, buffer, start, end }: AvroBlock): Promise<void> {
    await this.#writeHeader();
    const head = blockHead(rows, end - start);
    buffer.set(head, start - head.length);
    buffer.set(this.#joining.sync, end);
    await this.#sink.write(buffer.subarray(start - head.length, end + this.#joining.sync.length));
    this.#rows += rows;
  }

  async #writeOldest(): Promise<void> {
    const block = this.#inFlight.shift();
    if (block === undefined) return;
    const data = await block.data;
    this.#spare.push(block.memory);
    await this.#writeHeader();
    const whole = Buffer.concat([blockHead(block.rows, data.length), data, this.#joining.sync]);
    free(data);
    await this.#sink.write(whole);
    free(whole);
    this.#rows += block.rows;
  }

  async #writeHeader(): Promise<void> {
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    await this.#sink.write(this.#joining.header);
  }

  #compress(rows: Uint8Array): Promise<Uint8Array> {
    if (this.#joining.codec === 'zstandard') return zstdFrameInPool({ text: rows, level: ZSTD_LEVEL });
    // Room for rows that only grow, so that one trip to the pool does it.
    return deflateInPool(rows, { level: DEFLATE_LEVEL, chunkSize: rows.length + 2 ** 12 });
  }
}

function blockHead(rows: number, bytes: number): Uint8Array {
  return Buffer.concat([avroLong(rows), avroLong(bytes)]);
}
