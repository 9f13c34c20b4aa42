import type { Format } from './format.ts';
import { jsonSegment } from './json-row.ts';
import type { JsonlOptions } from './options.ts';

/** JSON lines: an object a line, each ended by a line feed. */
export const jsonl: Format<JsonlOptions> = {
  extension: 'jsonl',
  mediaType: 'application/x-ndjson',
  compressible: true,

  check() {},

  segment(columns, options) {
    return jsonSegment(columns, options, '');
  },

  joining() {
    return { by: 'text', head: '', empty: '', tail: '', separatorBytes: 0, isQuoted: false };
  },
};
