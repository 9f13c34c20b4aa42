import { type FileHandle, open, rename } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';
import { type ColumnType, isNested } from '../../column/type.ts';
import type { LandAsk } from '../source.ts';
import { feedCsv } from './csv-files.ts';
import { CsvLines } from './csv-lines.ts';
import { JsonLines, type Wanted } from './json-lines.ts';
import { type Feeding, feedLines } from './line-files.ts';

/** Writes a piece's rows as CSV: a 1, then a cell for each column of the shape. Of JSON lines it is empty where it is not asked for. */
export async function landLines({ shape, piece, columns, path, signal }: LandAsk): Promise<number> {
  using lines = openLines(shape, columns);
  const part = `${path}.part`;
  await using file = await open(part, 'w');
  const [first, last] = piece.files;
  const inputs = shape.inputs.slice(first, last + 1);
  const { rows: range, count, start = { row: 0, byte: 0 } } = piece;
  const planned = range === null ? count : range[1] - range[0];
  const landing = new Landing(lines, file, { skipped: range === null ? 0 : range[0] - start.row, wanted: planned });
  for (const input of inputs) await landing.take(input.path, start.byte, signal);
  if (planned !== undefined && landing.rows !== planned)
    throw new Fault('run.short', `Of ${planned} rows ${landing.rows} were read.`);
  await rename(part, path);
  return landing.rows;
}

function openLines({ columns, delimiter }: LandAsk['shape'], asked: LandAsk['columns']): JsonLines | CsvLines {
  if (delimiter !== undefined) return new CsvLines(delimiter, columns.length);
  const wanted = new Set(asked ?? columns.map(({ name }) => name));
  const cells = columns.map(({ name, type }) => ({ name, wanted: wanted.has(name) ? wantedOf(type) : 'no' }) as const);
  return new JsonLines(cells, false);
}

/** JSON and what is nested keep the text they have in the line; of others the text is what their values are made of. */
function wantedOf(type: ColumnType): Wanted {
  return type.is === 'json' || isNested(type) ? 'json' : 'text';
}

class Landing {
  rows = 0;
  readonly #lines: JsonLines | CsvLines;
  readonly #file: FileHandle;
  readonly #wanted: number;
  #toSkip: number;

  constructor(
    lines: JsonLines | CsvLines,
    file: FileHandle,
    { skipped, wanted }: { readonly skipped: number; readonly wanted: number | undefined },
  ) {
    this.#lines = lines;
    this.#file = file;
    this.#toSkip = skipped;
    this.#wanted = wanted ?? Number.POSITIVE_INFINITY;
  }

  async take(path: string, fromByte: number, signal: AbortSignal): Promise<void> {
    const lines = this.#lines;
    const feeding: Omit<Feeding, 'lines'> = {
      path,
      fromByte,
      toByte: Number.POSITIVE_INFINITY,
      take: ({ start, end }) => {
        if (signal.aborted) throw new Fault('run.cancelled', 'The run was cancelled.');
        return this.#write(start, end);
      },
    };
    await (lines instanceof CsvLines ? feedCsv({ ...feeding, lines }) : feedLines({ ...feeding, lines }));
  }

  /** False when all that are wanted have been. */
  async #write(start: number, end: number): Promise<boolean> {
    let at = start;
    if (this.#toSkip > 0) {
      const skipped = this.#lines.read(at, end, this.#toSkip);
      this.#toSkip -= skipped.rows;
      at = skipped.at;
    }
    while (at < end && this.rows < this.#wanted) {
      const { at: next, rows } = this.#lines.write(at, end, this.#wanted - this.rows);
      at = next;
      this.rows += rows;
      const written = this.#lines.takeWritten();
      for (let done = 0; done < written.length; ) done += (await this.#file.write(written, done)).bytesWritten;
    }
    return this.rows < this.#wanted;
  }
}
