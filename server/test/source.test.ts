import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duckdb } from '../src/source/duckdb/duckdb.ts';
import { Engine } from '../src/source/engine.ts';
import type { OpenEngine } from '../src/source/source.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { type SourceHolder, sourceContract } from './source.contract.ts';
import { tableStatements } from './source-cells.ts';
import { readTexts, SourceGround } from './source-ground.ts';
import { TableWriter } from './table-files.ts';

const ENGINE = { memoryBytes: 200 * 1024 * 1024, threads: 1, stageFolder: null };

async function openDuckdb(): Promise<SourceHolder> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-source-')));
  using writer = await TableWriter.open(folder);
  const database = await writer.make(tableStatements('duckdb', 'cells'));
  const open = (reads: Parameters<OpenEngine>[0]) => Engine.open({ ...ENGINE, ...reads });
  const shape = await duckdb.describe({ options: { type: 'duckdb', files: database }, types: {}, folder }, open, 1);
  return {
    shape,
    readings: {
      engine: async () => {
        await using engine = await Engine.open({ ...ENGINE, files: [], database });
        return await readTexts(engine, shape.columns, { scan: shape.scan, isTyped: true });
      },
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
}

async function openPostgres(): Promise<SourceHolder> {
  const server = await PostgresReader.start();
  const ground = await SourceGround.open(await server.createDatabase());
  await ground.run("set timezone to 'UTC'", ...tableStatements('postgres', 'cells'));
  const shape = await ground.describe('cells');
  return {
    shape,
    readings: { landed: () => ground.texts(shape, 'landed'), plain: () => ground.texts(shape, 'plain') },
    [Symbol.asyncDispose]: async () => {
      await ground[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

sourceContract('duckdb', openDuckdb, { skip: false });
sourceContract('postgres', openPostgres, { skip: whyNoPostgres() });
