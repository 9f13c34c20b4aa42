import { Client } from 'pg';
import type { ColumnType } from '../src/column/type.ts';
import type { SourceOptions } from '../src/source/options.ts';
import type { Table, TableColumn } from './arbitrary-table.ts';
import type { JsonValue, Value } from './model.ts';
import { dateOf, momentOf, timeOf } from './model-time.ts';

/** Makes tables in a database as a customer would have them, rows in the order they are given in. */
export class PostgresTables implements AsyncDisposable {
  readonly #client: Client;
  readonly #url: string;
  #count = 0;

  private constructor(client: Client, url: string) {
    this.#client = client;
    this.#url = url;
  }

  static async open(url: string): Promise<PostgresTables> {
    const client = new Client({ connectionString: url });
    await client.connect();
    return new PostgresTables(client, url);
  }

  async write({ columns, rows }: Table): Promise<SourceOptions> {
    const table = `drawn_${this.#count++}`;
    await this.#client.query(
      `create table ${table} (${columns.map((column) => `${named(column.name)} ${storedType(column)}`).join(', ')})`,
    );
    const places = columns.map((_, at) => `$${at + 1}`).join(', ');
    for (let row = 0; row < rows; row++) {
      const cells = columns.map((column) => cellText(column, row));
      await this.#client.query(`insert into ${table} values (${places})`, cells);
    }
    return this.source(table);
  }

  /** Runs the statements and gives the source of the table they made. */
  async make(statements: readonly string[], table: string): Promise<SourceOptions> {
    for (const statement of statements) await this.#client.query(statement);
    return this.source(table);
  }

  source(table: string): SourceOptions {
    return { type: 'postgres', url: this.#url, table, connections: 2 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

function storedType({ type, isDeclared }: TableColumn): string {
  return isDeclared ? 'text' : postgresType(type);
}

const TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  text: 'text',
  bytes: 'bytea',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  instant: 'timestamptz',
  json: 'json',
};

function postgresType(type: ColumnType): string {
  switch (type.is) {
    case 'integer':
      return type.bits === 32 ? 'integer' : 'bigint';
    case 'float':
      return type.bits === 32 ? 'real' : 'double precision';
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`;
    case 'list':
      return `${postgresType(type.of)}[]`;
    default:
      return TYPES[type.is] ?? type.is;
  }
}

function cellText({ type, isDeclared, values }: TableColumn, row: number): string | null {
  const value = values[row] ?? null;
  if (value === null) return null;
  return isDeclared ? (value as JsonValue).text : textOf(value, type);
}

/** A value as PostgreSQL reads it. */
function textOf(value: Value, type: ColumnType): string {
  if (value === 'infinity' || value === '-infinity') return value;
  switch (type.is) {
    case 'decimal':
      return `${value}e-${type.scale}`;
    case 'bytes':
      return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`;
    case 'json':
      return (value as JsonValue).text;
    case 'date':
      return beforeChrist(dateOf(Number(value)), '');
    case 'time':
      return timeOf(value as bigint);
    case 'timestamp':
      return beforeChrist(momentOf(value as bigint, 6), '');
    case 'instant':
      return beforeChrist(momentOf(value as bigint, 6), '+00');
    case 'list':
      return `{${(value as readonly Value[]).map((item) => itemText(item, type.of)).join(',')}}`;
    default:
      return String(value);
  }
}

function itemText(value: Value, type: ColumnType): string {
  return value === null ? 'NULL' : `"${textOf(value, type).replaceAll(/["\\]/g, '\\$&')}"`;
}

/** `-000043-03-15T…` is 44 BC. */
function beforeChrist(iso: string, zone: string): string {
  const [, sign, year = '', rest = ''] = /^([+-]?)(\d+)(.*)$/.exec(iso) ?? [];
  if (sign !== '-' && Number(year) > 0) return `${year.replace(/^0+(?=\d{4})/, '')}${rest}${zone}`;
  return `${String(Number(year) + 1).padStart(4, '0')}${rest}${zone} BC`;
}

function named(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
