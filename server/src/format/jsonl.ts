import { type Format, RAW_LINES } from './format.ts';
import { jsonRow } from './json-row.ts';
import type { JsonlOptions } from './options.ts';

/** JSON lines: an object a line, each ended by a line feed. */
export const jsonl: Format<JsonlOptions> = {
  extension: 'jsonl',
  mediaType: 'application/x-ndjson',
  compressible: true,

  check() {},

  segment(columns, options) {
    return { expressions: [{ sql: jsonRow(columns, options), name: null }], copy: RAW_LINES };
  },

  joining() {
    return { by: 'text', head: '', empty: '', tail: '', separatorBytes: 0, isQuoted: false };
  },
};
