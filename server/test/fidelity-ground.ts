import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseType } from '../src/column/type-name.ts';
import type { FormatOptions } from '../src/format/options.ts';
import type { Table } from './arbitrary-table.ts';
import { assertHolds } from './compare-files.ts';
import type { Expected } from './compare-pairs.ts';
import type { Value } from './model.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { PythonJson, whyNoPython } from './readers/python-json.ts';
import { whyNo } from './source-server.ts';
import { type ExportInput, exported } from './table-export.ts';
import { TableWriter } from './table-files.ts';

/** Why what is exported cannot be read back here, or false. */
export function whyNoReaders(): string | false {
  return whyNoPostgres() || whyNoPython() || whyNo('unzip', 'pdfdetach');
}

/** A folder, a writer of sources and the readers of what is made of them, all gone on dispose. */
export class FidelityGround implements AsyncDisposable {
  readonly folder: string;
  readonly writer: TableWriter;
  readonly postgres: PostgresReader;
  readonly #python: PythonJson;

  private constructor(folder: string, writer: TableWriter, postgres: PostgresReader) {
    this.folder = folder;
    this.writer = writer;
    this.postgres = postgres;
    this.#python = new PythonJson();
  }

  static async open(): Promise<FidelityGround> {
    const folder = await mkdtemp(join(tmpdir(), 'fidelity-'));
    return new FidelityGround(folder, await TableWriter.open(folder), await PostgresReader.start());
  }

  /** Exports the input into each of the formats and holds every value of every file against what is expected. */
  async assertExports(input: ExportInput, formats: readonly FormatOptions[], expected: Expected): Promise<void> {
    const stages = await mkdtemp(join(this.folder, 'export-'));
    await this.assertHold(await exported(input, formats, stages), formats, expected);
    await rm(stages, { recursive: true });
  }

  /** Holds every value of a file of each of the formats against what is expected. */
  async assertHold(paths: readonly string[], formats: readonly FormatOptions[], expected: Expected): Promise<void> {
    const readers = { postgres: this.postgres, python: this.#python };
    for (const [at, options] of formats.entries()) await assertHolds(paths[at] ?? '', options, expected, readers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer[Symbol.dispose]();
    await this.postgres[Symbol.asyncDispose]();
    await this.#python[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

/** Columns given as name, type and values. */
export function expectedOf(...columns: readonly (readonly [string, string, readonly Value[]])[]): Expected {
  return {
    rows: columns[0]?.[2].length ?? 0,
    columns: columns.map(([name, type, values]) => ({ name, type: parseType(type, ''), values })),
  };
}

export const LINES = 'He said "yes", then\nleft. "No", she said,\n"not today".\n';

/** Texts of some 7 KB, each of many lines with quotes and commas beside their ends, no two in a row of one length. */
export function manyLines(rows: number): Table {
  const texts = Array.from({ length: rows }, (_, row) => LINES.repeat(110 + ((row * 37) % 29)));
  const columns = [
    { name: 'id', values: texts.map((_, row) => `${row}`) },
    { name: 'text', values: texts },
  ];
  return { rows, columns: columns.map((column) => ({ ...column, type: { is: 'text' }, isDeclared: false })) };
}
