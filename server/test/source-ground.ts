import { randomUUID } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { identifier, literal } from '../src/column/sql.ts';
import { DEFAULT_TEXT, plainText } from '../src/column/text.ts';
import type { ColumnType } from '../src/column/type.ts';
import { csvScan } from '../src/source/csv-scan.ts';
import { Engine } from '../src/source/engine.ts';
import { OTHERS } from '../src/source/landed-text.ts';
import type { PostgresOptions } from '../src/source/options.ts';
import { openPostgres, postgres } from '../src/source/postgres/postgres.ts';
import { LOCK_TIMEOUT_MS } from '../src/source/postgres/reader.ts';
import type { CsvRows, LiveReader, LiveTarget, Piece, SourceColumn, SourceShape } from '../src/source/source.ts';

const ENGINE = { memoryBytes: 200 * 1024 * 1024, threads: 1, stageFolder: null };

type Texts = ReadonlyMap<string, readonly (string | null)[]>;

/** A database as a source: what makes its tables, and every way a run reads them. */
export class SourceGround implements AsyncDisposable {
  readonly url: string;
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-source-')));
  /** A connection of somebody else. */
  readonly other: Client;

  private constructor(url: string) {
    this.url = url;
    this.other = new Client(url);
    // A server that is killed under it is part of a test.
    this.other.on('error', () => {});
  }

  static async open(url: string): Promise<SourceGround> {
    const ground = new SourceGround(url);
    await ground.other.connect();
    return ground;
  }

  async run(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.other.query(statement);
  }

  async value(sql: string): Promise<unknown> {
    const { rows } = await this.other.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  }

  options(table: string, more: Partial<PostgresOptions> = {}): PostgresOptions {
    return { type: 'postgres', url: this.url, table, connections: 2, ...more };
  }

  describe(
    table: string,
    more: Partial<PostgresOptions> = {},
    types: Record<string, ColumnType> = {},
  ): Promise<SourceShape> {
    const ask = { options: this.options(table, more), types, folder: this.folder };
    return postgres.describe(ask, () => Promise.reject(new Error('No engine.')), 1);
  }

  open(shape: SourceShape, { signal, more, stallMs, lockTimeoutMs }: OpenHow = {}): Promise<LiveReader> {
    const ask = { shape, options: this.options('', more), lanes: 2, signal: signal ?? new AbortController().signal };
    return openPostgres(ask, { stallMs: stallMs ?? 60_000, lockTimeoutMs: lockTimeoutMs ?? LOCK_TIMEOUT_MS });
  }

  /** A file that is not there yet. */
  target(text: CsvRows['text']): LiveTarget {
    return { path: join(this.folder, randomUUID()), rows: { as: 'csv', text, delimiter: ',', nullText: '' } };
  }

  /** Every piece's rows, by all lanes side by side; gives the files. */
  async copyAll(
    reader: LiveReader,
    shape: SourceShape,
    text: CsvRows['text'],
  ): Promise<{ rows: number; paths: string[] }> {
    const columns = columnsOf(shape, text).map(({ name }) => name);
    const waiting: Piece[] = [...shape.pieces];
    const paths: string[] = [];
    let rows = 0;
    await Promise.all(
      reader.lanes.map(async (lane) => {
        for (let piece = waiting.shift(); piece; piece = waiting.shift()) {
          const target = this.target(text);
          paths.push(target.path);
          const copied = await lane.copy({ columns, where: null, piece }, target);
          rows += copied;
        }
      }),
    );
    return { rows, paths };
  }

  /** The texts of a table's columns in order of its column `id`, the way a run gets them. */
  async texts(shape: SourceShape, text: CsvRows['text']): Promise<Texts> {
    await using reader = await this.open(shape);
    const { paths } = await this.copyAll(reader, shape, text);
    const columns = columnsOf(shape, text);
    await using engine = await Engine.open({ ...ENGINE, files: paths });
    const scan = csvScan(
      `[${paths.map(literal).join(', ')}]`,
      [...columns.map(({ name }) => name), ...(text === 'landed' ? [OTHERS] : [])],
      { delimiter: ',' },
    );
    return await readTexts(engine, columns, { scan, isTyped: text === 'landed' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.other.end().catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface OpenHow {
  readonly signal?: AbortSignal;
  readonly more?: Partial<PostgresOptions>;
  readonly stallMs?: number;
  readonly lockTimeoutMs?: number;
}

function columnsOf(shape: SourceShape, text: CsvRows['text']): readonly SourceColumn[] {
  return shape.columns.filter(({ name }) => shape.live?.columns.find((each) => each.name === name)?.[text] !== null);
}

/** The plain texts of columns of a scan, in order of its column `id`. */
export async function readTexts(
  engine: Engine,
  columns: readonly SourceColumn[],
  { scan, isTyped }: { readonly scan: string; readonly isTyped: boolean },
): Promise<Texts> {
  const session = await engine.session();
  const items = columns.map(({ name, type, expression }) =>
    isTyped ? plainText(expression, type, { ...DEFAULT_TEXT, nonFinite: 'string' }) : identifier(name),
  );
  const { rows } = await session.read(
    `select ${items.map((item) => `hex(encode((${item})::varchar))`).join(', ')} from ${scan} order by "id"::integer`,
  );
  return new Map(columns.map(({ name }, at) => [name, rows.map((row) => textOf(row[at]))]));
}

/** The engine's binding would leave out a byte order mark at the start of a text. */
function textOf(hex: unknown): string | null {
  return typeof hex === 'string' ? Buffer.from(hex, 'hex').toString('utf8') : null;
}
