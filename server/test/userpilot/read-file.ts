import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAvro } from '../readers/avro.ts';
import { readParquet } from '../readers/parquet.ts';
import type { UserpilotGround } from './ground.ts';
import type { EventRow } from './rows.ts';

/** Cells as text, null for none; instants as microseconds since 1970. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface Part extends Table {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** Every file of a job, by its URL. */
export async function downloadAll(
  ground: UserpilotGround,
  job: { presigned_urls: readonly { filename: string; url: string }[] },
): Promise<Part[]> {
  return Promise.all(
    job.presigned_urls.map(async ({ filename, url }) => {
      const { bytes, headers } = await ground.download(url);
      const path = join(ground.folder, `${crypto.randomUUID()}-${filename}`);
      writeFileSync(path, bytes);
      const table = await (READERS[filename.split('.').at(-1) ?? ''] ?? readNothing)(path, bytes);
      return { ...table, filename, contentType: headers.get('content-type') ?? '', bytes };
    }),
  );
}

type Reader = (path: string, bytes: Buffer) => Promise<Table>;

const READERS: Readonly<Record<string, Reader>> = {
  csv: async (_, bytes) => {
    const [columns = [], ...rows] = parseCsv(bytes.toString());
    const at = columns.indexOf('inserted_at');
    return {
      columns: columns.map(String),
      rows: rows.map((row) => row.map((cell, place) => (place === at && cell !== null ? microsOf(cell) : cell))),
    };
  },
  ndjson: async (_, bytes) => {
    const lines = bytes.toString().split('\n').slice(0, -1);
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const columns = Object.keys(rows[0] ?? {});
    return { columns, rows: rows.map((row) => columns.map((name) => textOf(row[name], name))) };
  },
  parquet: async (path) => binary(await readParquet(path)),
  avro: async (path) => binary(await readAvro(path)),
};

async function readNothing(path: string): Promise<Table> {
  throw new Error(`There is no reader for ${path}.`);
}

function binary(content: { columns: readonly { name: string }[]; rows: readonly (readonly unknown[])[] }): Table {
  const columns = content.columns.map(({ name }) => name);
  return {
    columns,
    rows: content.rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? null : String(cell)))),
  };
}

function textOf(value: unknown, name: string): string | null {
  if (value === null || value === undefined) return null;
  if (name === 'inserted_at') return microsOf(String(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function microsOf(instant: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(instant)) throw new Error(`${instant} is no instant.`);
  return String(BigInt(Date.parse(`${instant.slice(0, 19)}Z`)) * 1000n + BigInt(instant.slice(20, 26)));
}

/** By RFC 4180; an empty cell without quotes is null. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? (plain === '' ? null : plain));
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** The cells a row of the ground must come out with. */
export function expected(row: EventRow, columns: readonly string[], isNested: boolean): (string | null)[] {
  return columns.map((name) => {
    const value = row[name] ?? null;
    if (value === null) return null;
    if (name === 'metadata' && isNested) return JSON.stringify(JSON.parse(String(value)));
    return name === 'inserted_at' ? microsOf(String(value)) : String(value);
  });
}
