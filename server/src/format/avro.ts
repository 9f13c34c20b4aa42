import { createHash } from 'node:crypto';
import { identifier } from '../column/sql.ts';
import { DEFAULT_TEXT, jsonText } from '../column/text.ts';
import { type Column, isNested } from '../column/type.ts';
import { AVRO_SEGMENT, avroCell } from './avro-cells.ts';
import { avroLong } from './avro-long.ts';
import { avroSchema } from './avro-schema.ts';
import type { Format } from './format.ts';
import type { AvroOptions } from './options.ts';

/** Avro 1.12, Object Container Files: the magic, `Obj` and the version 1. */
const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 1);

const SYNC_BYTES = 16;

/** Avro object container files. The engine writes cells as text, and `avro-rows.ts` makes Avro of their bytes. */
export const avro: Format<AvroOptions> = {
  extension: 'avro',
  mediaType: 'application/vnd.apache.avro',
  compressible: false,

  check() {},

  segment(columns, options) {
    return {
      expressions: columns.map((column) => ({ sql: cell(column, options), name: column.name })),
      written: AVRO_SEGMENT,
    };
  },

  joining(columns, options, seed) {
    const stored = columns.map((column) => (isText(column, options) ? { ...column, type: TEXT } : column));
    const sync = createHash('sha256').update(seed).digest().subarray(0, SYNC_BYTES);
    return { by: 'avro', columns: stored, codec: options.codec, header: header(stored, options, sync), sync };
  },
};

const TEXT = { is: 'text' } as const;

function isText({ type }: Column, options: AvroOptions): boolean {
  return options.nested === 'text' && isNested(type);
}

function cell(column: Column, options: AvroOptions): string {
  if (!isText(column, options)) return avroCell(column);
  return jsonText(identifier(column.name), column.type, { ...DEFAULT_TEXT, nonFinite: 'string' });
}

function header(columns: readonly Column[], { codec }: AvroOptions, sync: Uint8Array): Uint8Array {
  const metadata = { 'avro.codec': codec, 'avro.schema': JSON.stringify(avroSchema(columns)) };
  const entries = Object.entries(metadata).flatMap(([key, value]) => [sized(key), sized(value)]);
  return Buffer.concat([MAGIC, avroLong(Object.keys(metadata).length), ...entries, avroLong(0), sync]);
}

function sized(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([avroLong(bytes.length), bytes]);
}
