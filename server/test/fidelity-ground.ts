import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FormatOptions } from '../src/format/options.ts';
import { assertHolds, type Expected } from './compare-files.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { PythonJson, whyNoPython } from './readers/python-json.ts';
import { type ExportInput, exported } from './table-export.ts';
import { TableWriter } from './table-files.ts';

/** Why what is exported cannot be read back here, or false. */
export function whyNoReaders(): string | false {
  return whyNoPostgres() || whyNoPython();
}

/** A folder, a writer of sources and the readers of what is made of them, all gone on dispose. */
export class FidelityGround implements AsyncDisposable {
  readonly folder: string;
  readonly writer: TableWriter;
  readonly #postgres: PostgresReader;
  readonly #python: PythonJson;

  private constructor(folder: string, writer: TableWriter, postgres: PostgresReader) {
    this.folder = folder;
    this.writer = writer;
    this.#postgres = postgres;
    this.#python = new PythonJson();
  }

  static async open(): Promise<FidelityGround> {
    const folder = await mkdtemp(join(tmpdir(), 'fidelity-'));
    return new FidelityGround(folder, await TableWriter.open(folder), await PostgresReader.start());
  }

  /** Exports the input into each of the formats and holds every value of every file against what is expected. */
  async assertExports(input: ExportInput, formats: readonly FormatOptions[], expected: Expected): Promise<void> {
    const stages = await mkdtemp(join(this.folder, 'export-'));
    const paths = await exported(input, formats, stages);
    const readers = { postgres: this.#postgres, python: this.#python };
    for (const [at, options] of formats.entries()) await assertHolds(paths[at] ?? '', options, expected, readers);
    await rm(stages, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer[Symbol.dispose]();
    await this.#postgres[Symbol.asyncDispose]();
    await this.#python[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}
