import type { Column } from '../column/type.ts';
import { avro } from './avro.ts';
import { csv } from './csv.ts';
import type { Format, Joining, SegmentSql } from './format.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import type { FormatOptions } from './options.ts';
import { parquet } from './parquet.ts';
import { pdf } from './pdf.ts';
import { xml } from './xml.ts';

/** Every format there is. To add one: its file, its options, its line here, its round trip in the format tests, its row in docs/formats.md. */
const FORMATS = { csv, json, jsonl, parquet, xml, avro, pdf };

/** A format with its options bound in. */
export interface BoundFormat {
  readonly extension: string;
  readonly mediaType: string;
  readonly compressible: boolean;
  readonly versions: string | undefined;
  check(columns: readonly Column[]): void;
  segment(columns: readonly Column[]): SegmentSql;
  joining(columns: readonly Column[], seed: string): Joining;
}

export function formatOf(options: FormatOptions): BoundFormat {
  switch (options.type) {
    case 'csv':
      return bind(FORMATS.csv, options);
    case 'json':
      return bind(FORMATS.json, options);
    case 'jsonl':
      return bind(FORMATS.jsonl, options);
    case 'parquet':
      return bind(FORMATS.parquet, options);
    case 'xml':
      return bind(FORMATS.xml, options);
    case 'avro':
      return bind(FORMATS.avro, options);
    case 'pdf':
      return bind(FORMATS.pdf, options);
  }
}

function bind<O>(format: Format<O>, options: O): BoundFormat {
  return {
    extension: format.extension,
    mediaType: format.mediaType,
    compressible: format.compressible,
    versions: format.versions,
    check: (columns) => format.check(columns, options),
    segment: (columns) => format.segment(columns, options),
    joining: (columns, seed) => format.joining(columns, options, seed),
  };
}
