import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ColumnType, engineType } from '../src/column/type.ts';
import type { Table, TableColumn } from './arbitrary-table.ts';
import type { JsonValue, Value } from './model.ts';

/** Writes tables as the files a customer would have. */
export class TableWriter implements Disposable {
  readonly #connection: DuckDBConnection;
  readonly #folder: string;
  #count = 0;

  private constructor(connection: DuckDBConnection, folder: string) {
    this.#connection = connection;
    this.#folder = folder;
  }

  static async open(folder: string): Promise<TableWriter> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    await connection.run("set TimeZone = 'UTC'");
    return new TableWriter(connection, folder);
  }

  /** The table in a database file and in a Parquet file. */
  async write({ columns, rows }: Table): Promise<{ database: string; parquet: string }> {
    const path = join(this.#folder, `${this.#count++}`);
    const [database, parquet] = [`${path}.duckdb`, `${path}.parquet`];
    const lines = Array.from(
      { length: rows },
      (_, at) => `(${columns.map((column) => cellSql(column, at)).join(', ')})`,
    );
    await this.#run(`attach ${quoted(database)} as target`);
    await this.#run(
      `create table target.records (${columns.map((column) => `${named(column.name)} ${storedType(column)}`).join(', ')})`,
    );
    if (rows > 0) await this.#run(`insert into target.records values ${lines.join(', ')}`);
    await this.#run(`copy target.records to ${quoted(parquet)} (format parquet)`);
    await this.#run('detach target');
    return { database, parquet };
  }

  /** A database file with whatever the statements make; they stand in a schema of its own. */
  async make(statements: readonly string[]): Promise<string> {
    const database = join(this.#folder, `${this.#count++}.duckdb`);
    await this.#run(`attach ${quoted(database)} as target`);
    await this.#run('use target');
    try {
      for (const statement of statements) await this.#run(statement);
    } finally {
      await this.#run('use memory');
      await this.#run('detach target');
    }
    return database;
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  [Symbol.dispose](): void {
    this.#connection.closeSync();
  }
}

function storedType({ type, isDeclared }: TableColumn): string {
  return isDeclared ? 'VARCHAR' : engineType(type);
}

function cellSql({ type, isDeclared, values }: TableColumn, row: number): string {
  const value = values[row] ?? null;
  return isDeclared && value !== null ? quoted((value as JsonValue).text) : valueSql(value, type);
}

/** A value as the engine reads it, by functions that take numbers where there are such. */
function valueSql(value: Value, type: ColumnType): string {
  if (value === null) return `null::${engineType(type)}`;
  if (value === 'infinity' || value === '-infinity')
    return type.is === 'text' ? quoted(value) : `'${value}'::${engineType(type)}`;
  switch (type.is) {
    case 'text':
      return quoted(String(value));
    case 'bytes':
      return `unhex('${Buffer.from(value as Uint8Array).toString('hex')}')`;
    case 'json':
      return `${quoted((value as JsonValue).text)}::JSON`;
    case 'date':
      return `(date '1970-01-01' + ${value}::integer)`;
    case 'time':
      return value === 86_400_000_000n ? `time '24:00:00'` : `(time '00:00:00' + to_microseconds(${value}))`;
    case 'timestamp':
      return type.unit === 'ns' ? `make_timestamp_ns(${value})` : `make_timestamp(${value})`;
    case 'instant':
      return `make_timestamptz(${value})`;
    case 'decimal':
      return `'${decimalText(value as bigint, type.scale)}'::${engineType(type)}`;
    case 'float':
      return `'${Object.is(value, -0) ? '-0' : value}'::${engineType(type)}`;
    default:
      return nestedSql(value, type);
  }
}

function nestedSql(value: Value, type: ColumnType): string {
  const parts = Array.isArray(value) ? (value as readonly Value[]) : [];
  switch (type.is) {
    case 'list':
      return `[${parts.map((item) => valueSql(item, type.of)).join(', ')}]::${engineType(type)}`;
    case 'struct':
      return `struct_pack(${type.fields.map((field, at) => `${named(field.name)} := ${valueSql(parts[at] ?? null, field.type)}`).join(', ')})`;
    case 'map': {
      const sides = [type.key, type.value].map(
        (side, at) =>
          `[${parts.map((pair) => valueSql((pair as readonly Value[])[at] ?? null, side)).join(', ')}]::${engineType(side)}[]`,
      );
      return `map(${sides.join(', ')})`;
    }
    default:
      return `'${value}'::${engineType(type)}`;
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
}

function named(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoted(text: string): string {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts.join('') : `(${parts.join(' || chr(0) || ')})`;
}
