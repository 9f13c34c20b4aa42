import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { makeEvents } from './events.ts';
import { BenchPostgres } from './postgres.ts';

/** `text` is a Parquet file without types that only DuckDB writes: identifiers and JSON are plain text. */
export type Source = 'parquet' | 'text' | 'csv' | 'jsonl' | 'duckdb' | 'sqlite' | 'postgres';

/** The events somewhere: the path of a file, or the URL of a database. */
export interface Input {
  readonly place: string;
  readonly table: string;
}

const MADE_BY_DUCKDB: Readonly<Partial<Record<Source, string>>> = {
  text: `copy (select * replace (event_id::varchar as event_id, properties::varchar as properties) from events) to 'PLACE' (format parquet)`,
  csv: `copy (select * from events) to 'PLACE' (format csv)`,
  jsonl: `copy (select * from events) to 'PLACE' (format json)`,
  duckdb: `attach 'PLACE' as made; create table made.events as select * from events; checkpoint made; detach made`,
};
const ENDINGS: Readonly<Partial<Record<Source, string>>> = { text: 'text.parquet' };

/** A temporary folder with the inputs, each made when it is first asked for. */
export class Ground {
  readonly folder = mkdtempSync(join(tmpdir(), 'drayage-bench-'));
  readonly data = join(this.folder, 'data');
  readonly #made = new Map<string, Promise<Input>>();
  #postgres: Promise<BenchPostgres> | null = null;

  constructor() {
    mkdirSync(this.data);
    process.on('exit', () => rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 }));
  }

  input(source: Source, rows: number): Promise<Input> {
    const key = `${source} ${rows}`;
    const made = this.#made.get(key) ?? this.#make(source, rows);
    this.#made.set(key, made);
    return made;
  }

  /** A configuration that declares the events of PostgreSQL as the dataset `events`. */
  config({ place, table }: Input, connections: number): string {
    const source = { type: 'postgres', url: place, table: `public.${table}`, connections };
    const path = join(this.folder, `${table}-${connections}.config.mjs`);
    writeFileSync(
      path,
      `export default ${JSON.stringify({ datasets: { events: { source, tenancy: 'shared' } } }, null, 2)};\n`,
    );
    return path;
  }

  async close(): Promise<void> {
    await (await this.#postgres?.catch(() => null))?.stop();
  }

  async #make(source: Source, rows: number): Promise<Input> {
    const table = source === 'postgres' ? `events_${rows}` : 'events';
    const place = join(this.folder, `events-${rows}.${ENDINGS[source] ?? source}`);
    if (source === 'parquet') await makeEvents(place, rows);
    else if (source === 'sqlite') await this.#loadSqlite(place, rows);
    else if (source === 'postgres') return { place: await this.#loadPostgres(table, rows), table };
    else
      await runDuckdb((await this.input('parquet', rows)).place, MADE_BY_DUCKDB[source]?.replace('PLACE', place) ?? '');
    return { place, table };
  }

  async #loadSqlite(place: string, rows: number): Promise<void> {
    const csv = await this.input('csv', rows);
    const columns =
      'event_id text, tenant text, user_id integer, company_id integer, event_type text, occurred_at text, properties text, amount numeric, flag text, note text';
    execFileSync('sqlite3', [
      place,
      'pragma journal_mode = off',
      `create table events (${columns})`,
      `.import --csv --skip 1 ${csv.place} events`,
    ]);
  }

  async #loadPostgres(table: string, rows: number): Promise<string> {
    this.#postgres ??= BenchPostgres.start();
    const server = await this.#postgres;
    await server.load(table, (await this.input('csv', rows)).place);
    return server.url;
  }
}

async function runDuckdb(parquet: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(`set TimeZone = 'UTC'; create view events as from read_parquet('${parquet}'); ${sql}`);
  connection.closeSync();
  instance.closeSync();
}
