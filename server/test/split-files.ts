import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import avsc from 'avsc';
import { readParquet } from './readers/parquet.ts';

/** The rows of one finished file by itself, each as some text; throws where the file is not complete. */
export async function rowsOf(path: string): Promise<string[]> {
  const [, ending = '', compression = ''] = /\.(csv|jsonl|json|xml|parquet|avro)(?:\.(gz|zst))?$/.exec(path) ?? [];
  const bytes = plainBytes(readFileSync(path), compression);
  switch (ending) {
    case 'csv': {
      const [header, ...rows] = linesOf(bytes);
      assert.match(header ?? '', /^id,/, 'a file begins with its header');
      return rows;
    }
    case 'jsonl':
      return linesOf(bytes).map((line) => JSON.stringify(JSON.parse(line)));
    case 'json':
      return (JSON.parse(bytes.toString()) as unknown[]).map((row) => JSON.stringify(row));
    case 'xml':
      return xmlRows(linesOf(bytes));
    case 'parquet':
      return (await readParquet(path)).rows.map((row) => row.map(String).join('|'));
    case 'avro':
      return avroRows(path);
    default:
      throw new Error(`${path} is of no format.`);
  }
}

function plainBytes(bytes: Buffer, compression: string): Buffer {
  if (compression === 'gz') return gunzipSync(bytes);
  return compression === 'zst' ? zstdDecompressSync(bytes) : bytes;
}

function linesOf(bytes: Buffer): string[] {
  const text = bytes.toString();
  assert.ok(text.endsWith('\n') || text === '', 'the last line is ended');
  return text.split('\n').slice(0, -1);
}

function xmlRows([declaration, root, ...lines]: readonly string[]): string[] {
  assert.match(declaration ?? '', /^<\?xml /);
  assert.match(root ?? '', /^<rows /);
  assert.equal(lines.at(-1), '</rows>');
  const rows = lines.slice(0, -1);
  for (const row of rows) assert.match(row, /^<row>.*<\/row>$/);
  return rows;
}

async function avroRows(path: string): Promise<string[]> {
  const rows: string[] = [];
  const decoder = avsc.createFileDecoder(path);
  for await (const row of decoder) rows.push(JSON.stringify(row));
  return rows;
}
